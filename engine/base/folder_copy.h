/* folder_copy.h: copying a folder, and making one that is there whole or not at all. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether a file is left out; `relative` is its path from the folder that is copied. */
typedef bool (*folder_copy_skip)(const char *relative);

/* Copies what is in `from` into `to`, which is made when missing. Links are followed; names that
 * begin with a dot are left out. False with a sentence for what is no file and no folder, cannot be
 * read or written, or is nested too deeply. */
bool folder_copy(const char *from, const char *to, folder_copy_skip skip, GError **error);

/* A new folder beside `path` with a hidden name, to be filled and then given that name, where
 * nothing may be but an empty folder; `path` does not end in `/`. Owned by the caller (g_free);
 * NULL with a sentence. */
char *folder_begin(const char *path, GError **error);
/* Puts it in its place for good; false with a sentence. */
bool folder_commit(const char *temporary, const char *path, GError **error);
/* Removes it with all that is in it. */
void folder_remove(const char *temporary);
