/* The mean squared error and its gradient; the end of the forward and the start of the way back.
 *
 *   loss[n] = mean over h, w, c of (x - target)^2
 *   dx     += 2 weight[n] (x - target) / (h w c)
 *
 * With a map each place is a row of its own, weighted by weight[n] map[n, h, w] / (h w). */
#include "engine/tape/ops.h"

real *mse_loss(struct tape *t, struct tensor *x, const real *target, const float *weight,
               const float *map)
{
    const kernels *k = tape_kernels(t);
    const int places = map != NULL ? (int)tensor_tokens(x) : 1, rows = x->n * places;
    real *loss = tape_scratch(t, rows);
    g_autofree float *host = g_new(float, rows);

    for (int i = 0; i < rows; i++) {
        host[i] = map != NULL ? weight[i / places] * map[i] / (float)places : weight[i];
    }
    k->mse(k, rows, tensor_count(x) / rows, x->data, target, tape_reals(t, host, rows), loss,
           tape_gradient(t, x));
    return loss;
}

void mse_means(const real *loss, int n, int places, const float *map, float *losses,
               float *weighted)
{
    for (int row = 0; row < n; row++) {
        double sum = 0, with_map = 0;
        for (int i = row * places; i < (row + 1) * places; i++) {
            sum += loss[i];
            with_map += (map != NULL ? (double)map[i] : 1) * loss[i];
        }
        losses[row] = (float)(sum / places);
        if (weighted != NULL) {
            weighted[row] = (float)(with_map / places);
        }
    }
}
