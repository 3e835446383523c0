/* effort.h: what an effort makes of a model's defaults of learning.
 *
 * What counts, the last one most:
 *
 *   the table of options < "learn" of svdiff.json < the effort's settings
 *     < "learn" -> the effort's word of svdiff.json < what is given
 *
 * Normal has no settings: it is what stands there without. */
#pragma once

#include "engine/svdiff.h"

/* Sets in *o, the normal defaults, what the effort o->effort decides. */
void effort_choose(struct svdiff_learn_options *o);

/* What the options that an effort decides are now: "400 steps, learning-rate 0.01, ...". Owned by
 * the caller. */
char *effort_text(const struct svdiff_learn_options *o);
