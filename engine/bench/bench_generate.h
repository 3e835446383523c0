/* bench_generate.h: the time that one picture after the other takes, from noise to pixels. */
#pragma once

#include "engine/bench/bench.h"

/* Draws o->batch pictures with random weights in 25 steps of DDIM with guidance (two predictions a
 * step) and decodes them, as generating does; the text encoder, a hundredth of that, is left out.
 * flops are those of the UNet. Errors: no memory, or cancelled. */
bool bench_generate(const kernels *k, const struct bench_options *o, struct bench_result *result,
                    progress_function progress, void *user, GError **error);
