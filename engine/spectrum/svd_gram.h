/* svd_gram.h: the Gram matrix of the shorter side of W, panel by panel along the longer one. */
#pragma once

#include <stdbool.h>

// W [m, n] and its sides
struct svd_input {
    const float *w;
    int m, n, r; // r = min(m, n)
    bool wide;   // m <= n
    int longer;  // max(m, n)
};

struct svd_input svd_input(int m, int n, const float *w);

/* Turns `count` rows (columns where wide) of W from `from` on into double: [count, n], or [m,
 * count] where wide. */
void svd_panel_load(const struct svd_input *in, int from, int count, double *panel);

/* What such rows or columns add to gram [r, r], row-major, of which the upper triangle alone is
 * written; those from 0 on begin it. Products in double, with memory for a panel, or in float, with
 * memory for part [r, r]: sums within the panel are then float as well, and count should not be
 * large. */
void svd_gram_add(const struct svd_input *in, int from, int count, double *panel, double *gram);
void svd_gram_add_float(const struct svd_input *in, int from, int count, float *part, double *gram);

/* Whether the mean of gram's eigenvalues is at most `most` times the smallest, about. memory: float
 * [r, r + 1]. */
bool svd_gram_even(int r, const double *gram, double most, float *memory);
