/* paths.h: where things are: the command, subjects, the size of a model. */
#pragma once

#include <glib.h>

/* The command `svdiff`: of the same build folder, of the same installation, or in PATH, in this
 * order. NULL with a sentence when there is none. g_free it. */
char *paths_command(GError **error);

/* The file of a subject by name, in the user's data folder, which is made when it is missing. NULL
 * with a sentence when the name cannot be that of a file. g_free it. */
char *paths_subject(const char *name, GError **error);

/* The side in pixels at which a model (a folder; "": the one that ships) makes its pictures; 0 when
 * that cannot be known here. */
int paths_model_side(const char *model);
