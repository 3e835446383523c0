/* test_weight.h: weights of fixed irregular values in every form, for tests of derivatives. */
#pragma once

#include "tests/finite_difference.h"

/* A frozen weight; there is room behind W for the rebuilt form. */
struct weight test_weight_new(const struct fixture *f, enum weight_kind kind, int in, int out,
                              int kernel);
/* Makes it spectral, with one value that the relu closes, far from the kink. */
void test_weight_spectral(const struct fixture *f, struct weight *w);
/* Makes it low-rank, of rank 2. */
void test_weight_low_rank(const struct fixture *f, struct weight *w);
/* Lets rows of an embedding learn; their values are not zero. */
void test_weight_rows(const struct fixture *f, struct weight *w, const int32_t *ids, int n);
void test_weight_release(const struct fixture *f, struct weight *w);
