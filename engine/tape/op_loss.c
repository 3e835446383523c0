/* The mean squared error and its gradient; the end of the forward and the start of the way back.
 *
 *   loss[n] = mean over h, w, c of (x - target)^2
 *   dx     += 2 weight[n] (x - target) / (h w c)
 *
 * With a map each place is a row of its own, weighted by weight[n] map[n, h, w] / (h w). */
#include "engine/tape/ops.h"

#include "engine/tape/transfer.h"

real *mse_loss(struct tape *t, struct tensor *x, const float *target, const float *weight,
               const float *map)
{
    const kernels *k = tape_kernels(t);
    real *wanted = tape_scratch(t, tensor_count(x));
    const int places = map != NULL ? (int)tensor_tokens(x) : 1, rows = x->n * places;
    real *loss = tape_scratch(t, rows), *factor = tape_scratch(t, rows);
    g_autofree float *host = g_new(float, rows);

    for (int i = 0; i < rows; i++) {
        host[i] = map != NULL ? weight[i / places] * map[i] / (float)places : weight[i];
    }
    transfer_upload(k, wanted, target, tensor_count(x));
    transfer_upload(k, factor, host, rows);
    k->mse(k, rows, tensor_count(x) / rows, x->data, wanted, factor, loss, tape_gradient(t, x));
    return loss;
}

static void mean_of_places(const float *loss, const float *map, int places, float *plain,
                           float *weighted)
{
    double sum = 0, with_map = 0;

    for (int i = 0; i < places; i++) {
        sum += loss[i];
        with_map += (double)map[i] * loss[i];
    }
    *plain = (float)(sum / places);
    *weighted = (float)(with_map / places);
}

void mse_read(const struct tape *t, const struct tensor *x, const real *loss, const float *map,
              float *losses, float *weighted)
{
    const int places = map != NULL ? (int)tensor_tokens(x) : 1;
    g_autofree float *host = g_new(float, x->n *places);

    transfer_download(tape_kernels(t), host, loss, x->n * places);
    for (int n = 0; n < x->n; n++) {
        losses[n] = weighted[n] = host[n];
        if (map != NULL) {
            mean_of_places(host + n * places, map + n * places, places, &losses[n], &weighted[n]);
        }
    }
}
