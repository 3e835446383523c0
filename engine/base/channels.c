/* Channels last to planes and back; see channels.h. */
#include "engine/base/channels.h"

#include <stddef.h>

void channels_to_planes(const float *values, int n, int64_t t, int c, float *planes)
{
    for (int i = 0; i < n; i++) {
        for (int64_t j = 0; j < t; j++) {
            for (int k = 0; k < c; k++) {
                planes[((size_t)i * c + k) * t + j] = values[((size_t)i * t + j) * c + k];
            }
        }
    }
}

void channels_from_planes(const float *planes, int n, int64_t t, int c, float *values)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < c; k++) {
            for (int64_t j = 0; j < t; j++) {
                values[((size_t)i * t + j) * c + k] = planes[((size_t)i * c + k) * t + j];
            }
        }
    }
}
