/* Counting what drawing takes; see generate_count.h. */
#include "engine/generate/generate_count.h"

#include "engine/session/dry_session.h"

static bool take_nothing(void *user, int index, uint64_t seed, const svdiff_picture *p,
                         GError **error)
{
    return true;
}

bool generate_count(const svdiff *s, const struct svdiff_generate_options *options,
                    struct generate_count *count, GError **error)
{
    struct svdiff_generate_options o = *options;
    g_auto(dry_svdiff) dry = dry_session(s);

    // no file is read: what subjects and adapters change is in the weights before the first step, and those
    // that are in regions of their own have a UNet each (painter.c)
    o.n_embeddings = 0;
    // the last picture of several is decoded as a single one, those before it beside the UNet
    const int shares = session_shares(s), own = (options->count + shares - 1) / shares;
    dry.share = dry.shares = 0;
    o.count = s->keeps ? 2 : MIN(own, 2); // networks that are kept are there to the end
    o.trace = NULL;
    if (!svdiff_generate(&dry, &o, take_nothing, NULL, NULL, error)) {
        return false;
    }
    count->peak = kernels_peak_bytes(dry.k);
    for (int kind = 0; kind < KERNELS_KINDS; kind++) {
        count->operations[kind] = kernels_counted(dry.k, (enum kernels_kind)kind) * own / o.count;
    }
    return true;
}
