/* small_session.h: the small model of the fixtures, opened on the CPU in f32, on one thread: the same on every machine. */
#pragma once

#include "engine/svdiff.h"

static inline svdiff *small_session(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "models", "sd1", NULL);
    const struct svdiff_options options = {.model = path,
                                           .device = SVDIFF_DEVICE_CPU,
                                           .precision = SVDIFF_PRECISION_F32,
                                           .threads = 1};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    return s;
}
