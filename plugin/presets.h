/* presets.h: values that a person keeps under a name, for each procedure.
 *
 * They lie in a file in the user's data folder, which is written whole; a lock keeps two GIMPs from
 * losing what the other has just saved. */
#pragma once

#include "plugin/values.h"

/* The file of a procedure's presets, in a folder that is made. NULL with a sentence. g_free it. */
char *presets_file(const struct procedure *p, GError **error);

/* All names, sorted; none where there is no file, or a damaged one. g_strfreev it. */
char **presets_names(const char *file);

/* Takes the values of a preset, as far as the procedure allows them. false with a sentence. */
bool presets_read(const char *file, const char *name, values *v, GError **error);

/* Keeps the values under a name, in the place of those that had it. false with a sentence, then
 * nothing has changed: the name is empty or too long, the file is damaged or cannot be written. */
bool presets_save(const char *file, const char *name, const values *v, GError **error);

/* Forgets one; that there is none is no error. false with a sentence. */
bool presets_delete(const char *file, const char *name, GError **error);
