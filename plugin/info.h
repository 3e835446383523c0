/* info.h: what the command says of a model or a subject (svdiff info). It opens them; this process
 * does not. */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>

/* Gets the object that the command told, or NULL and a sentence; both valid during the call. */
typedef void (*info_told)(void *user, JsonObject *info, const char *sentence);

/* Asks what a file or folder is ("": the model that ships), without waiting. told is called once
 * from the main context, unless stop is cancelled before. */
void info_ask(const char *path, GCancellable *stop, info_told told, void *user);

/* The same, waited for, a fraction of a second, and kept for the process as long as the file, or
 * those of the folder, do not change. NULL: the command said nothing. Borrowed. */
JsonObject *info_of(const char *path);

/* Of what was told, which may be NULL: the small picture of a subject (g_object_unref), NULL: none;
 * the side in pixels at which a model makes its pictures, 0: not known. What else is in it: told.h.
 * "things" are what its subjects are in plain words, "a fox", "" where one does not say. */
GdkPixbuf *info_preview(JsonObject *info);
int info_side(JsonObject *info);
