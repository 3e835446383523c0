/* generate_check.h: whether the options of generating make sense by themselves. */
#pragma once

#include "engine/svdiff.h"

/* unit: what width and height must be divisible by (8, or more where a latent of the model has more
 * pixels). False with SVDIFF_ERROR_USAGE and a sentence that names the option. */
bool generate_check(const struct svdiff_generate_options *o, int unit, GError **error);
