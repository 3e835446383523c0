/* channels.h: the two orders of a picture's channels. The engine's is channels last, [n, t, c]; in
 * PyTorch's traces and files it is planes, [n, c, t]. t is h * w. */
#pragma once

#include <stdint.h>

void channels_to_planes(const float *values, int n, int64_t t, int c, float *planes);
void channels_from_planes(const float *planes, int n, int64_t t, int c, float *values);
