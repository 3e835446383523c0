/* svd_probe.h: whether a decomposition is accurate, at a small part of its cost. */
#pragma once

#include <stdbool.h>

/* True when u [m, r], s [r], vt [r, n] decompose w [m, n] within half of the bounds of svd.h, as
 * far as a few random vectors can tell. Also false when there is no memory for the vectors. */
bool svd_probe(int m, int n, const float *w, const float *u, const float *s, const float *vt);
