/* edit_check.h: whether the options of editing make sense by themselves. */
#pragma once

#include "engine/svdiff.h"

/* unit: what width and height must be divisible by. False with SVDIFF_ERROR_USAGE and a sentence
 * that names the option. */
bool edit_check(const struct svdiff_edit_options *o, int unit, GError **error);
