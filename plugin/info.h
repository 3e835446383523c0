/* info.h: what the command says of a file (svdiff info), without waiting for it. */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/* Gets the object that the command told, or NULL and a sentence; both valid during the call. */
typedef void (*info_told)(void *user, JsonObject *info, const char *sentence);

/* Asks what the file or folder is; preview: where the small picture of a subject is written, may be
 * NULL. told is called once from the main context, unless stop is cancelled before. */
void info_ask(const char *path, const char *preview, GCancellable *stop, info_told told,
              void *user);
