/* spectrum_key.h: which model it is, as a SHA-256 in 64 hexadecimal digits. */
#pragma once

#include "engine/spectrum/spectrum.h"

/* The key of a model: over names, shapes and values (as f32) of its weights, in the order of their
 * names, so that copies of a model that differ in files, types or order have one key. Reads all
 * values; NULL with a sentence as spectrum_run_all. The caller frees it. */
char *spectrum_key(const struct spectrum_source *source, const struct spectrum_options *options,
                   GError **error);

/* The source's identity together with the names and shapes of what is taken from the model. NULL
 * when the source has no identity. The caller frees it. */
char *spectrum_stamp(const struct spectrum_source *source);
