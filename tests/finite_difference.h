/* finite_difference.h: holds the derivatives of ops against finite differences in double.
 *
 * The loss is sum(y * r) with a fixed random r; each input and each trained value is moved by +-h
 * and +-2h:
 *   f' = (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h
 * and compared with what the tape gives, to 1e-6 of the largest derivative. For programs that are
 * built with real = double over the reference kernels. */
#pragma once

#include "engine/tape/ops.h"

#define FIXTURE_LEAVES 3

// what is differentiated: an op over the leaves, as tensors on a tape
typedef struct tensor *(*build_function)(struct tape *t, struct tensor **x, void *data);

struct fixture {
    kernels *k;
    int n[FIXTURE_LEAVES], h[FIXTURE_LEAVES], w[FIXTURE_LEAVES], c[FIXTURE_LEAVES];
    int n_leaves;
    double *leaf[FIXTURE_LEAVES];
    build_function build;
    void *data;
    struct weight *refresh; // gains to be set before each run
};

void fixture_set_up(struct fixture *f, const void *unused);
void fixture_tear_down(struct fixture *f, const void *unused);

/* Adds an input [n, h, w, c] of fixed irregular values. */
void fixture_leaf(struct fixture *f, int n, int h, int w, int c);

/* Device memory of count such values from `from` to `to`. */
double *fixture_values(const kernels *k, int64_t count, int salt, double from, double to);

/* The loss of one run. */
double fixture_run(struct fixture *f);

/* The gradients of all inputs. */
void fixture_check_leaves(struct fixture *f);

/* The gradient of a trained array, which the backward adds to. */
void fixture_check_trained(struct fixture *f, double *value, double *gradient, int64_t count);

#define FIXTURE_TEST(path, function, data)                                                         \
    g_test_add(path, struct fixture, GINT_TO_POINTER(data), fixture_set_up, function,              \
               fixture_tear_down)
