/* The unmix loss of one attention; see attention_guide.h.
 *
 *   forward   a = attention(q, k, v) with v[t, i] = the share of token t among subject i's own, in
 *             every head: channel i of head h is the probability of the subject's words there;
 *             A_i = mean over heads of a, L_i = sum of M_i (A_i / s_i)^2 / (sum of M_i)
 *   backward  dA_i[x] = 2 M_i A_i / s_i^2 / (sum of M_i) - 2 L_i / s_i ds_i/dA_i[x], where the last
 *             is 1 / places for a mean, 1 at the largest place for a maximum; da = dA_i / heads,
 *             times the weight over layers, rows and subjects; from there the attention's own
 *             backward
 *
 * A head has d channels, so more subjects than that take several runs. No more is kept than the
 * channels of these few tokens. */
#include "engine/tape/attention_guide.h"

#include "engine/tape/ops.h"

#include <string.h>

// subjects first .. first + count of all rows, in channels of d in each head
struct part {
    const struct unmix *u;
    int first, count, heads, d;
};

static struct tensor *words_as_values(struct tape *t, const struct part *p)
{
    const struct unmix *u = p->u;
    const int width = p->heads * p->d;
    g_autofree float *values = g_new0(float, (size_t)u->n * u->tokens * width);

    for (int n = 0; n < u->n; n++) {
        for (int i = 0; i < p->count; i++) {
            const float *words = u->words + ((size_t)n * u->slots + p->first + i) * u->tokens;
            for (int j = 0; j < u->tokens * p->heads; j++) {
                const size_t token = (size_t)n * u->tokens + j / p->heads;
                values[token * width + (j % p->heads) * p->d + i] = words[j / p->heads];
            }
        }
    }
    return tape_input(t, values, u->n, 1, u->tokens, width, false);
}

// A [places] of a channel
static void average_heads(const struct part *p, const real *channel, double *a)
{
    const int width = p->heads * p->d;

    for (int x = 0; x < p->u->places; x++) {
        a[x] = 0;
        for (int h = 0; h < p->heads; h++) {
            a[x] += (double)channel[(size_t)x * width + h * p->d] / p->heads;
        }
    }
}

// s, and its derivative by each place, [places]
static double find_scale(const struct unmix *u, const double *a, double *slopes)
{
    int largest = 0;
    double sum = 0;

    for (int x = 0; x < u->places; x++) {
        sum += a[x];
        largest = a[x] > a[largest] ? x : largest;
        slopes[x] = u->maps == UNMIX_MEAN ? 1.0 / u->places : 0;
    }
    if (u->maps == UNMIX_PLAIN) {
        return 1;
    }
    slopes[largest] = u->maps == UNMIX_MAX ? 1 : slopes[largest];
    return u->maps == UNMIX_MAX ? a[largest] : sum / u->places;
}

// L of a map a [places], which becomes its own gradient
static double differentiate(const struct unmix *u, const float *others, double *a)
{
    g_autofree double *slopes = g_new(double, u->places);
    const double scale = find_scale(u, a, slopes);
    double sum = 0, squares = 0;

    for (int x = 0; x < u->places; x++) {
        sum += others[x];
        squares += others[x] * a[x] * a[x];
    }
    const double loss = sum > 0 && scale > 0 ? squares / sum / (scale * scale) : 0;
    for (int x = 0; x < u->places; x++) {
        a[x] = loss > 0
                   ? 2 * others[x] * a[x] / sum / (scale * scale) - 2 * loss / scale * slopes[x]
                   : 0;
    }
    return loss;
}

/* The loss of subject `subject` of row n, and the gradient of its channel. channel, d_channel: the
 * row's first value of it. */
static double one_subject(const struct part *p, int layer, int n, int subject, const real *channel,
                          real *d_channel)
{
    const struct unmix *u = p->u;
    const int width = p->heads * p->d;
    const size_t row = (size_t)n * u->slots + subject;
    const double share = 1.0 / u->rows / u->shown[n];
    g_autofree double *a = g_new(double, u->places);

    average_heads(p, channel, a);
    for (int x = 0; u->seen != NULL && x < u->places; x++) {
        u->seen[((size_t)layer * u->n * u->slots + row) * u->places + x] += a[x];
    }
    const double loss = differentiate(u, u->others + row * u->places, a);
    for (int x = 0; x < u->places; x++) {
        const double slope = u->weight * share / u->layers * a[x] / p->heads;
        for (int h = 0; h < p->heads; h++) {
            d_channel[(size_t)x * width + h * p->d] = (real)slope;
        }
    }
    return share * loss;
}

static double run_part(struct tape *t, struct tensor *q, struct tensor *k, const struct part *p,
                       int layer)
{
    const kernels *table = tape_kernels(t);
    const struct unmix *u = p->u;
    struct tensor *a = attention(t, q, k, words_as_values(t, p), p->heads, false);
    const size_t bytes = (size_t)tensor_count(a) * sizeof(real);
    g_autofree real *map = g_malloc0(bytes), *d_map = g_malloc0(bytes);
    real *gradient = tape_gradient(t, a);
    double loss = 0;

    table->download(table, map, a->data, bytes);
    for (int n = 0; n < u->n; n++) {
        for (int i = 0; i < p->count && p->first + i < u->shown[n] && u->shown[n] > 1; i++) {
            const size_t at = (size_t)n * u->places * p->heads * p->d + i;
            loss += one_subject(p, layer, n, p->first + i, map + at, d_map + at);
        }
    }
    if (gradient != NULL) {
        table->upload(table, gradient, d_map, bytes);
    }
    return loss;
}

void unmix_attention(struct tape *t, struct tensor *q, struct tensor *k, int heads,
                     const struct unmix *u, int layer)
{
    const int d = q->c / heads;
    double loss = 0;

    g_assert(tensor_tokens(q) == u->places && tensor_tokens(k) == u->tokens && q->n == u->n);
    for (int first = 0; first < u->slots; first += d) {
        const struct part p = {u, first, MIN(d, u->slots - first), heads, d};
        loss += run_part(t, q, k, &p, layer);
    }
    u->losses[layer] = loss;
}
