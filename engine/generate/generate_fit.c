/* What of drawing fits; see generate_fit.h. */
#include "engine/generate/generate_fit.h"

#define UNIT 64 // pixels; what most models were trained with is a multiple of it

bool generate_fit_job(svdiff *s, generate_counter counter, const void *options,
                      struct generate_count *count, GError **error)
{
    struct generate_count tiled;

    s->tiled = false;
    if (!counter(s, options, count, error)) {
        return false;
    }
    if (s->k->available == NULL || count->peak <= session_available(s)) {
        return true;
    }
    s->tiled = true;
    if (!counter(s, options, &tiled, error)) {
        return false;
    }
    // a seam for nothing is not wanted
    s->tiled = tiled.peak < count->peak && tiled.peak <= session_available(s);
    *count = s->tiled ? tiled : *count;
    return true;
}

static bool count_generating(const svdiff *s, const void *options, struct generate_count *count,
                             GError **error)
{
    return generate_count(s, options, count, error);
}

bool generate_fit(svdiff *s, const struct svdiff_generate_options *o, struct generate_count *count,
                  GError **error)
{
    return generate_fit_job(s, count_generating, o, count, error);
}

void generate_fit_note(const svdiff *s)
{
    if (s->tiled) {
        session_note(s, "pictures are decoded in tiles: the device %s has no room for whole ones",
                     s->device);
    }
}

// what is asked for, and whom
struct asked {
    svdiff *session;
    const struct svdiff_generate_options *options;
};

// the memory of other options, in tiles where whole pictures are too much; none where they cannot be counted
static bool would_fit(const struct asked *a, const struct svdiff_generate_options *o,
                      uint64_t available, uint64_t *bytes)
{
    struct generate_count count = {0};
    const bool counted = generate_fit(a->session, o, &count, NULL);

    *bytes = count.peak;
    a->session->tiled = false;
    return counted && *bytes <= available;
}

static void offer_one(const struct asked *a, uint64_t available, GPtrArray *ways)
{
    struct svdiff_generate_options o = *a->options;
    uint64_t bytes;

    // the last picture is decoded where the UNet was, those before it beside that
    o.count = 1;
    if (a->options->count > 1 && would_fit(a, &o, available, &bytes)) {
        g_ptr_array_add(ways, session_fit(bytes, "--count 1"));
    }
}

static int shrink(int side, int part)
{
    return MAX(side * part / 8 / UNIT, 1) * UNIT;
}

bool generate_shrink(int part, int *width, int *height)
{
    const int64_t pixels = (int64_t)*width * *height;

    *width = shrink(*width, part);
    *height = shrink(*height, part);
    return (int64_t)*width * *height < pixels;
}

// the largest of some sizes of about the same shape
static void offer_smaller(const struct asked *a, uint64_t available, GPtrArray *ways)
{
    struct svdiff_generate_options o = *a->options;
    uint64_t bytes;

    for (int part = 7; part >= 1; part--) {
        o.width = a->options->width;
        o.height = a->options->height;
        if (generate_shrink(part, &o.width, &o.height) && would_fit(a, &o, available, &bytes)) {
            g_ptr_array_add(ways, session_fit(bytes, "--width %d --height %d", o.width, o.height));
            return;
        }
    }
}

static void offer(void *user, uint64_t available, GPtrArray *ways)
{
    const struct asked *a = user;

    offer_one(a, available, ways);
    // with a picture to begin with, the size may be that picture's and no option
    if (a->options->init == NULL) {
        offer_smaller(a, available, ways);
    }
}

bool generate_settle(svdiff *s, const struct svdiff_generate_options *o, GError **error)
{
    const struct asked asked = {s, o};
    struct generate_count count;

    // what a kept network takes is taken already
    if (s->dry || s->k->available == NULL || s->kept.key != NULL) {
        return true;
    }
    if (!generate_fit(s, o, &count, error)) {
        return false;
    }
    // of two drawings each says it for itself
    if (o->hires <= 1) {
        generate_fit_note(s);
    }
    return session_settle(s, count.peak, offer, (void *)&asked, error);
}
