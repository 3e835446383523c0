/* bench_plot.h: what a time was spent on, as bars (plot.h). */
#pragma once

#include "engine/bench/bench_start.h"

/* The kinds of operations that took time, the longest first, with their rates, and what is left between
 * them. title: what was timed. False with a sentence. */
bool bench_plot_kinds(const struct bench_result *r, const char *title, const char *path,
                      GError **error);

/* The stages of the time to the first step, in their order. */
bool bench_plot_stages(const struct bench_stages *s, const char *title, const char *path,
                       GError **error);
