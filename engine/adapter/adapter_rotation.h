/* adapter_rotation.h: orthogonal finetuning (OFT): blocks of a weight's rows or columns are turned.
 *
 *   Q = B - B^T
 *   LyCORIS, kohya   W'_k = T_k W_k of the rows of block k, T = (I + Q)^-1 (I - Q), times rescale;
 *                    all Q together are of norm at most `bound`, where there is one
 *   PEFT             W'_k = W_k T_k of the columns, T = (I - Q)^-1 (I + Q), or with n terms of its
 *                    series I - 2 Q + 2 Q^2 - ... -+ Q^(n - 1), whose last term counts once, but for
 *                    n = 2 (and n = 3 is n = 4, as PEFT adds them up); of its constrained kind (COFT)
 *                    each of the r blocks Q is of norm at most bound / sqrt(r)
 *
 * Norms are Frobenius'; what is larger is scaled down to them. The bound is adapter_change.scale. */
#pragma once

#include "engine/adapter/adapter_file.h"

/* delta = strength * (W' - W) of the weight w with the values `plain`. */
bool adapter_rotation(const struct adapter *a, const struct adapter_change *c,
                      const struct weight *w, double strength, const float *plain, float *delta,
                      GError **error);
