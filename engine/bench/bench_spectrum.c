/* Timing the decompositions; see bench_spectrum.h. Each thread takes the next largest matrix that
 * is left. */
#include "engine/bench/bench_spectrum.h"

#include "engine/base/error.h"
#include "engine/spectrum/svd.h"
#include "engine/model/model_tensors.h"

#include <omp.h>

struct work {
    GArray *weights; // struct weight, largest first
    guint done;      // matrices, under the lock
    int stopped;     // atomic: by the person or a failure, the others end without work
    GError *error;
    progress_function progress;
    void *user;
};

static int by_size(const void *a, const void *b)
{
    // the largest first: begun last, it would keep one thread busy while the others wait
    const int64_t x = weight_count(a), y = weight_count(b);

    return (x < y) - (x > y);
}

/* Numbers spread evenly from -1 to 1 (splitmix64). Matrices of them have the spectra of normal ones,
 * drawing which would take a fifth of the time that is measured. */
static void draw(uint64_t seed, float *values, int64_t count)
{
    uint64_t state = seed << 40;

    for (int64_t i = 0; i < count; i++) {
        uint64_t x = state += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        values[i] = (float)((int32_t)(x >> 32)) * 0x1p-31f;
    }
}

/* One matrix [out, columns], random values of its own seed: its singular values are spread, while
 * equal ones would let the solver finish early. memory is the thread's and grows to its largest
 * matrix. */
static bool decompose(const struct weight *w, struct svd_work *memory, uint64_t seed,
                      GError **error)
{
    const int n = (int)weight_columns(w), r = weight_full_rank(w);
    // tens of megabytes each: what finds no memory is told and does not end the program
    g_autofree float *values = g_try_new(float, weight_count(w));
    g_autofree float *u = g_try_new(float, (size_t)w->out *r);
    g_autofree float *s = g_try_new(float, r);
    g_autofree float *vt = g_try_new(float, (size_t)r *n);

    if (values == NULL || u == NULL || s == NULL || vt == NULL) {
        return error_failed(error, "There is no memory for a matrix of %dx%d.", w->out, n);
    }
    draw(seed, values, weight_count(w));
    return svd_thin(w->out, n, values, u, s, vt, memory, error);
}

// one thread reports and hears about cancelling
static void tell(struct work *x)
{
    const struct progress p = {.phase = "spectrum",
                               .step = (int)x->done,
                               .steps = (int)x->weights->len,
                               .loss = -1,
                               .seconds_left = -1};

    if (x->progress != NULL && !x->progress(x->user, &p)) {
        g_atomic_int_set(&x->stopped, 1);
    }
}

static void run_all(struct work *x, const kernels *k)
{
    const int threads = svd_threads(k, k->spectra != NULL ? 0 : k->threads);

#pragma omp parallel num_threads(threads)
    {
        // one a thread: it is written all through a decomposition
        struct svd_work *memory = svd_work_create(k);
#pragma omp for schedule(dynamic, 1)
        for (guint i = 0; i < x->weights->len; i++) {
            GError *error = NULL;
            if (!g_atomic_int_get(&x->stopped) &&
                !decompose(&g_array_index(x->weights, struct weight, i), memory, i, &error)) {
#pragma omp critical
                {
                    g_atomic_int_set(&x->stopped, 1);
                    if (x->error == NULL) {
                        x->error = error;
                    }
                }
            }
#pragma omp critical
            {
                x->done++;
                tell(x);
            }
        }
        svd_work_free(memory);
    }
}

bool bench_spectrum(const kernels *k, const struct unet_config *unet, struct bench_result *result,
                    progress_function progress, void *user, GError **error)
{
    g_autoptr(GPtrArray) tensors = model_tensors_of_unet(unet);
    g_autoptr(GArray) weights = g_array_new(FALSE, FALSE, sizeof(struct weight));
    struct work x = {.weights = weights, .progress = progress, .user = user};

    if (k->spectra != NULL && !k->spectra->usable(k, error)) {
        return false;
    }
    for (guint i = 0; i < tensors->len; i++) {
        const struct model_tensor *t = tensors->pdata[i];
        const struct weight w = model_tensor_weight(t);
        // the gain of a norm is its own spectrum
        if (t->shifts && w.kind != WEIGHT_NORM) {
            g_array_append_val(weights, w);
        }
    }
    g_array_sort(weights, by_size);
    const gint64 start = g_get_monotonic_time();
    run_all(&x, k);
    // one run, whatever the repeats: it takes minutes
    result->seconds = result->median_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    if (x.error != NULL) {
        g_propagate_error(error, x.error);
        return false;
    }
    if (x.stopped) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled.");
        return false;
    }
    return true;
}
