/* adapter_delta.h: what an adapter adds to a weight or bias (the formulas stand in adapter_file.h).
 */
#pragma once

#include "engine/adapter/adapter_file.h"

/* delta [out, in, kh, kw], in PyTorch's order, of the tensor t, which c changes, whose values are
 * `plain` without any adapter. May be called from several threads. False with a sentence. */
bool adapter_delta(const struct adapter *a, const struct adapter_change *c,
                   const struct model_tensor *t, double strength, const float *plain, float *delta,
                   GError **error);
