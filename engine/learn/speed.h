/* speed.h: how long products take on this machine, from a few of a model's own shapes. */
#pragma once

#include "engine/session/session.h"

/* Seconds that so many floating-point operations of each kind (those that multiply) take on the
 * session's device, in its precision, with pictures of this size; with the norms, copies and small
 * shapes that go with them in a network. -1 where there is no memory to find out. */
double speed_seconds(const svdiff *s, const double operations[KERNELS_KINDS], int width,
                     int height);
