/* adapter_lookup.h: what people call files that they bring along: a path, or a name of one in a folder
 * of the user's data folder.
 *
 *   style           a file of this name, else svdiff/loras/style.safetensors (.pt, .bin, .ckpt)
 *   style:0.8       the same with a strength
 *
 * What exists comes before any reading of colons and endings. */
#pragma once

#include <glib.h>

// folders below svdiff/ of the user's data folder
#define ADAPTER_FOLDER   "loras"
#define EMBEDDING_FOLDER "embeddings"

/* Where a file of this name is, or, where there is none, the name itself. Owned by the caller. */
char *adapter_lookup_path(const char *folder, const char *name);

/* "style" of "/home/me/style.safetensors": what it is called in prompts. Owned by the caller. */
char *adapter_lookup_name(const char *path);
