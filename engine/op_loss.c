/* The mean squared error and its gradient; the end of the forward and the start of the way back.
 *
 *   loss[n] = mean over h, w, c of (x - target)^2
 *   dx     += 2 weight[n] (x - target) / (h w c) */
#include "engine/ops.h"

#include "engine/transfer.h"

void mse_loss(struct tape *t, struct tensor *x, const float *target, const float *weight,
              float *losses)
{
    const kernels *k = tape_kernels(t);
    struct tensor *wanted = tape_input(t, target, x->n, x->h, x->w, x->c, false);
    real *loss = tape_scratch(t, x->n);
    real *factor = tape_scratch(t, x->n);

    transfer_upload(k, factor, weight, x->n);
    k->mse(k, x->n, tensor_tokens(x) * x->c, x->data, wanted->data, factor, loss,
           tape_gradient(t, x));
    transfer_download(k, losses, loss, x->n);
}
