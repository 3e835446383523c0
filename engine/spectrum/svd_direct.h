/* svd_direct.h: the decomposition of W itself in double, slow and for every W. One thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* w [m, n] into u [m, r], s [r] descending, vt [r, n], r = min(m, n), of any signs. False with half a sentence
 * where there is no memory, where it does not converge, or where a value is beyond a float. */
bool svd_direct(int m, int n, const float *w, float *u, float *s, float *vt, GError **error);
