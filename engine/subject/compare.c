/* How alike subjects are; see compare.h. */
#include "engine/subject/compare.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define SQUARE 48 // pixels a side

// the cosine of two lists of numbers; false when one of them has no direction
static bool cosine_of(const float *a, const float *b, int n, double *cosine)
{
    double product = 0, square_a = 0, square_b = 0;

    for (int i = 0; i < n; i++) {
        product += (double)a[i] * b[i];
        square_a += (double)a[i] * a[i];
        square_b += (double)b[i] * b[i];
    }
    // one value has only a sign
    if (n < 2 || square_a == 0 || square_b == 0) {
        return false;
    }
    *cosine = product / sqrt(square_a) / sqrt(square_b);
    return true;
}

// the mean over layers; returns how many there are
static int compare_two(const struct subject *a, const struct subject *b, double *mean)
{
    g_autofree const char **names = subject_names(a);
    double sum = 0, cosine;
    int layers = 0;

    for (const char **name = names; *name != NULL; name++) {
        int n_a = 0, n_b = 0;
        const float *x = subject_shift(a, *name, &n_a), *y = subject_shift(b, *name, &n_b);
        // subjects of other subsets have fewer layers in common
        if (y != NULL && n_a == n_b && cosine_of(x, y, n_a, &cosine)) {
            sum += cosine;
            layers++;
        }
    }
    *mean = layers > 0 ? sum / layers : 0;
    return layers;
}

bool compare_subjects(const struct subject *const *subjects, const char *const *names, int n,
                      double *cosine, int *layers, GError **error)
{
    for (int i = 0; i < n; i++) {
        // the matrix is symmetric, and the diagonal shows rounding
        for (int j = 0; j <= i; j++) {
            double *mean = &cosine[i * n + j];
            const int count = compare_two(subjects[i], subjects[j], mean);
            if (count == 0) {
                return error_failed(
                    error, "%s and %s shift no layer in common; compare subjects of one model.",
                    names[i], names[j]);
            }
            cosine[j * n + i] = *mean;
            if (layers != NULL) {
                layers[i * n + j] = layers[j * n + i] = count;
            }
        }
    }
    return true;
}

// a text on the right of `width` columns
static void append_right(GString *s, const char *text, glong width)
{
    // characters, not bytes; names may be in any script
    for (glong i = g_utf8_strlen(text, -1); i < width; i++) {
        g_string_append_c(s, ' ');
    }
    g_string_append(s, text);
}

char *compare_text(const double *cosine, const char *const *names, int n)
{
    GString *s = g_string_new(NULL);
    glong width = 0;

    for (int i = 0; i < n; i++) {
        width = MAX(width, g_utf8_strlen(names[i], -1));
    }
    // the corner above the names
    append_right(s, "", width);
    for (int j = 0; j < n; j++) {
        g_string_append(s, "  ");
        append_right(s, names[j], 6);
    }
    for (int i = 0; i < n; i++) {
        g_string_append_c(s, '\n');
        append_right(s, names[i], width);
        for (int j = 0; j < n; j++) {
            char number[G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_formatd(number, sizeof number, "%.3f", cosine[i * n + j]);
            g_string_append(s, "  ");
            append_right(s, number, MAX(6, g_utf8_strlen(names[j], -1)));
        }
    }
    return g_string_free(s, FALSE);
}

// white, and towards red or blue by how far the cosine is from 0
static void colour(double cosine, float rgb[3])
{
    static const float positive[3] = {0.70f, 0.09f, 0.17f}, negative[3] = {0.13f, 0.40f, 0.67f};
    // a cosine of 1 is the full colour
    const float *end = cosine < 0 ? negative : positive;
    const float share = (float)MIN(fabs(cosine), 1.0);

    for (int i = 0; i < 3; i++) {
        rgb[i] = 1 + share * (end[i] - 1);
    }
}

picture *compare_picture(const double *cosine, int n, GError **error)
{
    // smaller squares where there are many subjects
    const int side = MIN(SQUARE, PICTURE_SIDE_MAX / MAX(n, 1));

    if (side < 1) {
        error_failed(error, "%d subjects are too many for a picture; compare fewer.", n);
        return NULL;
    }
    picture *p = picture_create(n * side, n * side, 3, error);
    for (int y = 0; p != NULL && y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            colour(cosine[y / side * n + x / side], p->pixels + ((size_t)y * p->width + x) * 3);
        }
    }
    return p;
}
