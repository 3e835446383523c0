/* One step of learning; see learn_step.h. */
#include "engine/learn/run/learn_step.h"

#include "engine/tape/transfer.h"

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
    b->rows = ROOM(b, struct latents_row, n);
    b->timesteps = ROOM(b, double, n);
    b->weights = ROOM(b, float, n);
    b->shown = ROOM(b, int, n);
    b->ids = ROOM(b, int32_t, (size_t)n * tokens);
    b->composed = ROOM(b, const struct learn_composed *, n);
    b->losses = ROOM(b, float, n);
    b->weighted = ROOM(b, float, n);
    b->prediction = ROOM(b, float, count);
    b->target = ROOM(b, float, count);
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

struct tensor *learn_step_draw(struct tape *t, const struct learn_batch *b, int first, real *target)
{
    const kernels *k = tape_kernels(t);
    const int n = b->n - first;
    const size_t bytes = (size_t)n * sizeof *b->rows;
    struct tensor *x = tape_tensor(t, n, b->h, b->w, b->c);
    struct latents_row *rows = (void *)tape_scratch(t, (int64_t)(bytes / sizeof(real)));

    k->upload(k, rows, b->rows + first, bytes);
    k->latents_draw(k, (struct latents_shape){.n = n, .t = tensor_tokens(x), .c = b->c}, rows,
                    b->moments, x->data, target);
    return x;
}

// the batch as the network sees it; the targets of all rows, some of which may have been there
static struct tensor *draw(struct tape *t, struct learn_batch *b)
{
    const kernels *k = tape_kernels(t);
    const int64_t size = (int64_t)b->h * b->w * b->c;

    b->wanted = tape_scratch(t, b->n * size);
    struct tensor *x = learn_step_draw(t, b, 0, b->wanted);
    if (b->taught != NULL) {
        k->copy(k, b->wanted + b->instance * size, b->taught,
                (size_t)((b->n - b->instance) * size) * sizeof(real));
    }
    return x;
}

void learn_step_run(struct tape *t, const struct unet *unet, const struct conditioner *conditioner,
                    struct learn_batch *batch, const struct attention_guide *guide)
{
    // texts go through what learns of the text encoders, or are constants of the tape
    const struct text_tensors text = conditioner != NULL
                                         ? conditioner_forward(conditioner, t, batch->ids, batch->n)
                                         : conditioning_input(t, &batch->text, 0, batch->n);
    struct tensor *x = draw(t, batch);
    struct tensor *y = unet_forward_guided(t, unet, x, batch->timesteps, text, guide);

    g_autofree float *weights = g_new(float, batch->n);
    for (int i = 0; i < batch->n; i++) {
        weights[i] = (float)batch->scale * batch->weights[i];
    }
    // puts its gradient into that of y, from where the tape goes back
    batch->predicted = y;
    batch->loss = mse_loss(t, y, batch->wanted, weights, batch->map);
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
    transfer_download(k, batch->target, batch->wanted, tensor_count(batch->predicted));
}
