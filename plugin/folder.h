/* folder.h: folders of ours, what is in them, and their locks. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The folder svdiff/KIND in one of the user's, which is made where it is missing. NULL with a
 * sentence: `sentence` with the folder and the reason for its two %s. g_free it. */
char *folder_make(const char *user, const char *kind, const char *sentence, GError **error);

/* Makes the folder if it is missing; whether it is the user's and nobody else can come in. mends:
 * one that others can come into is closed to them. */
bool folder_make_private(const char *path, bool mends);

/* The names of what is in a folder, none where it cannot be read. take: what is called for each, a
 * new text or NULL, which leaves it out; NULL: as they are. compare: of two char *const *; NULL: in
 * no order. g_strfreev it. */
char **folder_names(const char *path, char *(*take)(const char *name), GCompareFunc compare);

/* Whether what is at the path is older than so many seconds; false where nothing is. */
bool folder_is_old(const char *path, int seconds);

/* When a file was written, in nanoseconds; -1: it is not there. */
gint64 folder_written(const char *path);

/* A descriptor that holds the lock of this file, to be closed, which gives it back. waits: for
 * whoever has it. flags: of open, besides reading and writing. -1: another process has it, or there
 * is no such file. */
int folder_lock(const char *path, int flags, bool waits);
