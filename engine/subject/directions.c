/* Directions in the space of shifts; see directions.h. */
#include "engine/subject/directions.h"

#include "engine/base/error.h"
#include "engine/base/noise.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

// below this part of the whole variance a direction is rounding
#define LEAST_SHARE 1e-10

// a shift's place in the list of all values
struct place {
    char *name;
    size_t first;
    int count;
    double length; // root mean square over the subjects of the shift's length
};

struct directions {
    GArray *places;        // struct place, by name
    char *base, *adapters; // what all subjects say of their model; NULL: none says it
    char *words[3];        // what all say of themselves: word_keys; NULL: they differ
    size_t values;
    int n;          // subjects
    float *shifts;  // [n, values], without the mean
    float *mean;    // [values]
    double *lambda; // [n], ascending
    double *rows;   // [n, n], eigenvectors in the order of lambda
};

static const char *const word_keys[] = {"prompt", "class_prompt", "placeholder"};

static void clear_place(struct place *p)
{
    g_free(p->name);
}

void directions_free(struct directions *d)
{
    if (d == NULL) {
        return;
    }
    g_array_unref(d->places);
    g_free(d->base);
    g_free(d->adapters);
    for (size_t i = 0; i < G_N_ELEMENTS(d->words); i++) {
        g_free(d->words[i]);
    }
    g_free(d->shifts);
    g_free(d->mean);
    g_free(d->lambda);
    g_free(d->rows);
    g_free(d);
}

/* ---- one list of values ---- */

/* A text that all subjects have to say in the same way; those without it say nothing against it. */
static bool agree(const struct subject *const *subjects, const char *const *names, int n,
                  const char *key, bool silent, const char *what, char **said, GError **error)
{
    int first = -1;

    for (int i = 0; i < n; i++) {
        const char *own = subject_metadata(subjects[i], key);
        if (own == NULL && silent) {
            continue;
        }
        if (first >= 0 && g_strcmp0(*said, own) != 0) {
            return error_failed(error,
                                "%s and %s were learned %s: they have no directions in common; "
                                "take subjects of one model.",
                                names[first], names[i], what);
        }
        if (first < 0) {
            first = i;
            *said = g_strdup(own);
        }
    }
    return true;
}

static void take_words(struct directions *d, const struct subject *const *subjects)
{
    for (size_t k = 0; k < G_N_ELEMENTS(word_keys); k++) {
        const char *first = subject_metadata(subjects[0], word_keys[k]);
        bool same = true;
        for (int i = 1; i < d->n; i++) {
            same = same && g_strcmp0(first, subject_metadata(subjects[i], word_keys[k])) == 0;
        }
        d->words[k] = same ? g_strdup(first) : NULL;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static bool take_names(struct directions *d, GHashTable *known, const struct subject *s,
                       const char *file, GError **error)
{
    g_autofree const char **names = subject_names(s);

    for (const char **name = names; *name != NULL; name++) {
        int count;
        subject_shift(s, *name, &count);
        if (subject_is_row(*name)) {
            continue;
        }
        // counts begin at 1, so that a name that is not there is 0
        const int before = GPOINTER_TO_INT(g_hash_table_lookup(known, *name));
        if (before != 0 && before != count) {
            return error_failed(error,
                                "%s: %s has %d values, and %d in another of the subjects; take "
                                "subjects of one model, all with norms of one kind.",
                                file, *name, count, before);
        }
        if (before == 0) {
            const struct place p = {.name = g_strdup(*name), .count = count};
            g_array_append_val(d->places, p);
            g_hash_table_insert(known, p.name, GINT_TO_POINTER(count));
        }
    }
    return true;
}

// where each shift is in the list of all values
static bool find_places(struct directions *d, const struct subject *const *subjects,
                        const char *const *names, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

    for (int i = 0; i < d->n; i++) {
        if (!take_names(d, known, subjects[i], names[i], error)) {
            return false;
        }
    }
    // random numbers are of places: the order of the subjects decides nothing
    g_array_sort(d->places, by_name);
    for (guint k = 0; k < d->places->len; k++) {
        struct place *p = &g_array_index(d->places, struct place, k);
        p->first = d->values;
        d->values += (size_t)p->count;
    }
    return d->values > 0 ||
           error_failed(error, "%s and the other subjects change no layer.", names[0]);
}

static void take_values(struct directions *d, const struct subject *const *subjects)
{
    for (guint k = 0; k < d->places->len; k++) {
        struct place *p = &g_array_index(d->places, struct place, k);
        double squares = 0;
        for (int i = 0; i < d->n; i++) {
            int count;
            const float *from = subject_shift(subjects[i], p->name, &count);
            float *to = d->shifts + (size_t)i * d->values + p->first;
            for (int j = 0; from != NULL && j < p->count; j++) {
                to[j] = from[j];
                squares += (double)from[j] * from[j];
            }
        }
        p->length = sqrt(squares / d->n);
    }
}

static void take_mean_out(struct directions *d)
{
    for (size_t j = 0; j < d->values; j++) {
        double sum = 0;
        for (int i = 0; i < d->n; i++) {
            sum += d->shifts[(size_t)i * d->values + j];
        }
        d->mean[j] = (float)(sum / d->n);
        for (int i = 0; i < d->n; i++) {
            d->shifts[(size_t)i * d->values + j] -= d->mean[j];
        }
    }
}

/* ---- principal directions ---- */

static double product(const float *a, const float *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

// rows: of G's lower triangle, then its eigenvectors
static bool solve(struct directions *d, GError **error)
{
    for (int i = 0; i < d->n; i++) {
        for (int j = 0; j <= i; j++) {
            d->rows[(size_t)i * d->n + j] =
                product(d->shifts + i * d->values, d->shifts + j * d->values, d->values);
        }
    }
    /* LAPACK sees columns where C has rows: our lower triangle is its upper one, and its columns of
     * eigenvectors are our rows */
    return LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', d->n, d->rows, d->n, d->lambda) == 0 ||
           error_failed(error, "The directions of the subjects were not found: the eigenvalues of "
                               "their products did not converge.");
}

struct directions *directions_create(const struct subject *const *subjects,
                                     const char *const *names, int n, GError **error)
{
    g_autoptr(directions) d = g_new0(struct directions, 1);

    d->n = n;
    d->places = g_array_new(FALSE, FALSE, sizeof(struct place));
    g_array_set_clear_func(d->places, (GDestroyNotify)clear_place);
    if (!agree(subjects, names, n, "base_hash", true, "with different models", &d->base, error) ||
        !agree(subjects, names, n, SUBJECT_KEY_ADAPTERS, false, "on top of different adapters",
               &d->adapters, error) ||
        !find_places(d, subjects, names, error)) {
        return NULL;
    }
    d->shifts = g_try_new0(float, (gsize)n * d->values);
    d->mean = g_new0(float, d->values);
    d->lambda = g_new0(double, n);
    d->rows = g_new0(double, (gsize)n *n);
    if (d->shifts == NULL) {
        error_failed(error, "There is no memory for the shifts of %d subjects; take fewer.", n);
        return NULL;
    }
    take_words(d, subjects);
    take_values(d, subjects);
    take_mean_out(d);
    return solve(d, error) ? g_steal_pointer(&d) : NULL;
}

static double variance(const struct directions *d)
{
    double sum = 0;

    for (int i = 0; i < d->n; i++) {
        sum += MAX(d->lambda[i], 0);
    }
    return sum;
}

double directions_share(const struct directions *d, int k)
{
    const double all = variance(d);

    return all > 0 ? d->lambda[d->n - 1 - k] / all : 0;
}

int directions_count(const struct directions *d)
{
    int k = 0;

    // one of the n is always rounding: the mean is taken out
    while (k < d->n - 1 && directions_share(d, k) > LEAST_SHARE) {
        k++;
    }
    return k;
}

/* ---- as subjects ---- */

static struct subject *as_subject(const struct directions *d, const float *values)
{
    struct subject *s = subject_create();

    for (guint k = 0; k < d->places->len; k++) {
        const struct place *p = &g_array_index(d->places, struct place, k);
        subject_set_shift(s, p->name, values + p->first, p->count);
    }
    subject_set_metadata(s, "base_hash", d->base);
    subject_set_metadata(s, SUBJECT_KEY_ADAPTERS, d->adapters);
    return s;
}

struct subject *directions_mean(const struct directions *d)
{
    struct subject *s = as_subject(d, d->mean);

    for (size_t k = 0; k < G_N_ELEMENTS(word_keys); k++) {
        subject_set_metadata(s, word_keys[k], d->words[k]);
    }
    return s;
}

// an eigenvector has no sign of its own: the largest share is positive
static double sign_of(const double *t, int n)
{
    int most = 0;

    for (int i = 1; i < n; i++) {
        most = fabs(t[i]) > fabs(t[most]) ? i : most;
    }
    return t[most] < 0 ? -1 : 1;
}

struct subject *directions_principal(const struct directions *d, int k)
{
    const double *t = d->rows + (size_t)(d->n - 1 - k) * d->n;
    const double scale = sign_of(t, d->n) / sqrt(d->n - 1);
    g_autofree float *values = g_new(float, d->values);

    for (size_t j = 0; j < d->values; j++) {
        double sum = 0;
        for (int i = 0; i < d->n; i++) {
            sum += t[i] * d->shifts[(size_t)i * d->values + j];
        }
        values[j] = (float)(scale * sum);
    }
    return as_subject(d, values);
}

struct subject *directions_random(const struct directions *d, uint64_t seed, int k)
{
    g_autofree float *values = g_new(float, d->values);

    noise_normal(seed, NOISE_DIRECTIONS, (uint64_t)k, values, (int64_t)d->values);
    for (guint i = 0; i < d->places->len; i++) {
        const struct place *p = &g_array_index(d->places, struct place, i);
        float *own = values + p->first;
        const double length = sqrt(product(own, own, (size_t)p->count));
        for (int j = 0; j < p->count; j++) {
            own[j] = (float)(own[j] * p->length / length);
        }
    }
    return as_subject(d, values);
}
