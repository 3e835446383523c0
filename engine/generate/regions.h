/* regions.h: regions of a prompt: texts that act only where a mask is white, while the rest of the
 * prompt acts everywhere. Each is a text of its own behind the prompt's tokens. */
#pragma once

#include "engine/tape/attention_guide.h"
#include "engine/svdiff.h"

struct regions {
    struct attention_regions list;
    struct attention_guide guide; // of list
    float *masks;                 // [n, h, w]
};

/* Masks on the latents' grid of h x w; the whole of a mask is the whole of the picture. Errors name
 * the file. To be finished in any case. */
bool regions_open(struct regions *r, const struct svdiff_region *regions, int n, int h, int w,
                  GError **error);
void regions_finish(struct regions *r); // accepts a zeroed one

/* What of the prompt acts everywhere: the prompt without the regions' texts, where it has them as
 * whole words. With them it would still say who is where, by their order. Owned by the caller. */
char *regions_rest(const char *prompt, const struct svdiff_region *regions, int n);
