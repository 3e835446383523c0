/* The spectra of a model: found, or computed and kept; see spectrum.h. */
#include "engine/spectrum/spectrum.h"

#include "engine/base/error.h"
#include "engine/spectrum/spectrum_cache.h"
#include "engine/spectrum/spectrum_file.h"
#include "engine/spectrum/spectrum_run.h"
#include "engine/spectrum/svd.h"

#include <glib/gstdio.h>

struct spectrum_store {
    const struct spectrum_source *source;
    struct spectrum_options options;
    char *folder;
    struct spectrum_file *file; // NULL: nothing is kept
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

// svd_thin of a weight w, whose name an error then begins with
static bool decompose(const struct spectrum_weight *weight, const float *w, float *u, float *s,
                      float *vt, struct svd_work *work, GError **error)
{
    if (svd_thin(weight->m, weight->n, w, u, s, vt, work, error)) {
        return true;
    }
    g_prefix_error(error, "%s: ", weight->name);
    return false;
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

// what the visits of a run share
struct keeping {
    struct spectrum_writer *writer;
    GError *error; // why it cannot be kept
};

static bool tell_svd(void *user, double done)
{
    // the last step is the file's
    return spectrum_run_tell(user, 0.95 * done);
}

static bool decompose_weight(struct spectrum_worker *worker, size_t index, GError **error)
{
    struct spectrum_run *run = worker->run;
    const struct spectrum_weight *weight = &run->source->weights[index];
    struct keeping *keeping = run->user;

    svd_work_set_progress(worker->work, tell_svd, worker);
    if (!decompose(weight, worker->w, worker->u, worker->s, worker->vt, worker->work, error)) {
        return false;
    }
    // one writer for all threads; decomposing takes far longer than writing
    g_mutex_lock(&run->lock);
    const bool done =
        keeping->error == NULL && spectrum_writer_put(keeping->writer, index, worker->u, worker->s,
                                                      worker->vt, &keeping->error);
    g_mutex_unlock(&run->lock);
    if (!done) { // ends the run; the caller knows that this is no failure of the model
        error_failed(error, "%s: cannot be kept.", weight->name);
    }
    return done;
}

/* Decomposes everything into the writer's file and opens that. True also when it cannot be kept,
 * which is told: a full disk is no reason not to work. */
static bool fill_file(struct spectrum_store *store, struct spectrum_writer *writer, GError **error)
{
    struct keeping keeping = {.writer = writer};
    struct spectrum_run run = {.source = store->source,
                               .options = &store->options,
                               .phase = SPECTRUM_PHASE_COMPUTE,
                               .visit = decompose_weight,
                               .user = &keeping};
    g_autoptr(GError) failure = NULL;

    if (spectrum_run_all(&run, &failure) && spectrum_writer_commit(writer, &keeping.error)) {
        find_file(store);
    } else if (keeping.error != NULL) {
        warn(store, unkept, keeping.error);
        g_clear_error(&keeping.error);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return true;
}

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

// computes all and opens the file made of them; true also when nothing could be kept
static bool make_file(struct spectrum_store *store, GError **error)
{
    g_autofree char *path = spectrum_cache_path(store->folder, store->source->key);
    const struct spectrum_source *source = store->source;
    g_autoptr(GError) failure = NULL;

    if (!may_keep(store)) {
        return true;
    }
    g_autoptr(spectrum_writer) writer =
        spectrum_writer_create(path, store->source->key, source->weights, source->count, &failure);
    if (writer == NULL) {
        warn(store, unkept, failure);
        return true;
    }
    return fill_file(store, writer, error);
}

struct spectrum_store *spectrum_open(const struct spectrum_source *source,
                                     const struct spectrum_options *options, GError **error)
{
    g_autoptr(spectrum_store) store = g_new0(struct spectrum_store, 1);

    store->source = source;
    store->options = *options;
    store->folder =
        options->folder != NULL ? g_strdup(options->folder) : spectrum_cache_default_folder();
    store->work = svd_work_create();
    // an older run may have left them
    find_file(store);
    if (store->file == NULL && !make_file(store, error)) {
        return NULL;
    }
    return g_steal_pointer(&store);
}

void spectrum_close(struct spectrum_store *store)
{
    if (store == NULL) {
        return;
    }
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
           decompose(weight, w, u, s, vt, store->work, error);
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
                     : !decompose(weight, worker->w, worker->u, worker->s, worker->vt, worker->work,
                                  error)) {
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

    return spectrum_run_all(&run, error);
}
