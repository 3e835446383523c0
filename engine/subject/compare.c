/* How alike subjects are; see compare.h. */
#include "engine/subject/compare.h"

#include "engine/base/cosine.h"
#include "engine/base/error.h"

#include <math.h>

// of the layers of each group
struct sums {
    double sum[LAYER_GROUPS];
    int layers[LAYER_GROUPS];
};

static void add_layer(struct sums *s, const char *name, double cosine)
{
    const enum layer_group groups[] = {LAYERS_ALL, layer_group_place(name), layer_group_kind(name)};

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        s->sum[groups[i]] += cosine;
        s->layers[groups[i]]++;
    }
}

static struct sums compare_two(const struct subject *a, const struct subject *b)
{
    g_autofree const char **names = subject_names(a);
    struct sums s = {0};

    for (const char **name = names; *name != NULL; name++) {
        int n_a = 0, n_b = 0;
        const float *x = subject_shift(a, *name, &n_a), *y = subject_shift(b, *name, &n_b);
        // subjects of other subsets have fewer layers in common; one value has only a sign
        const double cosine =
            y != NULL && n_a == n_b && n_a > 1 ? cosine_of(x, y, n_a) : (double)NAN;
        if (!isnan(cosine)) {
            add_layer(&s, *name, cosine);
        }
    }
    return s;
}

bool compare_subjects(const struct subject *const *subjects, const char *const *names, int n,
                      double *cosine, int *layers, GError **error)
{
    for (int i = 0; i < n; i++) {
        // the matrix is symmetric, and the diagonal shows rounding
        for (int j = 0; j <= i; j++) {
            const struct sums s = compare_two(subjects[i], subjects[j]);
            if (s.layers[LAYERS_ALL] == 0) {
                return error_failed(
                    error, "%s and %s shift no layer in common; compare subjects of one model.",
                    names[i], names[j]);
            }
            for (int g = 0; g < LAYER_GROUPS; g++) {
                const size_t here = ((size_t)g * n + i) * n + j,
                             there = ((size_t)g * n + j) * n + i;
                cosine[here] = cosine[there] = s.layers[g] > 0 ? s.sum[g] / s.layers[g] : NAN;
                layers[here] = layers[there] = s.layers[g];
            }
        }
    }
    return true;
}

// the mean over pairs of files of the things a and b, in one group; *pairs: how many
static double thing_mean(const double *cosine, int n, const int *things, int a, int b, int *pairs)
{
    double sum = 0;

    *pairs = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            // of one thing each pair once
            if (things[i] == a && things[j] == b && (a != b || i < j) &&
                !isnan(cosine[i * n + j])) {
                sum += cosine[i * n + j];
                ++*pairs;
            }
        }
    }
    return *pairs > 0 ? sum / *pairs : NAN;
}

void compare_things(const double *cosine, int n, const int *things, int m, double *all, int *pairs)
{
    const size_t files = (size_t)n * n, matrix = (size_t)m * m;

    for (int g = 0; g < LAYER_GROUPS; g++) {
        for (int i = 0; i < m * m; i++) {
            int count;
            all[g * matrix + i] = thing_mean(cosine + g * files, n, things, i / m, i % m, &count);
            if (g == LAYERS_ALL) {
                pairs[i] = count;
            }
        }
    }
}
