/* What of a run of learning would fit a device that has no room for all of it: smaller batches that are added up
 * to the same step, or smaller pictures; each counted as the run itself is (estimate.h). Segments are run again in
 * all of them. */
#include "engine/learn/estimate.h"

#include "engine/group/group.h"
#include "engine/options/option.h"

#define UNIT  64 // pixels; what most models were trained with is a multiple of it
#define LEAST 64 // as options_learn.c has it

static bool would_fit(const struct lesson *l, const struct svdiff_learn_options *o,
                      uint64_t available, uint64_t *bytes)
{
    return estimate_least(l->session, o, bytes, NULL) && *bytes <= available;
}

// rows of the same numbers, whose gradients add up to the same
static void offer_accumulated(const struct lesson *l, uint64_t available, GPtrArray *ways)
{
    const struct option *accumulate = option_find(&options_of_learn, "accumulate");
    struct svdiff_learn_options o = *l->options;
    const int processes = o.group != NULL ? o.group->size : 1; // of which each is asked for its own
    uint64_t bytes;

    o.accumulate *= o.batch;
    o.batch = 1;
    if (l->options->batch > 1 && o.accumulate <= accumulate->high &&
        would_fit(l, &o, available, &bytes)) {
        g_ptr_array_add(ways,
                        session_fit(bytes, "--batch 1 --accumulate %d", o.accumulate / processes));
    }
}

static void offer_smaller(const struct lesson *l, uint64_t available, GPtrArray *ways)
{
    struct svdiff_learn_options o = *l->options;
    uint64_t bytes;

    for (int part = 7; part >= 1; part--) {
        o.size = MAX(l->options->size * part / 8 / UNIT * UNIT, LEAST);
        if (o.size < l->options->size && would_fit(l, &o, available, &bytes)) {
            g_ptr_array_add(ways, session_fit(bytes, "--size %d", o.size));
            return;
        }
    }
}

void learn_fits(void *lesson, uint64_t available, GPtrArray *ways)
{
    const struct lesson *l = lesson;

    if (!l->session->within) {
        offer_accumulated(l, available, ways);
        offer_smaller(l, available, ways);
    }
}
