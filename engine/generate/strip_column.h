/* strip_column.h: the options of one picture of a strip (options/strip.h).
 *
 *   scale   times the strengths of the subjects; scale2: times that of the second alone
 *   mix     from one of two subjects (0) to the other (1): their strengths times 1 - mix and mix; of more
 *           than two the last two, and the others stay
 *   keep    of each layer's changes by the subjects the largest
 *   lora    times the strengths of the adapters
 *   NAME    any option of drawing that is a number or a word, but for sizes and counts */
#pragma once

#include "engine/options/strip.h"
#include "engine/svdiff.h"

struct strip_column {
    // borrow what they have of the strip's, and of the lists
    struct svdiff_generate_options options;
    struct svdiff_scaled_subject *subjects; // their parts are owned
    struct svdiff_adapter *adapters;
    int which; // subject that scale is of, from 1; 0: all
};

/* What picture i has in place of `from`, which is borrowed. False with SVDIFF_ERROR_USAGE: the name is
 * none, the value is none of its, or it varies what there is not. To be cleared in either case. */
bool strip_column_make(const struct strip *s, int i, const struct svdiff_generate_options *from,
                       struct strip_column *c, GError **error);
void strip_column_clear(struct strip_column *c);

/* Whether each picture has weights of its own: what varies is what is put into them. */
bool strip_changes_weights(const struct strip *s);

/* Whether all of them can be drawn with a model whose sizes are divisible by `unit`. */
bool strip_check(const struct strip *s, const struct svdiff_generate_options *from, int unit,
                 GError **error);
