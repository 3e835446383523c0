/* paint_sets.h: the models that a picture is drawn with: one, or where subjects are in regions of
 * their own, one for each set of subjects, whose predictions are blended by the regions' masks.
 *
 *   set 0   what is outside of these regions: the subjects that no region names
 *   set k   the subjects of a region, and those of set 0
 *   weight  of set k at a place: the sum of its regions' masks there, at most 1, over the sum of
 *           all sets' where that is above 1; of set 0 what is left
 *
 * So a file's shifts touch nothing but its region, and subjects of several files do not add up. A
 * set that counts nowhere is left out. */
#pragma once

#include "engine/generate/denoise.h"
#include "engine/generate/regions.h"

struct paint_set {
    struct painter painter;
    struct svdiff_scaled_subject *subjects;
    int n_subjects;
    float *weight;            // [h, w]; NULL: this is the only set
    struct conditioning text; // without, then with the prompt, each with all regions' texts
};

struct paint_sets {
    struct paint_set *sets;
    int n;
    struct denoise_part *parts; // [n]: for denoise.h, once the networks are there
};

/* Which sets there are, their subjects opened. painter: what each begins as. regions: of options,
 * opened. To be closed in any case. */
bool paint_sets_open(struct paint_sets *p, const struct painter *painter,
                     const struct svdiff_generate_options *options, const struct regions *regions,
                     GError **error);
void paint_sets_close(struct paint_sets *p); // accepts a zeroed one

/* The texts, by each set's own text encoder. */
bool paint_sets_embed(struct paint_sets *p, const struct svdiff_generate_options *options,
                      GError **error);

/* The networks for latents of h x w; the first set has the halves of the autoencoder. */
bool paint_sets_networks(struct paint_sets *p, int h, int w, unsigned halves, GError **error);
