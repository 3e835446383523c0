/* adapter_lookup.h: what people call files that they bring along: a path, or a name of one in a folder
 * of the user's data folder.
 *
 *   style           a file of this name, else svdiff/loras/style.safetensors (.pt, .bin, .ckpt)
 *   style:0.8       the same with a strength
 *
 * More folders are looked into where svdiff/loras.txt (embeddings.txt) names them, a line each.
 *
 * What exists comes before any reading of colons and endings. */
#pragma once

#include <glib.h>

// folders below svdiff/ of the user's data folder
#define ADAPTER_FOLDER   "loras"
#define EMBEDDING_FOLDER "embeddings"

/* The folders of these files: that in the user's data folder, then those that are named. g_strfreev it.
 */
char **adapter_lookup_folders(const char *folder);

/* Where a file of this name is, or, where there is none, the name itself. Owned by the caller. */
char *adapter_lookup_path(const char *folder, const char *name);

/* The name of a file in such a folder, "style" of "style.pt"; NULL for files of other kinds. Owned by the
 * caller. */
char *adapter_lookup_take(const char *file);

/* "style" of "/home/me/style.safetensors": what it is called in prompts. Owned by the caller. */
char *adapter_lookup_name(const char *path);
