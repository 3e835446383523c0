/* regions.h: regions of a prompt: texts that act only where a mask is white, while the rest of the
 * prompt acts everywhere. Each is a text of its own behind the prompt's tokens. */
#pragma once

#include "engine/tape/attention_guide.h"
#include "engine/generate/painter.h"

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

/* Two texts of (1 + n) tokens each, for the guidance: first the negative prompt, in the place of
 * each region's text, too, then the rest of the prompt and the texts. To be cleared by the caller.
 */
bool regions_embed(struct painter *p, const char *negative, const char *prompt,
                   const struct svdiff_region *regions, int n, struct conditioning *out,
                   GError **error);
