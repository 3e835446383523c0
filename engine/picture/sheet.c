/* Pictures of one size as one; see sheet.h. */
#include "engine/picture/sheet.h"

#include "engine/base/error.h"
#include "engine/picture/label.h"

#include <string.h>

#define LARGER 256 // pixels of a column, for each of which the text is one larger

// what lies around pictures of this width: all of it grows with them
struct margins {
    int text;  // scale of the labels
    int gap;   // between pictures
    int label; // above the first row
};

static struct margins margins_of(int width)
{
    const int text = MAX(1, width / LARGER);

    return (struct margins){.text = text, .gap = 2 * text, .label = (LABEL_HEIGHT + 2) * text};
}

bool sheet_size(int width, int height, int columns, int rows, int *whole_width, int *whole_height,
                GError **error)
{
    const struct margins m = margins_of(width);
    // of all that is asked for a side is some thousand pixels, and there are some thousand of them
    const int64_t w = (int64_t)columns * (width + m.gap) - m.gap;
    const int64_t h = m.label + (int64_t)rows * (height + m.gap) - m.gap;

    if (w > PICTURE_SIDE_MAX || h > PICTURE_SIDE_MAX) {
        return error_usage(
            error,
            "%d times %d pictures of %dx%d are too many for one picture; take fewer, "
            "or smaller ones.",
            columns, rows, width, height);
    }
    *whole_width = (int)w;
    *whole_height = (int)h;
    return true;
}

static void put_picture(picture *sheet, const picture *p, int left, int top)
{
    const size_t row = (size_t)p->width * p->channels;

    for (int y = 0; y < p->height; y++) {
        float *to = sheet->pixels + ((size_t)(top + y) * sheet->width + left) * p->channels;
        memcpy(to, p->pixels + y * row, row * sizeof *to);
    }
}

picture *sheet_create(const picture *const *pictures, int columns, int rows,
                      const char *const *labels, GError **error)
{
    const picture *first = pictures[0];
    const struct margins m = margins_of(first->width);
    int width = 0, height = 0;
    g_autoptr(picture) sheet =
        sheet_size(first->width, first->height, columns, rows, &width, &height, error)
            ? picture_create(width, height, first->channels, error)
            : NULL;

    if (sheet == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < (size_t)width * height * sheet->channels; i++) {
        sheet->pixels[i] = 1;
    }
    for (int x = 0; x < columns; x++) {
        const int left = x * (first->width + m.gap);
        label_put(sheet, labels[x], left, left + first->width, m.text, m.text);
        for (int y = 0; y < rows; y++) {
            put_picture(sheet, pictures[y * columns + x], left,
                        m.label + y * (first->height + m.gap));
        }
    }
    return g_steal_pointer(&sheet);
}
