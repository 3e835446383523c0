/* generate_fit.h: whether drawing fits a device with memory of its own, and what of it would; counted
 * (generate_count.h) before anything is made on the device. */
#pragma once

#include "engine/generate/generate_count.h"

/* Counts, and says in s->tiled whether pictures that would be decoded whole are decoded in tiles: where the device
 * has room for these alone. A session that computes in the host's memory never does. False as generate_count says. */
bool generate_fit(svdiff *s, const struct svdiff_generate_options *o, struct generate_count *count,
                  GError **error);

/* The same of any job that draws. */
bool generate_fit_job(svdiff *s, generate_counter counter, const void *options,
                      struct generate_count *count, GError **error);

/* Says to the person in front that pictures are decoded in tiles, where they are. */
void generate_fit_note(const svdiff *s);

/* Sides of about part / 8 of these; false: that is no less. */
bool generate_shrink(int part, int *width, int *height);

/* Before a run: the same, and where it does not fit at all another device or the error of session_settle, which names a
 * smaller number or size of pictures that would. */
bool generate_settle(svdiff *s, const struct svdiff_generate_options *o, GError **error);
