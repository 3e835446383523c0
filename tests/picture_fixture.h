/* picture_fixture.h: pictures of the fixtures, and how far two pictures are from each other. */
#pragma once

#include "engine/picture/picture.h"

#include <glib.h>
#include <math.h>

// a file of this folder of the fixtures; g_free it
static inline char *picture_fixture_path(const char *folder, const char *name)
{
    return g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", folder, name, NULL);
}

// the picture that it is, owned by the caller
static inline picture *picture_fixture_read(const char *folder, const char *name)
{
    g_autofree char *path = picture_fixture_path(folder, name);
    g_autoptr(GError) error = NULL;
    picture *p = picture_read(path, 1, &error);

    g_assert_no_error(error);
    g_assert_nonnull(p);
    return p;
}

// of two values in the same place; the pictures must be alike in all else
static inline float picture_largest_difference(const picture *a, const picture *b)
{
    float largest = 0;

    g_assert_cmpint(a->width, ==, b->width);
    g_assert_cmpint(a->height, ==, b->height);
    g_assert_cmpint(a->channels, ==, b->channels);
    for (int i = 0; i < a->width * a->height * a->channels; i++) {
        largest = MAX(largest, fabsf(a->pixels[i] - b->pixels[i]));
    }
    return largest;
}
