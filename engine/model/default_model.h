/* default_model.h: where the model that ships is.
 *
 * SVDIFF_DATA_DIR/model when that is set, else ../share/svdiff/model from the folder of the
 * program: no path is compiled in, an installation may be moved. In a build folder share/svdiff is
 * a link to the source tree's resources. */
#pragma once

#include <glib.h>

/* A folder, owned by the caller; NULL with SVDIFF_ERROR_FAILED when there is none. */
char *default_model_folder(GError **error);
/* A subject by name: the user data folder's svdiff/subjects/NAME.safetensors when `name` is no
 * path of an existing file and does not end in .safetensors. Owned by the caller. */
char *subject_path(const char *name);
