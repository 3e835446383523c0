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

/* How many pictures a job draws, and their working size in pixels. */
struct generate_extent {
    int count, width, height;
};

/* Whether a job fits these bytes with another extent, and what it takes then. */
typedef bool (*generate_extent_fits)(const void *job, struct generate_extent e, uint64_t available,
                                     uint64_t *bytes);

/* Adds to ways (session_fits) what would fit: one picture in the place of several and, where the size is an option
 * (sized), the largest of some smaller sizes of about the same shape. */
void generate_offer(const void *job, generate_extent_fits fits, struct generate_extent asked,
                    bool sized, uint64_t available, GPtrArray *ways);

/* Before a run: the same, and where it does not fit at all another device or the error of session_settle, which names a
 * smaller number or size of pictures that would. */
bool generate_settle(svdiff *s, const struct svdiff_generate_options *o, GError **error);
