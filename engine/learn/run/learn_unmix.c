/* Filling the plan of the unmix loss from a batch; see learn_unmix.h. */
#include "engine/learn/run/learn_unmix.h"

#include "engine/picture/picture_scale.h"

#include <string.h>

struct learn_unmix *learn_unmix_create(const struct learn_batch *b, const struct unet *u,
                                       const struct learn_unmix_options *o)
{
    int h, w, layers;
    const int level = unet_attention_level(u, b->h, b->w, o->grid, o->sides, &h, &w, &layers);

    if (level < 0) {
        return NULL;
    }
    struct learn_unmix *x = g_new0(struct learn_unmix, 1);
    x->grid_h = h;
    x->grid_w = w;
    x->others = g_new0(float, (size_t)b->n * b->slots * h * w);
    x->words = g_new0(float, (size_t)b->n * b->slots * b->tokens);
    x->losses = g_new0(double, layers);
    x->plan = (struct unmix){.level = level,
                             .sides = o->sides,
                             .layers = layers,
                             .maps = o->maps,
                             .n = b->n,
                             .slots = b->slots,
                             .rows = b->instance,
                             .places = h * w,
                             .tokens = b->tokens,
                             .shown = b->shown,
                             .others = x->others,
                             .words = x->words,
                             .weight = o->weight,
                             .losses = x->losses};
    x->guide.unmix = &x->plan;
    return x;
}

void learn_unmix_free(struct learn_unmix *x)
{
    if (x == NULL) {
        return;
    }
    g_free(x->others);
    g_free(x->words);
    g_free(x->losses);
    g_free(x);
}

// shares [tokens] of a subject's own tokens in their mean
static void fill_words(const float *own, int tokens, float *words)
{
    float sum = 0;

    for (int i = 0; i < tokens; i++) {
        sum += own[i];
    }
    for (int i = 0; i < tokens; i++) {
        words[i] = sum > 0 ? own[i] / sum : 0;
    }
}

// the regions of a row on the attention's grid, then of each subject the largest of the others
static bool fill_others(struct learn_unmix *x, const struct learn_batch *b, int row, GError **error)
{
    const int places = x->plan.places, shown = b->shown[row];
    g_autofree float *grids = g_new(float, (size_t)shown *places);

    for (int i = 0; i < shown; i++) {
        const picture region = {.width = b->w,
                                .height = b->h,
                                .channels = 1,
                                .pixels = b->regions + ((size_t)row * b->slots + i) * b->h * b->w};
        g_autoptr(picture) grid = picture_area_mean(&region, x->grid_w, x->grid_h, error);
        if (grid == NULL) {
            return false;
        }
        memcpy(grids + i * places, grid->pixels, places * sizeof *grids);
    }
    for (int i = 0; i < shown; i++) {
        float *others = x->others + ((size_t)row * b->slots + i) * places;
        for (int p = 0; p < places; p++) {
            others[p] = 0;
            for (int j = 0; j < shown; j++) {
                others[p] = j != i ? MAX(others[p], grids[j * places + p]) : others[p];
            }
        }
    }
    return true;
}

bool learn_unmix_fill(struct learn_unmix *x, const struct learn_batch *b, GError **error)
{
    memset(x->losses, 0, x->plan.layers * sizeof *x->losses);
    for (int row = 0; row < b->n; row++) {
        if (b->shown[row] < 2) {
            continue;
        }
        if (!fill_others(x, b, row, error)) {
            return false;
        }
        for (int i = 0; i < b->shown[row]; i++) {
            const size_t at = ((size_t)row * b->slots + i) * b->tokens;
            fill_words(b->own + at, b->tokens, x->words + at);
        }
    }
    return true;
}

double learn_unmix_loss(const struct learn_unmix *x)
{
    double sum = 0;

    for (int i = 0; i < x->plan.layers; i++) {
        sum += x->losses[i];
    }
    return sum / x->plan.layers;
}
