/* One pass over all weights; see spectrum_run.h.
 *
 * Threads take the next weight in descending order of cost, so that they end together. There are as
 * many as half of the free memory holds, at least one. Beside a device they read the weights, and what it computes for
 * one of them overlaps with what the others read, write and prove. Of several devices each has threads of its own, which
 * deal the weights out among them in that order: weight k is for device k mod n. */
#include "engine/spectrum/spectrum_run.h"

#include "engine/base/error.h"
#include "engine/base/machine.h"

#include <omp.h>
#include <stdlib.h>

/* ---- sizes ---- */

// multiplications of the products and of the eigenproblem, about
static double cost_of(const struct spectrum_weight *weight)
{
    const double r = MIN(weight->m, weight->n), longer = MAX(weight->m, weight->n);

    // the two products, and what the eigenproblem takes in multiplications, roughly
    return r * r * longer * 2 + 8 * r * r * r;
}

static int compare_cost(const void *a, const void *b, void *user)
{
    const struct spectrum_weight *weights = user;
    const double x = cost_of(&weights[*(const size_t *)a]);
    const double y = cost_of(&weights[*(const size_t *)b]);

    // descending: what takes longest must not be left for the end
    return (x < y) - (x > y);
}

// the most that any weight needs of each
struct need {
    size_t w, u, s, vt; // floats
    uint64_t bytes;     // of a worker
};

static struct need largest_need(const struct spectrum_run *run)
{
    struct need need = {0};
    uint64_t work = 0;

    for (size_t i = 0; i < run->source->count; i++) {
        const struct spectrum_weight *weight = &run->source->weights[i];
        const size_t m = (size_t)weight->m, n = (size_t)weight->n, r = MIN(m, n);
        // each by itself: the tallest weight need not be the widest
        need.w = MAX(need.w, m * n);
        need.u = MAX(need.u, m * r);
        need.s = MAX(need.s, r);
        need.vt = MAX(need.vt, r * n);
        work = MAX(work, svd_work_bytes(weight->m, weight->n));
    }
    need.bytes = (need.w + need.u + need.s + need.vt) * sizeof(float) + work;
    return need;
}

// proving is the host's
static int shares_of(const struct spectrum_run *run)
{
    return run->phase == SPECTRUM_PHASE_COMPUTE ? run->devices.n : 1;
}

static const kernels *device_of(const struct spectrum_run *run, int share)
{
    return run->phase == SPECTRUM_PHASE_COMPUTE ? run->devices.k[share] : NULL;
}

static int choose_threads(const struct spectrum_run *run, const struct need *need)
{
    int wanted = 0;

    for (int i = 0; i < shares_of(run); i++) {
        wanted += svd_threads(device_of(run, i), run->options->threads);
    }
    // half is left to the model and to everybody else
    const uint64_t fit = machine_available_memory() / 2 / MAX(need->bytes, 1);

    return (int)MAX(1, MIN(MIN((uint64_t)wanted, fit), run->source->count));
}

/* ---- a worker ---- */

static bool prepare_worker(struct spectrum_worker *worker, const struct need *need)
{
    // once a thread, for its largest weight, and used again for all
    worker->w = g_try_new(float, need->w);
    worker->u = g_try_new(float, need->u);
    worker->s = g_try_new(float, need->s);
    worker->vt = g_try_new(float, need->vt);
    worker->work = svd_work_create(device_of(worker->run, worker->share));
    return worker->w != NULL && worker->u != NULL && worker->s != NULL && worker->vt != NULL;
}

static void finish_worker(struct spectrum_worker *worker)
{
    g_free(worker->w);
    g_free(worker->u);
    g_free(worker->s);
    g_free(worker->vt);
    svd_work_free(worker->work);
}

// keeps the first error; with the lock held
static void keep_error(struct spectrum_run *run, GError *error)
{
    if (run->error == NULL) {
        run->error = error;
    } else {
        g_error_free(error);
    }
}

static bool tell_locked(struct spectrum_worker *worker, double part)
{
    struct spectrum_run *run = worker->run;
    const struct spectrum_options *options = run->options;

    // what is new since this weight told last
    run->done += (part - worker->part) * worker->cost;
    worker->part = part;
    if (run->error == NULL && options->progress != NULL &&
        !options->progress(options->user, run->phase, MIN(run->done / run->total, 1))) {
        keep_error(run, g_error_new(SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                                    "The work on the model's spectra was cancelled."));
    }
    return run->error == NULL;
}

bool spectrum_run_tell(struct spectrum_worker *worker, double part)
{
    g_mutex_lock(&worker->run->lock);
    const bool go_on = tell_locked(worker, part);
    g_mutex_unlock(&worker->run->lock);
    return go_on;
}

// the next weight to be worked on; false: there is none, or an error
static bool take_weight(struct spectrum_worker *worker, size_t shares, size_t *index)
{
    struct spectrum_run *run = worker->run;
    size_t *next = &run->next[worker->share];

    g_mutex_lock(&run->lock);
    const bool taken = run->error == NULL && *next < run->source->count;
    if (taken) {
        *index = run->order[*next];
        *next += shares;
        worker->cost = cost_of(&run->source->weights[*index]);
        worker->part = 0;
    }
    g_mutex_unlock(&run->lock);
    return taken;
}

static void visit_weight(struct spectrum_worker *worker, size_t index)
{
    struct spectrum_run *run = worker->run;
    GError *error = NULL;
    const bool done = run->source->read(run->source->user, index, worker->w, &error) &&
                      spectrum_run_tell(worker, 0) && run->visit(worker, index, &error);

    g_mutex_lock(&run->lock);
    if (done) {
        tell_locked(worker, 1);
    } else if (error != NULL) { // none: spectrum_run_tell has kept one
        keep_error(run, error);
    }
    g_mutex_unlock(&run->lock);
}

// one of so many threads, of which each device has some: with fewer than devices the last of these have no share
static void work(struct spectrum_run *run, const struct need *need, int number, int threads)
{
    const int shares = MIN(shares_of(run), threads);
    struct spectrum_worker worker = {.run = run, .share = number % shares};
    size_t index;

    if (prepare_worker(&worker, need)) {
        while (take_weight(&worker, (size_t)shares, &index)) {
            visit_weight(&worker, index);
        }
    } else {
        g_mutex_lock(&run->lock);
        keep_error(run, g_error_new(SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                                    "There is no memory for the spectra; close other programs."));
        g_mutex_unlock(&run->lock);
    }
    finish_worker(&worker);
}

bool spectrum_decompose(const struct spectrum_weight *weight, const float *w, float *u, float *s,
                        float *vt, struct svd_work *work, GError **error)
{
    if (svd_thin(weight->m, weight->n, w, u, s, vt, work, error)) {
        return true;
    }
    g_prefix_error(error, "%s: ", weight->name);
    return false;
}

/* ---- the pass ---- */

static void put_in_order(struct spectrum_run *run)
{
    const size_t count = run->source->count;

    run->order = g_new(size_t, count);
    run->next = g_new(size_t, (size_t)shares_of(run));
    for (int i = 0; i < shares_of(run); i++) {
        run->next[i] = (size_t)i;
    }
    run->total = 0;
    for (size_t i = 0; i < count; i++) {
        run->order[i] = i;
        run->total += cost_of(&run->source->weights[i]);
    }
    if (!run->in_order) {
        g_qsort_with_data(run->order, (int)count, sizeof(*run->order), compare_cost,
                          (void *)run->source->weights);
    }
}

bool spectrum_run_all(struct spectrum_run *run, GError **error)
{
    const struct need need = largest_need(run);

    if (run->source->count == 0) {
        return true;
    }
    if (!machine_check_memory(need.bytes, error)) {
        return false;
    }
    const int threads = choose_threads(run, &need);
    put_in_order(run);
    g_mutex_init(&run->lock);
#pragma omp parallel num_threads(threads)
    work(run, &need, omp_get_thread_num(), omp_get_num_threads());
    g_mutex_clear(&run->lock);
    g_clear_pointer(&run->order, g_free);
    g_clear_pointer(&run->next, g_free);
    if (run->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&run->error));
        return false;
    }
    return true;
}
