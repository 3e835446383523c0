/* learn_check.h: whether the options of learning make sense by themselves. */
#pragma once

#include "engine/svdiff.h"

/* factor: pixels per latent of the model. False with SVDIFF_ERROR_USAGE and a sentence that names
 * the option. */
bool learn_check(const struct svdiff_learn_options *o, int factor, GError **error);

/* The part of it that needs no model: texts, pictures' names, the output's name. */
bool learn_check_subjects(const struct svdiff_subject *subjects, int n_subjects, const char *output,
                          GError **error);
