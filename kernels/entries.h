/* entries.h: the compute entries of a table, each once.
 *
 *   ENTRY(name, kind, work, (arguments), parameters)
 *
 * kind: of enum kernels_kind, without KERNELS_. work: of one call, of the parameters: floating-point
 * operations of the products, else values read and written. Included with ENTRY defined: kernels.h
 * makes the table's pointers of it, count.c a table that only adds up the work, measured.c one that
 * times another, the checker of tests/check the list of what has to be checked. */

#define LINEAR_OPERATIONS(s) (2.0 * (s).t * (s).in * (s).out)
#define CONV_OPERATIONS(s)   (2.0 * (s).n * (s).out_h * (s).out_w * (s).out * (s).kh * (s).kw * (s).c)
// both products of each head
#define ATTENTION_OPERATIONS(s) (4.0 * (s).n * (s).heads * (s).tq * (s).tk * (s).d)

/* ---- matrices ---- */
ENTRY(gemm, LINEAR, 2.0 * s.m * s.n * s.k, (s, a, b, c), struct gemm_shape s, const real *a,
      const real *b, real *c)

// y = x W^T + bias; bias [out] may be NULL
ENTRY(linear_forward, LINEAR, LINEAR_OPERATIONS(s), (s, x, w, bias, y), struct linear_shape s,
      const cell *x, struct kernels_weight w, const real *bias, cell *y)
// dx += dy W
ENTRY(linear_backward_input, LINEAR, LINEAR_OPERATIONS(s), (s, dy, w, dx), struct linear_shape s,
      const cell *dy, struct kernels_weight w, cell *dx)
// dw [out, in] += dy^T x
ENTRY(linear_backward_weight, LINEAR, LINEAR_OPERATIONS(s), (s, dy, x, dw), struct linear_shape s,
      const cell *dy, const cell *x, real *dw)

// y = x * W + bias (cross-correlation, as everywhere in this field)
ENTRY(conv_forward, CONV, CONV_OPERATIONS(s), (s, x, w, bias, y), struct conv_shape s,
      const cell *x, struct kernels_weight w, const real *bias, cell *y)
ENTRY(conv_backward_input, CONV, CONV_OPERATIONS(s), (s, dy, w, dx), struct conv_shape s,
      const cell *dy, struct kernels_weight w, cell *dx)
// dw [out, kh, kw, c] += ...
ENTRY(conv_backward_weight, CONV, CONV_OPERATIONS(s), (s, dy, x, dw), struct conv_shape s,
      const cell *dy, const cell *x, real *dw)

// count values of one type as those of another, to nearest even; x and y are not the same array
ENTRY(convert, COPY, 2.0 * count, (count, from, x, to, y), int64_t count, enum kernels_type from,
      const void *x, enum kernels_type to, void *y)

/* ---- normalisation ---- */
// y = (x - mean) * rstd * gain + bias, then SiLU where asked; mean, rstd [n, groups] are kept
ENTRY(groupnorm_forward, NORM, 2.0 * s.n * s.t * s.c, (s, x, gain, bias, y, mean, rstd),
      struct groupnorm_shape s, const cell *x, const real *gain, const real *bias, cell *y,
      real *mean, real *rstd)
// dx and dgain [c] may each be NULL
ENTRY(groupnorm_backward, NORM, 4.0 * s.n * s.t * s.c,
      (s, x, gain, bias, mean, rstd, dy, dx, dgain), struct groupnorm_shape s, const cell *x,
      const real *gain, const real *bias, const real *mean, const real *rstd, const cell *dy,
      cell *dx, real *dgain)
// mean, rstd [t]
ENTRY(layernorm_forward, NORM, 2.0 * s.t * s.c, (s, x, gain, bias, y, mean, rstd),
      struct layernorm_shape s, const cell *x, const real *gain, const real *bias, cell *y,
      real *mean, real *rstd)
ENTRY(layernorm_backward, NORM, 4.0 * s.t * s.c, (s, x, gain, mean, rstd, dy, dx, dgain),
      struct layernorm_shape s, const cell *x, const real *gain, const real *mean, const real *rstd,
      const cell *dy, cell *dx, real *dgain)

/* ---- attention ---- */
/* y = softmax(scale q k^T) v per head; lse [n, heads, tq] = log of the sum of exponentials of
 * the scaled products, kept instead of the probabilities (may be NULL) */
ENTRY(attention_forward, ATTENTION, ATTENTION_OPERATIONS(s), (s, q, key, v, y, lse),
      struct attention_shape s, const cell *q, const cell *key, const cell *v, cell *y, real *lse)
// probabilities are recomputed from lse: five products; dq, dkey, dv are added to
ENTRY(attention_backward, ATTENTION, 2.5 * ATTENTION_OPERATIONS(s),
      (s, q, key, v, y, lse, dy, dq, dkey, dv), struct attention_shape s, const cell *q,
      const cell *key, const cell *v, const cell *y, const real *lse, const cell *dy, cell *dq,
      cell *dkey, cell *dv)

/* ---- element-wise ---- */
ENTRY(activation_forward, REST, 2.0 * count, (a, count, x, y), enum activation a, int64_t count,
      const cell *x, cell *y)
ENTRY(activation_backward, REST, 4.0 * count, (a, count, x, dy, dx), enum activation a,
      int64_t count, const cell *x, const cell *dy, cell *dx)
// x [t, 2 c] = [value | gate]: y [t, c] = value * gelu(gate), exact GELU (erf)
ENTRY(geglu_forward, REST, 3.0 * t * c, (t, c, x, y), int64_t t, int c, const cell *x, cell *y)
ENTRY(geglu_backward, REST, 7.0 * t * c, (t, c, x, dy, dx), int64_t t, int c, const cell *x,
      const cell *dy, cell *dx)
// y = a + b; y may be a or b
ENTRY(add, REST, 3.0 * count, (count, a, b, y), int64_t count, const cell *a, const cell *b,
      cell *y)
// y += factor * x, values of the type
ENTRY(accumulate, REST, 3.0 * count, (type, count, factor, x, y), enum kernels_type type,
      int64_t count, real factor, const void *x, void *y)
// y [n, t, c] = x [n, t, c] + row [n, c]
ENTRY(add_row_forward, REST, 2.0 * n * t * c, (n, t, c, x, row, y), int n, int64_t t, int c,
      const cell *x, const cell *row, cell *y)
// drow [n, c] += sum of dy over t
ENTRY(add_row_backward, REST, 1.0 * n * t * c, (n, t, c, dy, drow), int n, int64_t t, int c,
      const cell *dy, cell *drow)
/* copies (or adds, where accumulate) t rows of c values; strides in values from row to row.
 * Concatenation and splitting of channels. */
ENTRY(copy_columns, COPY, (accumulate ? 3.0 : 2.0) * t * c,
      (t, c, x, x_stride, y, y_stride, accumulate), int64_t t, int c, const cell *x,
      int64_t x_stride, cell *y, int64_t y_stride, bool accumulate)
ENTRY(upsample_forward, COPY, s.n *s.c *(1.0 * s.h * s.w + 1.0 * s.out_h * s.out_w), (s, x, y),
      struct upsample_shape s, const cell *x, cell *y)
ENTRY(upsample_backward, COPY, s.n *s.c *(2.0 * s.h * s.w + 1.0 * s.out_h * s.out_w), (s, dy, dx),
      struct upsample_shape s, const cell *dy, cell *dx)

/* ---- spectral shifts ---- */
// gain = relu(sigma + scale * shift), SVDiff eq. 2
ENTRY(shift_gain, REST, 3.0 * count, (count, sigma, shift, scale, gain), int count,
      const real *sigma, const real *shift, real scale, real *gain)
// y [t, r] = x [t, r] * gain [r], x and y of the type; y may be x
ENTRY(scale_columns, REST, 2.0 * t * r, (type, t, r, x, gain, y), enum kernels_type type, int64_t t,
      int r, const void *x, const real *gain, void *y)
// dshift [r] += scale * sum over t of p * q, where gain > 0; p and q of the type
ENTRY(column_dot, REST, 2.0 * t * r, (type, t, r, p, q, gain, scale, dshift),
      enum kernels_type type, int64_t t, int r, const void *p, const void *q, const real *gain,
      real scale, real *dshift)

/* The way back between the two factors, cells read once: dshift [r] += the sum over t of p * q where
 * gain > 0; then p = p * gain. */
ENTRY(shift_backward, REST, 3.0 * t * r, (t, r, q, gain, p, dshift), int64_t t, int r,
      const cell *q, const real *gain, cell *p, real *dshift)

/* ---- embedding ---- */
// y [t, c] = table [ids[t], c]
ENTRY(embedding_forward, COPY, 2.0 * t * c, (t, c, ids, table, y), int64_t t, int c,
      const int32_t *ids, const real *table, cell *y)
// dtable [ids[t], c] += dy [t, c], in the order of t
ENTRY(embedding_backward, COPY, 3.0 * t * c, (t, c, ids, dy, dtable), int64_t t, int c,
      const int32_t *ids, const cell *dy, real *dtable)

/* y [t, c] += factor * rows [j, c] where ids [t] is chosen [j]; chosen [n] has no number twice.
 */
ENTRY(chosen_rows_forward, REST, 2.0 * s.t * s.c, (s, ids, chosen, rows, y), struct chosen_shape s,
      const int32_t *ids, const int32_t *chosen, const real *rows, cell *y)
// drows [j, c] += factor * the sum of dy [t, c] where ids [t] is chosen [j], in the order of t
ENTRY(chosen_rows_backward, REST, 2.0 * s.t * s.c, (s, ids, chosen, dy, drows),
      struct chosen_shape s, const int32_t *ids, const int32_t *chosen, const cell *dy, real *drows)

/* ---- loss and optimiser ---- */
/* loss [n] = mean over count of (x - target)^2; weight [n] scales the gradient only:
 * dx += 2 weight (x - target) / count. dx may be NULL. */
ENTRY(mse, REST, 2.0 * n * count, (n, count, x, target, weight, loss, dx), int n, int64_t count,
      const cell *x, const real *target, const real *weight, real *loss, cell *dx)
/* How far maps of attention lie in regions that are not theirs. Subject first + i of a row has
 * channel i of each head of x [n, places, heads * d]: map [n, slots, places] receives the mean over
 * heads, loss [n, slots] the mean of the squares of map / scale, weighted by others [n, slots,
 * places]; dx += factor [n] times its derivative. Rows that show [n] one subject have no part in
 * it, nor what a row does not show: their loss is 0. dx may be NULL. Only subjects first .. first +
 * count are written. */
ENTRY(unmix, REST, 2.0 * s.n * s.places * s.heads * s.d,
      (s, shown, factor, others, x, map, loss, dx), struct unmix_shape s, const int32_t *shown,
      const double *factor, const real *others, const cell *x, double *map, double *loss, cell *dx)
// sum [1] = sum of squares, added up in double
ENTRY(sum_squares, REST, 1.0 * count, (count, x, sum), int64_t count, const real *x, double *sum)
/* All that learns at once: value i takes the step of its span; the last of the n spans ends with count. sum [1] is
 * read where a step has a limit. */
ENTRY(adamw, REST, 7.0 * count, (count, n, spans, steps, sum, gradient, value, m, v), int64_t count,
      int n, const struct adamw_span *spans, const struct adamw_step *steps, const double *sum,
      const real *gradient, real *value, real *m, real *v)

/* ---- latents ---- */
// out [count] = unit normals of the key, the same bits on all devices (philox.h); number i is the same whatever count is
ENTRY(normals, REST, 1.0 * count, (count, key, out), int64_t count, const struct normals_key *key,
      real *out)
/* noisy, target [n, t, c] of the rows [n], by formulas at struct latents_row, the same bits on all devices; target may be
 * NULL. */
ENTRY(latents_draw, REST, 6.0 * s.n * s.t * s.c, (s, rows, moments, noisy, target),
      struct latents_shape s, const struct latents_row *rows, const real *moments, cell *noisy,
      real *target)
// y [n, t, c + more_c] = [input_scale * latents | more], n times; more NULL: zeros
ENTRY(latents_input, COPY, 2.0 * s.n * s.t * (s.c + s.more_c), (s, factors, latents, more, y),
      struct latents_shape s, const struct sampler_factors *factors, const real *latents,
      const real *more, cell *y)
/* both [n, t, c] += weight [t] * prediction [n, t, c]; weight NULL: 1. Then guided [t, c] = both [0] of n = 1,
 * both [0] + guidance * (both [1] - both [0]) of n = 2; guided NULL: more predictions are to come. */
ENTRY(latents_guide, REST, 4.0 * s.n * s.t * s.c, (s, guidance, weight, prediction, both, guided),
      struct latents_shape s, real guidance, const real *weight, const cell *prediction, real *both,
      real *guided)
/* guided [count] nearer to the deviation of conditional [count], both as samples of count - 1 degrees:
 * guided * (share deviation(conditional) / deviation(guided) + 1 - share); one of none stays */
ENTRY(latents_rescale, REST, 5.0 * count, (count, share, conditional, guided), int64_t count,
      double share, const real *conditional, real *guided)
/* The step from `from` to latents [count], which may be the same array, with kept [n_kept, count]; noise [count] may be
 * NULL where its factor is 0. original [count] receives what latents and prediction point to, unless it is NULL. */
ENTRY(latents_step, REST, (4.0 + 2 * n_kept) * count,
      (count, n_kept, factors, prediction, noise, from, latents, kept, original), int64_t count,
      int n_kept, const struct sampler_factors *factors, const real *prediction, const real *noise,
      const real *from, real *latents, real *kept, real *original)
// latents [t, c] where mask [t] is not free yet, of init and noise [t, c]
ENTRY(latents_hold, REST, 3.0 * t * c, (t, c, factors, mask, init, noise, latents), int64_t t,
      int c, const struct sampler_factors *factors, const real *mask, const real *init,
      const real *noise, real *latents)

#undef LINEAR_OPERATIONS
#undef CONV_OPERATIONS
#undef ATTENTION_OPERATIONS
