/* slerp.h: between two directions along the sphere. */
#pragma once

#include <stdint.h>

/* out[count] = sin((1 - alpha) phi) / sin(phi) a + sin(alpha phi) / sin(phi) b, phi the angle
 * between a and b as vectors of count values; 0 gives a and 1 gives b. Where the angle is 0 or pi,
 * so that no way along the sphere is the shortest: the straight line. out may be a or b. */
void slerp(double alpha, const float *a, const float *b, float *out, int64_t count);
