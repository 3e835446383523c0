/* The spectra of a model: found, or computed and kept; see spectrum.h. */
#include "engine/spectrum/spectrum.h"

#include "engine/base/error.h"
#include "engine/spectrum/spectrum_cache.h"
#include "engine/spectrum/spectrum_file.h"
#include "engine/spectrum/spectrum_run.h"
#include "engine/spectrum/spectrum_task.h"
#include "engine/spectrum/svd.h"

#include <glib/gstdio.h>

struct spectrum_store {
    const struct spectrum_source *source;
    struct spectrum_options options;
    char *folder;
    struct spectrum_file *file; // NULL: nothing is kept
    struct spectrum_task *task; // that makes the file; NULL: none is at work
    GPtrArray *devices;         // the options' k, borrowed, and those that were opened
    struct svd_work *work;      // for spectrum_get without a file
};

// what a person is told when something is wrong with the file, which is no reason not to work
static const char unkept[] = "The spectra are not kept but computed at each use";
static const char unusable[] = "The kept spectra cannot be used and are computed again";

static void warn(const struct spectrum_store *store, const char *what, const GError *why)
{
    g_autofree char *sentence = g_strdup_printf("%s: %s", what, why->message);

    if (store->options.warn != NULL) {
        store->options.warn(store->options.user, sentence);
    }
}

uint64_t spectrum_bytes(const struct spectrum_weight *weights, size_t count)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        const uint64_t m = (uint64_t)weights[i].m, n = (uint64_t)weights[i].n, r = MIN(m, n);
        // of u, s and vt
        bytes += (m * r + r + r * n) * sizeof(float);
    }
    return bytes;
}

// opens the file of the key, if there is one and it is good
static void find_file(struct spectrum_store *store)
{
    g_autofree char *path = spectrum_cache_path(store->folder, store->source->key);
    g_autoptr(GError) error = NULL;

    // no file is no reason for a warning
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return;
    }
    store->file = spectrum_file_open(path, store->source->key, store->source->weights,
                                     store->source->count, &error);
    if (store->file == NULL) {
        warn(store, unusable, error);
        return;
    }
    // what is used stays longest
    spectrum_cache_touch(path);
}

/* ---- computing and keeping ---- */

// whether a file is to be written; tells why not
static bool may_keep(struct spectrum_store *store)
{
    const struct spectrum_options *options = &store->options;
    const uint64_t bytes = spectrum_bytes(store->source->weights, store->source->count);
    // 0 is what nobody set
    const uint64_t limit = options->limit > 0 ? options->limit : SPECTRUM_CACHE_LIMIT;
    g_autoptr(GError) error = NULL;

    // asked for: nothing to be told
    if (options->never_keep) {
        return false;
    }
    if (!spectrum_cache_make_room(store->folder, bytes, limit, &error)) {
        warn(store, unkept, error);
        return false;
    }
    return options->announce == NULL || options->announce(options->user, bytes, store->folder);
}

// the host instead of a device that cannot
static void choose_device(struct spectrum_store *store)
{
    const kernels *k = store->options.k;
    g_autoptr(GError) missing = NULL;

    if (k != NULL && k->spectra != NULL && !k->spectra->usable(k, &missing)) {
        warn(store, "The spectra are computed on the CPU", missing);
        store->options.k = NULL;
    }
}

// those that are to share the work; one that cannot be had leaves its share to the others
static void *open_more(void *user)
{
    struct spectrum_store *store = user;
    const struct spectrum_options *o = &store->options;

    for (int i = 0; i < o->n_more; i++) {
        g_autoptr(GError) error = NULL;
        kernels *k = o->open(o->user, i, &error);
        if (k != NULL && k->spectra->usable(k, &error)) {
            g_ptr_array_add(store->devices, k);
        } else {
            warn(store, "The spectra are computed without one of the devices", error);
            kernels_destroy(k);
        }
    }
    return NULL;
}

static void open_devices(struct spectrum_store *store)
{
    const kernels *k = store->options.k;

    g_ptr_array_add(store->devices, (void *)k);
    if (k != NULL && k->spectra != NULL && store->options.n_more > 0) {
        // the thread that opens a device has it as its own from there on
        g_thread_join(g_thread_new("devices", open_more, store));
    }
}

static void close_devices(struct spectrum_store *store)
{
    for (guint i = 1; i < store->devices->len; i++) {
        kernels_destroy(store->devices->pdata[i]);
    }
    g_ptr_array_set_size(store->devices, 0);
}

// begins to compute all into a file, if there may be one
static void start_task(struct spectrum_store *store, bool background)
{
    g_autofree char *path = spectrum_cache_path(store->folder, store->source->key);
    const struct spectrum_source *source = store->source;
    g_autoptr(GError) failure = NULL;

    if (!may_keep(store)) {
        return;
    }
    struct spectrum_writer *writer =
        spectrum_writer_create(path, source->key, source->weights, source->count, &failure);
    if (writer == NULL) {
        warn(store, unkept, failure);
        return;
    }
    open_devices(store);
    const struct spectrum_devices devices = {(const kernels *const *)store->devices->pdata,
                                             (int)store->devices->len};
    store->task = background ? spectrum_task_start(source, &store->options, devices, writer)
                             : spectrum_task_run(source, &store->options, devices, writer);
}

static struct spectrum_store *open_store(const struct spectrum_source *source,
                                         const struct spectrum_options *options, bool background)
{
    struct spectrum_store *store = g_new0(struct spectrum_store, 1);

    store->source = source;
    store->options = *options;
    store->devices = g_ptr_array_new();
    store->folder =
        options->folder != NULL ? g_strdup(options->folder) : spectrum_cache_default_folder();
    // an older run may have left them
    find_file(store);
    if (store->file == NULL) {
        choose_device(store);
        start_task(store, background);
    }
    // for what is in no file
    store->work = svd_work_create(store->options.k);
    return store;
}

struct spectrum_store *spectrum_begin(const struct spectrum_source *source,
                                      const struct spectrum_options *options)
{
    return open_store(source, options, true);
}

struct spectrum_store *spectrum_open(const struct spectrum_source *source,
                                     const struct spectrum_options *options, GError **error)
{
    g_autoptr(spectrum_store) store = open_store(source, options, false);

    return spectrum_finish(store, error) ? g_steal_pointer(&store) : NULL;
}

/* A full disk is no reason not to work: true also when the file cannot be kept, which is told. */
bool spectrum_finish(struct spectrum_store *store, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (store->task == NULL) {
        return true;
    }
    const bool done = spectrum_task_finish(store->task, &problem, error);
    g_clear_pointer(&store->task, spectrum_task_free);
    close_devices(store);
    if (problem != NULL) {
        warn(store, unkept, problem);
    } else if (done) {
        find_file(store);
    }
    return done;
}

void spectrum_close(struct spectrum_store *store)
{
    if (store == NULL) {
        return;
    }
    // whoever stopped for another reason keeps what is whole
    if (store->task != NULL && spectrum_task_ended(store->task)) {
        spectrum_finish(store, NULL);
    }
    spectrum_task_free(store->task);
    close_devices(store);
    g_ptr_array_unref(store->devices);
    spectrum_file_close(store->file);
    svd_work_free(store->work);
    g_free(store->folder);
    g_free(store);
}

const char *spectrum_path(const struct spectrum_store *store)
{
    return store->file != NULL ? spectrum_file_path(store->file) : NULL;
}

/* ---- handing over ---- */

static bool no_memory(const struct spectrum_weight *weight, GError **error)
{
    return error_failed(error, "There is no memory for the spectrum of %s; close other programs.",
                        weight->name);
}

// decomposes one weight now; what the caller does not want goes to memory of ours
static bool compute_one(struct spectrum_store *store, size_t index, float *u, float *s, float *vt,
                        GError **error)
{
    const struct spectrum_source *source = store->source;
    const struct spectrum_weight *weight = &source->weights[index];
    const size_t m = (size_t)weight->m, n = (size_t)weight->n, r = MIN(m, n);
    g_autofree float *w = g_try_new(float, m *n);
    g_autofree float *own_u = u == NULL ? g_try_new(float, m *r) : NULL;
    g_autofree float *own_s = s == NULL ? g_try_new(float, r) : NULL;
    g_autofree float *own_vt = vt == NULL ? g_try_new(float, r *n) : NULL;

    // the decomposition needs room for all three, whoever wants them
    u = u != NULL ? u : own_u;
    s = s != NULL ? s : own_s;
    vt = vt != NULL ? vt : own_vt;
    if (w == NULL || u == NULL || s == NULL || vt == NULL) {
        return no_memory(weight, error);
    }
    return source->read(source->user, index, w, error) &&
           spectrum_decompose(weight, w, u, s, vt, store->work, error);
}

// a file that turned out to be damaged is not used again, now or later
static void drop_file(struct spectrum_store *store, const GError *why)
{
    warn(store, unusable, why);
    g_unlink(spectrum_file_path(store->file));
    g_clear_pointer(&store->file, spectrum_file_close);
}

bool spectrum_get(struct spectrum_store *store, size_t index, float *u, float *s, float *vt,
                  GError **error)
{
    g_autoptr(GError) damage = NULL;

    g_assert(index < store->source->count);
    if (store->task != NULL) {
        if (spectrum_task_get(store->task, index, u, s, vt, &damage)) {
            return true;
        }
        if (damage != NULL) {
            warn(store, unusable, damage);
            return compute_one(store, index, u, s, vt, error);
        }
        // it ended before this one came: there is a reason, or just no file
        if (!spectrum_finish(store, error)) {
            return false;
        }
    }
    if (store->file != NULL) {
        // the common case: milliseconds where decomposing takes a second
        if (spectrum_file_read(store->file, index, u, s, vt, &damage)) {
            return true;
        }
        drop_file(store, damage);
    }
    return compute_one(store, index, u, s, vt, error);
}

/* ---- proving ---- */

struct proof {
    struct spectrum_store *store;
    struct svd_accuracy *accuracy;
};

static bool prove_weight(struct spectrum_worker *worker, size_t index, GError **error)
{
    const struct proof *proof = worker->run->user;
    const struct spectrum_weight *weight = &worker->run->source->weights[index];
    const struct spectrum_file *file = proof->store->file;

    // what is kept is what is proved; without a file what would be computed
    if (file != NULL ? !spectrum_file_read(file, index, worker->u, worker->s, worker->vt, error)
                     : !spectrum_decompose(weight, worker->w, worker->u, worker->s, worker->vt,
                                           worker->work, error)) {
        return false;
    }
    return svd_check(weight->m, weight->n, worker->w, worker->u, worker->s, worker->vt,
                     &proof->accuracy[index], error);
}

bool spectrum_check(struct spectrum_store *store, struct svd_accuracy *accuracy, GError **error)
{
    struct proof proof = {store, accuracy};
    struct spectrum_run run = {.source = store->source,
                               .options = &store->options,
                               .phase = SPECTRUM_PHASE_CHECK,
                               .visit = prove_weight,
                               .user = &proof};

    return spectrum_finish(store, error) && spectrum_run_all(&run, error);
}
