/* One step of learning; see learn_step.h. */
#include "engine/learn/run/learn_step.h"

#include <string.h>

struct learn_batch *learn_batch_create(int n, int instance, int h, int w, int c, int tokens,
                                       int width)
{
    struct learn_batch *b = g_new0(struct learn_batch, 1);
    const size_t count = (size_t)n * h * w * c;

    *b = (struct learn_batch){
        .n = n, .instance = instance, .h = h, .w = w, .c = c, .tokens = tokens};
    b->noisy = g_new0(float, count);
    b->target = g_new0(float, count);
    b->prediction = g_new0(float, count);
    b->timesteps = g_new0(double, n);
    b->weights = g_new0(float, n);
    b->slots = 1;
    b->shown = g_new0(int, n);
    b->losses = g_new0(float, n);
    b->weighted = g_new0(float, n);
    b->ids = g_new0(int32_t, (size_t)n * tokens);
    conditioning_init(&b->text, n, tokens, width, 0);
    return b;
}

void learn_batch_set_slots(struct learn_batch *b, int slots)
{
    b->slots = slots;
    if (slots > 1) {
        b->regions = g_new0(float, (size_t)b->n *slots * b->h * b->w);
        b->own = g_new0(float, (size_t)b->n *slots * b->tokens);
    }
}

int learn_batch_shown(const struct learn_batch *b)
{
    int most = 0;

    for (int i = 0; i < b->instance; i++) {
        most = MAX(most, b->shown[i]);
    }
    return most;
}

void learn_batch_free(struct learn_batch *b)
{
    if (b == NULL) {
        return;
    }
    g_free(b->noisy);
    g_free(b->target);
    g_free(b->prediction);
    g_free(b->timesteps);
    g_free(b->weights);
    g_free(b->shown);
    g_free(b->regions);
    g_free(b->own);
    g_free(b->losses);
    g_free(b->weighted);
    g_free(b->map);
    g_free(b->ids);
    conditioning_clear(&b->text);
    g_free(b);
}

void learn_step_run(struct tape *t, const struct unet *unet, const struct conditioner *conditioner,
                    struct learn_batch *batch, const struct attention_guide *guide)
{
    const struct text_tensors text = conditioner != NULL
                                         ? conditioner_forward(conditioner, t, batch->ids, batch->n)
                                         : conditioning_input(t, &batch->text, 0, batch->n);
    struct tensor *x = tape_input(t, batch->noisy, batch->n, batch->h, batch->w, batch->c, false);
    struct tensor *y = unet_forward_guided(t, unet, x, batch->timesteps, text, guide);

    const real *loss = mse_loss(t, y, batch->target, batch->weights, batch->map);
    tape_backward(t, y, NULL);
    mse_read(t, y, loss, batch->map, batch->losses, batch->weighted);
    if (batch->prediction != NULL) {
        tape_download(t, y, batch->prediction);
    }
}
