/* edit_fit.h: whether an edit fits a device with memory of its own: its parts one after the other, of which the largest
 * counts,
 *
 *   learning   at least (estimate.h), unless what was learned is kept
 *   the rest   encoding, fitting, inverting, drawing and decoding: an edit that computes nothing (dry_session.h)
 *
 * counted before anything of them is made on the device. */
#pragma once

#include "engine/generate/generate_count.h"

/* The rest alone, which options of edit (struct svdiff_edit_options) ask for. */
bool edit_count(const svdiff *s, const void *options, struct generate_count *count, GError **error);

/* Before a run: where it does not fit, another device or the error of session_settle, which names what of an edit would;
 * says in s->tiled how pictures are decoded. draw: how targets are drawn, in the picture's size; kept: nothing is
 * learned. */
bool edit_settle(svdiff *s, const struct svdiff_edit_options *options,
                 const struct svdiff_generate_options *draw, bool kept, GError **error);
