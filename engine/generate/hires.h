/* hires.h: pictures that are larger than what a model was trained on: drawn at its own size, enlarged, and
 * drawn again from there with little noise, which makes the details that enlarging cannot (A1111's
 * hires fix). At once they would show everything twice. */
#pragma once

#include "engine/picture/picture.h"

/* The size of what is drawn with these options; unit: what sides are divisible by. */
void hires_size(const struct svdiff_generate_options *o, int unit, int *width, int *height);

/* generate_alone with o->hires above 1. */
bool hires_generate(svdiff *s, const struct svdiff_generate_options *o, svdiff_take take,
                    progress_function progress, void *user, GError **error);
