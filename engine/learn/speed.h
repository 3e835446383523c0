/* speed.h: how long products and the reading of weights take on this machine, from a few of a model's
 * own shapes. */
#pragma once

#include "engine/session/session.h"

/* Seconds that so many floating-point operations of each kind (those that multiply) take on the
 * session's device, in its precision, with pictures of this size; with the norms, copies and small
 * shapes that go with them in a network. -1 where there is no memory to find out. */
double speed_seconds(const svdiff *s, const double operations[KERNELS_KINDS], int width,
                     int height);

/* Seconds that a value of the model takes to become a weight on the device: of some that are read
 * for it. 0 where they cannot be read. */
double speed_value_seconds(svdiff *s);

/* Seconds that a byte of the device's memory takes to be there when it is used first; in a virtual
 * machine that gave its memory back this is more than everything else of a short run. 0 where there
 * is none. */
double speed_byte_seconds(const svdiff *s);
