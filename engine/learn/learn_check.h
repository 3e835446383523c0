/* learn_check.h: whether the options of learning make sense by themselves. */
#pragma once

#include "engine/svdiff.h"

/* factor: pixels per latent of the model, 1 when it is not known yet. False with SVDIFF_ERROR_USAGE
 * and a sentence that names the option. */
bool learn_check(const struct svdiff_learn_options *o, int factor, GError **error);
