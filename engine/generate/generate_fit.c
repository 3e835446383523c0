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

// in tiles where whole pictures are too much; not where it cannot be counted
static bool would_fit(const void *job, struct generate_extent e, uint64_t available,
                      uint64_t *bytes)
{
    const struct asked *a = job;
    struct svdiff_generate_options o = *a->options;
    struct generate_count count = {0};

    o.count = e.count;
    o.width = e.width;
    o.height = e.height;
    const bool counted = generate_fit(a->session, &o, &count, NULL);
    *bytes = count.peak;
    a->session->tiled = false;
    return counted && *bytes <= available;
}

static int shrink(int side, int part)
{
    return MAX(side * part / 8 / UNIT, 1) * UNIT;
}

static int64_t pixels_of(struct generate_extent e)
{
    return (int64_t)e.width * e.height;
}

void generate_offer(const void *job, generate_extent_fits fits, struct generate_extent asked,
                    bool sized, uint64_t available, GPtrArray *ways)
{
    struct generate_extent less = asked;
    uint64_t bytes;

    // the last picture is decoded where the UNet was, those before it beside that
    less.count = 1;
    if (asked.count > 1 && fits(job, less, available, &bytes)) {
        g_ptr_array_add(ways, session_fit(bytes, "--count 1"));
    }
    less.count = asked.count;
    for (int part = 7; part >= 1 && sized; part--) {
        less.width = shrink(asked.width, part);
        less.height = shrink(asked.height, part);
        if (pixels_of(less) < pixels_of(asked) && fits(job, less, available, &bytes)) {
            g_ptr_array_add(ways,
                            session_fit(bytes, "--width %d --height %d", less.width, less.height));
            return;
        }
    }
}

static void offer(void *user, uint64_t available, GPtrArray *ways)
{
    const struct asked *a = user;
    const struct svdiff_generate_options *o = a->options;

    // with a picture to begin with, the size may be that picture's and no option
    generate_offer(a, would_fit, (struct generate_extent){o->count, o->width, o->height},
                   o->init == NULL, available, ways);
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
