/* default_model.h: where models are that people name, or leave unnamed.
 *
 * What ships: in SVDIFF_DATA_DIR when that is set, else in ../share/svdiff from the folder of the
 * program: no path is compiled in, an installation may be moved. In a build folder share/svdiff is
 * a link to the source tree's resources. */
#pragma once

#include <glib.h>

/* Where the model is that a person named: there, or where hub_folder.h finds it; NULL: the one that
 * ships. Owned by the caller; NULL with SVDIFF_ERROR_FAILED when there is none. */
char *model_place(const char *named, GError **error);
/* The folder of CLIP's vocabulary, which ships as a tokenizer folder. The same rules. */
char *shipped_vocabulary(GError **error);
