/* Filling the plan of the unmix loss from a batch; see learn_unmix.h. */
#include "engine/learn/run/learn_unmix.h"

#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"
#include "engine/tape/transfer.h"

#include <string.h>

static bool allocate(struct learn_unmix *x, GError **error)
{
    struct unmix *u = &x->plan;
    const size_t subjects = (size_t)u->n * u->slots;
    // per row, per subject of a row, and per layer; what the kernels write is here, too
    const size_t bytes[UNMIX_ARRAYS] = {
        [UNMIX_SHOWN] = u->n * sizeof *u->shown,
        [UNMIX_OTHERS] = subjects * u->places * sizeof *u->others,
        [UNMIX_WORDS] = subjects * u->tokens * sizeof *u->words,
        [UNMIX_FACTOR] = u->n * sizeof *u->factor,
        [UNMIX_LOSSES] = u->layers * subjects * sizeof *u->losses,
        [UNMIX_MAP] = subjects * u->places * sizeof *u->map,
    };

    for (int i = 0; i < UNMIX_ARRAYS; i++) {
        // remembered for giving them back
        x->bytes[i] = bytes[i];
        x->memory[i] = x->k->alloc(x->k, bytes[i]);
        if (x->memory[i] == NULL) {
            return error_failed(
                error, "There is no memory for the unmix loss; close other programs or choose a "
                       "smaller --batch.");
        }
    }
    u->shown = x->memory[UNMIX_SHOWN];
    u->others = x->memory[UNMIX_OTHERS];
    u->words = x->memory[UNMIX_WORDS];
    u->factor = x->memory[UNMIX_FACTOR];
    u->losses = x->memory[UNMIX_LOSSES];
    u->map = x->memory[UNMIX_MAP];
    return true;
}

bool learn_unmix_create(const kernels *k, const struct learn_batch *b, const struct unet *u,
                        const struct svdiff_learn_options *o, double weight, struct learn_unmix **x,
                        GError **error)
{
    int h, w, layers;
    const int level =
        unet_attention_level(u, b->h, b->w, o->unmix_grid, o->unmix_layers, &h, &w, &layers);

    // no level of the UNet has such attentions: then there is nothing to be seen
    *x = NULL;
    if (level < 0) {
        return true;
    }
    *x = g_new0(struct learn_unmix, 1);
    **x = (struct learn_unmix){.batch = b,
                               .k = k,
                               .grid_h = h,
                               .grid_w = w,
                               .weight = weight,
                               .plan = {.level = level,
                                        .sides = o->unmix_layers,
                                        .layers = layers,
                                        .maps = o->unmix_maps,
                                        .n = b->n,
                                        .slots = b->slots,
                                        .places = h * w,
                                        .tokens = b->tokens}};
    (*x)->guide.unmix = &(*x)->plan;
    // the host's own, zero where rows show one subject
    (*x)->others = g_new0(float, (size_t)b->n * b->slots * h * w);
    (*x)->words = g_new0(float, (size_t)b->n * b->slots * b->tokens);
    if (!allocate(*x, error)) {
        g_clear_pointer(x, learn_unmix_free);
        return false;
    }
    return true;
}

void learn_unmix_free(struct learn_unmix *x)
{
    if (x == NULL) {
        return;
    }
    for (int i = 0; i < UNMIX_ARRAYS; i++) {
        if (x->memory[i] != NULL) {
            x->k->release(x->k, x->memory[i], x->bytes[i]);
        }
    }
    g_free(x->others);
    g_free(x->words);
    g_free(x);
}

// shares of a subject's own tokens [tokens] in their mean; those of a row are [tokens, slots]
/* A subject's map is the mean of those of its own tokens, so each counts as its share. */
static void fill_words(const float *own, int tokens, int slots, float *words)
{
    float sum = 0;

    for (int i = 0; i < tokens; i++) {
        sum += own[i];
    }
    for (int i = 0; i < tokens; i++) {
        words[i * slots] = sum > 0 ? own[i] / sum : 0;
    }
}

// the regions of a row on the attention's grid, then of each subject the largest of the others
static bool fill_others(struct learn_unmix *x, int row, GError **error)
{
    const struct learn_batch *b = x->batch;
    const int places = x->plan.places, shown = b->shown[row];
    g_autofree float *grids = g_new(float, (size_t)shown *places);

    for (int i = 0; i < shown; i++) {
        const picture region = {.width = b->w,
                                .height = b->h,
                                .channels = 1,
                                .pixels = b->regions + ((size_t)row * b->slots + i) * b->h * b->w};
        // attention is on a coarser grid than the latents: a place there is the mean of its area
        g_autoptr(picture) grid = picture_area_mean(&region, x->grid_w, x->grid_h, error);
        if (grid == NULL) {
            return false;
        }
        memcpy(grids + i * places, grid->pixels, places * sizeof *grids);
    }
    for (int i = 0; i < shown; i++) {
        float *others = x->others + ((size_t)row * b->slots + i) * places;
        for (int p = 0; p < places; p++) {
            // where several others overlap the strongest counts, not their sum
            others[p] = 0;
            for (int j = 0; j < shown; j++) {
                others[p] = j != i ? MAX(others[p], grids[j * places + p]) : others[p];
            }
        }
    }
    return true;
}

// a subject's share in the mean over rows and subjects
static double share_of(const struct learn_unmix *x, int row)
{
    return 1.0 / x->batch->instance / x->batch->shown[row];
}

/* The kernels differentiate weight times the mean over rows, subjects and layers, of rows that show
 * several; rows that show one have the factor 0. */
void learn_unmix_upload(const struct learn_unmix *x)
{
    const struct unmix *u = &x->plan;
    const int64_t subjects = (int64_t)u->n * u->slots;
    g_autofree double *factor = g_malloc0(x->bytes[UNMIX_FACTOR]);

    for (int row = 0; row < u->n; row++) {
        if (x->batch->shown[row] > 1) {
            factor[row] = x->batch->scale * x->weight * share_of(x, row) / u->layers;
        }
    }
    x->k->upload(x->k, x->memory[UNMIX_SHOWN], x->batch->shown, x->bytes[UNMIX_SHOWN]);
    x->k->upload(x->k, x->memory[UNMIX_FACTOR], factor, x->bytes[UNMIX_FACTOR]);
    transfer_upload(x->k, x->memory[UNMIX_OTHERS], x->others, subjects * u->places);
    transfer_upload(x->k, x->memory[UNMIX_WORDS], x->words, subjects * u->tokens);
}

void learn_unmix_follow(struct learn_unmix *x)
{
    // there is room for a batch with rows of the prior, which not every one has
    x->plan.n = x->batch->n;
}

bool learn_unmix_fill(struct learn_unmix *x, GError **error)
{
    const struct learn_batch *b = x->batch;

    learn_unmix_follow(x);
    for (int row = 0; row < b->n; row++) {
        // of one subject alone there is nothing to keep apart
        if (b->shown[row] < 2) {
            continue;
        }
        if (!fill_others(x, row, error)) {
            return false;
        }
        for (int i = 0; i < b->shown[row]; i++) {
            fill_words(b->own + ((size_t)row * b->slots + i) * b->tokens, b->tokens, b->slots,
                       x->words + (size_t)row * b->tokens * b->slots + i);
        }
    }
    return true;
}

double learn_unmix_loss(const struct learn_unmix *x)
{
    const struct unmix *u = &x->plan;
    g_autofree double *losses = g_malloc(x->bytes[UNMIX_LOSSES]);
    double mean = 0;

    // [layers, n, slots], as the kernels left them, before the weight
    x->k->download(x->k, losses, u->losses, x->bytes[UNMIX_LOSSES]);
    for (int layer = 0; layer < u->layers; layer++) {
        double sum = 0;
        for (int i = 0; i < u->n * u->slots; i++) {
            const int row = i / u->slots;
            if (i % u->slots < x->batch->shown[row] && x->batch->shown[row] > 1) {
                sum += share_of(x, row) * losses[(size_t)layer * u->n * u->slots + i];
            }
        }
        mean += sum;
    }
    return mean / u->layers;
}
