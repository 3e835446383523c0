/* hub_folder.h: the folder that Hugging Face's programs keep of a model that they downloaded.
 *
 *   models--OWNER--NAME/refs/main        the name of the snapshot that is current
 *   models--OWNER--NAME/snapshots/HASH/  the model's files, links to ../../blobs/...
 *
 * People name the folder that they see; meant is its newest snapshot. */
#pragma once

#include <glib.h>

/* Where the model is: of such a folder the snapshot that refs/main names, else, or where that holds
 * no model, the one that was changed last and does; a diffusers folder, or the one .safetensors
 * file of it. Any other path as it is. Owned by the caller; NULL with a sentence for a folder whose
 * snapshots hold no model, or several files of which one must be named. */
char *hub_folder_model(const char *path, GError **error);
