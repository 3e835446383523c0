/* Finite differences of ops; see finite_difference.h. */
#include "tests/finite_difference.h"

#include <math.h>

#define H 1e-3

static double number(int i, double from, double to)
{
    // a fixed, irregular sequence
    const double x = sin(i * 12.9898 + 4.1414) * 43758.5453;
    return from + (to - from) * (x - floor(x));
}

static void fill(double *to, int64_t count, int salt, double from, double to_value)
{
    for (int64_t i = 0; i < count; i++) {
        to[i] = number((int)i + 1000 * salt, from, to_value);
    }
}

double *fixture_values(const kernels *k, int64_t count, int salt, double from, double to)
{
    double *v = k->alloc(k, (size_t)count * sizeof *v);

    fill(v, count, salt, from, to);
    return v;
}

// runs the op; returns the loss, and the gradients of the leaves when asked
static double run(struct fixture *f, double **gradient)
{
    g_autoptr(GError) error = NULL;
    const struct tape_options o = {
        .training = true, .outer_bytes = 1 << 22, .inner_bytes = 1 << 20};
    struct tape *t = tape_create(f->k, o, &error);
    struct tensor *x[FIXTURE_LEAVES];
    double loss = 0;

    g_assert_no_error(error);
    if (f->refresh != NULL) {
        weight_refresh(f->refresh, f->k, 1);
    }
    for (int i = 0; i < f->n_leaves; i++) {
        const size_t count = (size_t)f->n[i] * f->h[i] * f->w[i] * f->c[i];
        g_autofree float *zeros = g_new0(float, count);
        x[i] = tape_input(t, zeros, f->n[i], f->h[i], f->w[i], f->c[i], true);
        memcpy(x[i]->data, f->leaf[i], count * sizeof(double));
    }
    struct tensor *y = f->build(t, x, f->data);
    const int64_t count = tensor_count(y);
    g_autofree float *r = g_new(float, count);
    for (int64_t i = 0; i < count; i++) {
        r[i] = (float)number((int)i + 77, -1, 1);
        loss += r[i] * ((const double *)y->data)[i];
    }
    if (gradient != NULL) {
        tape_backward(t, y, r);
        for (int i = 0; i < f->n_leaves; i++) {
            const size_t bytes = (size_t)tensor_count(x[i]) * sizeof(double);
            gradient[i] = g_memdup2(x[i]->gradient, bytes);
        }
    }
    tape_free(t);
    return loss;
}

static double difference(struct fixture *f, double *at)
{
    const double old = *at;
    double value[4];
    const double moves[4] = {H, -H, 2 * H, -2 * H};

    for (int i = 0; i < 4; i++) {
        *at = old + moves[i];
        value[i] = run(f, NULL);
    }
    *at = old;
    return (8 * (value[0] - value[1]) - (value[2] - value[3])) / (12 * H);
}

static void compare(struct fixture *f, double *at, const double *gradient, int64_t count)
{
    double largest = 0, worst = 0;

    for (int64_t i = 0; i < count; i++) {
        const double wanted = difference(f, &at[i]);
        largest = MAX(largest, fabs(wanted));
        worst = MAX(worst, fabs(wanted - gradient[i]));
    }
    g_assert_cmpfloat(largest, >, 1e-3);
    g_assert_cmpfloat(worst, <, 1e-6 * largest);
}

void fixture_check_leaves(struct fixture *f)
{
    double *gradient[FIXTURE_LEAVES] = {NULL};

    run(f, gradient);
    for (int i = 0; i < f->n_leaves; i++) {
        compare(f, f->leaf[i], gradient[i], (int64_t)f->n[i] * f->h[i] * f->w[i] * f->c[i]);
        g_free(gradient[i]);
    }
}

// the gradient of a trained array, which the backward adds to
void fixture_check_trained(struct fixture *f, double *value, double *gradient, int64_t count)
{
    double *leaves[FIXTURE_LEAVES] = {NULL};

    memset(gradient, 0, (size_t)count * sizeof *gradient);
    run(f, leaves);
    g_autofree double *kept = g_memdup2(gradient, (size_t)count * sizeof *gradient);
    for (int i = 0; i < f->n_leaves; i++) {
        g_free(leaves[i]);
    }
    compare(f, value, kept, count);
}

void fixture_leaf(struct fixture *f, int n, int h, int w, int c)
{
    const int i = f->n_leaves++;

    f->n[i] = n;
    f->h[i] = h;
    f->w[i] = w;
    f->c[i] = c;
    f->leaf[i] = g_new(double, n *h *w *c);
    fill(f->leaf[i], (int64_t)n * h * w * c, 10 + i, -1.5, 1.5);
}

void fixture_set_up(struct fixture *f, const void *unused)
{
    f->k = kernels_reference(KERNELS_F32);
}

void fixture_tear_down(struct fixture *f, const void *unused)
{
    for (int i = 0; i < f->n_leaves; i++) {
        g_free(f->leaf[i]);
    }
    kernels_destroy(f->k);
}

double fixture_run(struct fixture *f)
{
    return run(f, NULL);
}
