/* What of an edit fits; see edit_fit.h. */
#include "engine/edit/edit_fit.h"

#include "engine/edit/edit_shift.h"
#include "engine/generate/generate_fit.h"
#include "engine/session/dry_session.h"

static bool take_nothing(void *user, int index, uint64_t seed, const svdiff_picture *p,
                         GError **error)
{
    return true;
}

bool edit_count(const svdiff *s, const void *options, struct generate_count *count, GError **error)
{
    struct svdiff_edit_options o = *(const struct svdiff_edit_options *)options;
    g_auto(dry_svdiff) dry = dry_session(s);

    // no file but the picture is read, and what comes again takes no more: the last picture less than those before it
    o.n_embeddings = 0;
    o.steps = 1;
    o.refine = MIN(o.refine, 1);
    o.fit = MIN(o.fit, 1);
    o.count = s->keeps ? 2 : MIN(o.count, 2); // networks that are kept are there to the end
    o.trace = NULL;
    if (!svdiff_edit(&dry, &o, take_nothing, NULL, NULL, error)) {
        return false;
    }
    *count = (struct generate_count){.peak = kernels_peak_bytes(dry.k)};
    return true;
}

// what is asked for, and whom
struct asked {
    svdiff *session;
    const struct svdiff_edit_options *options;
    int width, height; // in which the picture is drawn
    uint64_t learning; // bytes; 0: nothing is learned
};

// whether other options fit; not where they cannot be counted
static bool would_fit(const struct asked *a, const struct svdiff_edit_options *o,
                      uint64_t available, uint64_t *bytes)
{
    struct generate_count count = {0};
    const bool counted = generate_fit_job(a->session, edit_count, o, &count, NULL);

    *bytes = MAX(count.peak, a->learning);
    a->session->tiled = false;
    return counted && *bytes <= available;
}

static bool extent_fits(const void *job, struct generate_extent e, uint64_t available,
                        uint64_t *bytes)
{
    const struct asked *a = job;
    struct svdiff_edit_options o = *a->options;

    o.count = e.count;
    o.width = e.width;
    o.height = e.height;
    return would_fit(a, &o, available, bytes);
}

// corrections run through the decoder and back
static void offer_unfitted(const struct asked *a, uint64_t available, GPtrArray *ways)
{
    struct svdiff_edit_options o = *a->options;
    uint64_t bytes;

    o.fit = 0;
    if (a->options->fit > 0 && would_fit(a, &o, available, &bytes)) {
        g_ptr_array_add(ways, session_fit(bytes, "--fit 0"));
    }
}

static void offer(void *user, uint64_t available, GPtrArray *ways)
{
    const struct asked *a = user;

    // a picture is learned in the size of the model, whatever is asked of an edit
    if (a->learning > available) {
        g_ptr_array_add(ways, g_strdup("a device with more memory"));
        return;
    }
    offer_unfitted(a, available, ways);
    generate_offer(a, extent_fits, (struct generate_extent){a->options->count, a->width, a->height},
                   true, available, ways);
}

bool edit_settle(svdiff *s, const struct svdiff_edit_options *o,
                 const struct svdiff_generate_options *draw, bool kept, GError **error)
{
    struct asked asked = {s, o, draw->width, draw->height, 0};
    struct generate_count rest;

    // what a kept network takes is taken already
    if (s->dry || s->k->available == NULL || s->kept.key != NULL) {
        return true;
    }
    if ((!kept && !edit_shift_least(s, o, &asked.learning, error)) ||
        !generate_fit_job(s, edit_count, o, &rest, error)) {
        return false;
    }
    // tiles help no device that learning leaves
    s->tiled = s->tiled && asked.learning <= session_available(s);
    generate_fit_note(s);
    return session_settle(s, MAX(asked.learning, rest.peak), offer, &asked, error);
}
