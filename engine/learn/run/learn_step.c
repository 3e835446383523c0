/* One step of learning; see learn_step.h. */
#include "engine/learn/run/learn_step.h"

#include "engine/tape/transfer.h"

#include <string.h>

// zeros for `count` values, as long as the batch
#define ROOM(b, type, count) ((type *)room(b, (size_t)(count) * sizeof(type)))
static void *room(struct learn_batch *b, size_t bytes)
{
    void *zeros = g_malloc0(bytes);

    g_ptr_array_add(b->memory, zeros);
    return zeros;
}

struct learn_batch *learn_batch_create(int n, int instance, int h, int w, int c, int tokens,
                                       int width)
{
    struct learn_batch *b = g_new0(struct learn_batch, 1);
    const size_t count = (size_t)n * h * w * c;

    *b = (struct learn_batch){.scale = 1,
                              .n = n,
                              .instance = instance,
                              .h = h,
                              .w = w,
                              .c = c,
                              .tokens = tokens,
                              .slots = 1};
    b->memory = g_ptr_array_new_with_free_func(g_free);
    b->noisy = ROOM(b, float, count);
    b->target = ROOM(b, float, count);
    b->timesteps = ROOM(b, double, n);
    b->weights = ROOM(b, float, n);
    b->shown = ROOM(b, int, n);
    b->ids = ROOM(b, int32_t, (size_t)n * tokens);
    b->noise = ROOM(b, float, count);
    b->latents = ROOM(b, float, count);
    b->offset = ROOM(b, float, (size_t)n *c);
    b->composed = ROOM(b, const struct learn_composed *, n);
    b->losses = ROOM(b, float, n);
    b->weighted = ROOM(b, float, n);
    b->prediction = ROOM(b, float, count);
    // SD 1 and 2 have no pooled vector
    conditioning_init(&b->text, n, tokens, width, 0);
    return b;
}

void learn_batch_set_slots(struct learn_batch *b, int slots)
{
    // arrays that rows with one subject do not need
    b->slots = slots;
    if (slots > 1) {
        b->regions = ROOM(b, float, (size_t)b->n *slots * b->h * b->w);
        b->own = ROOM(b, float, (size_t)b->n *slots * b->tokens);
    }
}

void learn_batch_set_map(struct learn_batch *b)
{
    b->map = ROOM(b, float, (size_t)b->n * b->h * b->w);
}

int learn_batch_shown(const struct learn_batch *b)
{
    int most = 0;

    for (int i = 0; i < b->instance; i++) {
        most = MAX(most, b->shown[i]);
    }
    return most;
}

double learn_batch_loss(const struct learn_batch *b, int first, int n)
{
    double sum = 0;

    for (int i = first; i < first + n; i++) {
        sum += b->losses[i];
    }
    return n > 0 ? sum / n : 0;
}

void learn_batch_free(struct learn_batch *b)
{
    if (b != NULL) {
        g_ptr_array_unref(b->memory);
        conditioning_clear(&b->text);
        g_free(b);
    }
}

// the targets of all rows on the device, some of which may be there
static real *wanted(struct tape *t, const struct learn_batch *b)
{
    const kernels *k = tape_kernels(t);
    const int64_t size = (int64_t)b->h * b->w * b->c;
    real *target = tape_scratch(t, b->n * size);
    const int given = b->taught != NULL ? b->instance : b->n;

    transfer_upload(k, target, b->target, given * size);
    if (given < b->n) {
        k->copy(k, target + given * size, b->taught,
                (size_t)((b->n - given) * size) * sizeof(real));
    }
    return target;
}

void learn_step_run(struct tape *t, const struct unet *unet, const struct conditioner *conditioner,
                    struct learn_batch *batch, const struct attention_guide *guide)
{
    // texts go through what learns of the text encoders, or are constants of the tape
    const struct text_tensors text = conditioner != NULL
                                         ? conditioner_forward(conditioner, t, batch->ids, batch->n)
                                         : conditioning_input(t, &batch->text, 0, batch->n);
    struct tensor *x = tape_input(t, batch->noisy, batch->n, batch->h, batch->w, batch->c, false);
    struct tensor *y = unet_forward_guided(t, unet, x, batch->timesteps, text, guide);

    g_autofree float *weights = g_new(float, batch->n);
    for (int i = 0; i < batch->n; i++) {
        weights[i] = (float)batch->scale * batch->weights[i];
    }
    // puts its gradient into that of y, from where the tape goes back
    batch->predicted = y;
    batch->loss = mse_loss(t, y, wanted(t, batch), weights, batch->map);
    tape_backward(t, y, NULL);
}

int learn_step_losses(const struct learn_batch *batch)
{
    return batch->n * (batch->map != NULL ? batch->h * batch->w : 1);
}

void learn_step_read(const struct tape *t, struct learn_batch *batch)
{
    const kernels *k = tape_kernels(t);
    const int count = learn_step_losses(batch);
    g_autofree real *losses = g_new(real, count);

    k->download(k, losses, batch->loss, (size_t)count * sizeof *losses);
    mse_means(losses, batch->n, count / batch->n, batch->map, batch->losses, batch->weighted);
    tape_download(t, batch->predicted, batch->prediction);
    if (batch->taught != NULL) {
        const int64_t size = (int64_t)batch->h * batch->w * batch->c;
        transfer_download(k, batch->target + batch->instance * size, batch->taught,
                          (batch->n - batch->instance) * size);
    }
}
