/* Drawn, enlarged, drawn again; see hires.h. */
#include "engine/generate/hires.h"

#include "engine/generate/generate_check.h"
#include "engine/generate/generate_devices.h"
#include "engine/picture/picture_scale.h"
#include "engine/session/session.h"

#include <math.h>

struct hires {
    svdiff *session;
    const struct svdiff_generate_options *options;
    int width, height; // of the results
    picture **small;   // [count], owned; NULL: of another device
    int index;         // of the one that is drawn again
    svdiff_take take;
    progress_function progress; // may be NULL
    void *user;
};

void hires_size(const struct svdiff_generate_options *o, int unit, int *width, int *height)
{
    *width = o->init != NULL ? o->init->width : o->width;
    *height = o->init != NULL ? o->init->height : o->height;
    if (o->hires > 1) {
        // to the nearest whole latents
        *width = (int)lround(*width * o->hires / unit) * unit;
        *height = (int)lround(*height * o->hires / unit) * unit;
    }
}

static bool tell(void *user, const struct progress *p)
{
    const struct hires *h = user;

    return h->progress == NULL || h->progress(h->user, p);
}

static bool take_small(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    const struct hires *h = user;

    h->small[index] = picture_copy(p, error);
    return h->small[index] != NULL;
}

static bool take_large(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    const struct hires *h = user;

    return h->take(h->user, h->index, seed, p, error);
}

static bool draw_small(struct hires *h, GError **error)
{
    struct svdiff_generate_options o = *h->options;

    o.hires = 1;
    o.trace = NULL; // the second time is traced
    return generate_once(h->session, &o, take_small, tell, h, error);
}

static bool draw_large(struct hires *h, GError **error)
{
    struct svdiff_generate_options o = *h->options;
    // enlarged when it is its turn: all of them would take factor^2 the memory until then
    const picture *small = h->small[h->index];
    g_autoptr(picture) init = o.tile ? picture_resize_around(small, h->width, h->height, error)
                                     : picture_resize(small, h->width, h->height, error);

    if (init == NULL) {
        return false;
    }
    o.init = init;
    o.strength = o.hires_strength;
    o.hires = 1;
    o.width = h->width;
    o.height = h->height;
    o.count = 1;
    o.seed += (uint64_t)h->index;
    o.trace = h->index == 0 ? o.trace : NULL;
    // one that is the session's, whatever its share of all is
    const int share = h->session->share, shares = h->session->shares;
    h->session->share = h->session->shares = 0;
    const bool done = generate_once(h->session, &o, take_large, tell, h, error);
    h->session->share = share;
    h->session->shares = shares;
    return done;
}

bool hires_generate(svdiff *s, const struct svdiff_generate_options *o, svdiff_take take,
                    progress_function progress, void *user, GError **error)
{
    struct hires h = {.session = s,
                      .options = o,
                      .small = g_new0(picture *, o->count),
                      .take = take,
                      .progress = progress,
                      .user = user};
    const int factor = autoencoder_factor(checkpoint_vae_config(s->checkpoint));

    hires_size(o, MAX(factor, 8), &h.width, &h.height);
    // the second drawing would say no after the first
    bool done = generate_check(o, MAX(factor, 8), error) && draw_small(&h, error);
    // the same networks for all of them
    const bool keeps = session_keep_begin(s, o->count > 1);
    for (; h.index < o->count && done; h.index++) {
        done = h.small[h.index] == NULL || draw_large(&h, error);
        g_clear_pointer(&h.small[h.index], picture_free);
    }
    session_keep_end(s, keeps);
    for (int i = 0; i < o->count; i++) {
        picture_free(h.small[i]);
    }
    g_free(h.small);
    return done;
}
