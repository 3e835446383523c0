/* edit_check.h: whether the options of editing make sense by themselves. */
#pragma once

#include "engine/svdiff.h"

/* How each target is drawn, as far as these options say; prompt, seed and subjects are open. */
struct svdiff_generate_options edit_generate_options(const struct svdiff_edit_options *o);

/* unit: what width and height must be divisible by. False with SVDIFF_ERROR_USAGE and a sentence
 * that names the option. */
bool edit_check(const struct svdiff_edit_options *o, int unit, GError **error);
