/* Any bytes as a picture file: refused with a sentence, or values of 0 to 1 in sRGB, whatever its
 * profile does, and the picture's own samples of the same size. */
#include "engine/picture/picture_origin.h"
#include "engine/picture/picture_text.h"
#include "tests/fuzz/replay.h"
#include "tests/memory_file.h"

#define SIDE_MAX 256 // pixels: larger ones are sound, and slow

static void check_values(const picture *p)
{
    for (size_t i = 0, n = (size_t)p->width * p->height * p->channels; i < n; i++) {
        g_assert_true(p->pixels[i] >= 0 && p->pixels[i] <= 1);
    }
}

static void check_own(const picture *p)
{
    const picture *own = p->origin->own;

    if (own) {
        g_assert_cmpint(own->width, ==, p->width);
        g_assert_cmpint(own->height, ==, p->height);
        g_assert_cmpint(own->channels, ==, p->channels);
        check_values(own);
    }
}

// a profile that was taken for reading is good for writing, too
static void check_way_back(picture *p)
{
    static const float white[3] = {1, 1, 1};
    g_autoptr(GError) error = NULL;

    if (p->origin->own) {
        picture_flatten(p, white);
        g_assert_true(picture_profile_from_srgb(p->origin->icc, p->origin->space, p, &error) ==
                      (error == NULL));
    }
}

static bool is_small(const uint8_t *data, size_t size)
{
    // the header of a PNG says so before libpng takes memory; others are bounded by the file's size
    return size < 24 || data[0] != 0x89 ||
           (data[16] == 0 && data[17] == 0 && data[18] <= SIDE_MAX >> 8 && data[20] == 0 &&
            data[21] == 0 && data[22] <= SIDE_MAX >> 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH];
    const int file = memory_file(data, size, path);
    g_autoptr(GError) error = NULL, problem = NULL;
    g_autofree char *text = picture_text_read(path, "parameters", &problem);

    g_assert_true((text != NULL) == (problem == NULL));
    g_assert_true(text == NULL || g_utf8_validate(text, -1, NULL));
    if (is_small(data, size)) {
        g_autoptr(picture) p = picture_read(path, 1, &error);
        g_assert_true((p != NULL) == (error == NULL));
        if (p) {
            check_values(p);
            check_own(p);
            check_way_back(p);
        }
    }
    close(file);
    return 0;
}
