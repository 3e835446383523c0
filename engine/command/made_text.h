/* made_text.h: how a picture was made, as programs of Stable Diffusion write and read it: the prompt, the
 * negative prompt, then "Steps: 50, Sampler: DDIM, ..." in one line. */
#pragma once

#include "engine/picture/picture.h"
#include "engine/svdiff.h"

/* Of a picture that was drawn with these options, but for its seed; the session's hashes are known. Owned
 * by the caller. */
char *made_text(const struct svdiff_generate_options *o, const svdiff *s, uint64_t seed,
                const picture *p);
