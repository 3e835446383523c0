/* The names of a model; see model_hash.h. Several threads hash a weight each. */
#include "engine/model/model_hash.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/machine.h"

#include <omp.h>
#include <string.h>

// values that are hashed at a time, about
#define PART 65536

// one weight that has a shift
struct entry {
    size_t index; // in the checkpoint
    const struct model_tensor *tensor;
    char base[MODEL_HASH_DIGITS + 1]; // of the values in f16
    guint8 spectra[32];               // of the values in f32, for matrices
    GError *error;
};

struct pass {
    const struct checkpoint *model;
    struct entry *entries;
    size_t n;
    progress_function progress;
    void *user;
    int done, stopped;
};

// the weights that shift
static void list_entries(struct pass *p)
{
    p->entries = g_new0(struct entry, checkpoint_count(p->model));
    for (size_t i = 0; i < checkpoint_count(p->model); i++) {
        const struct model_tensor *tensor = checkpoint_at(p->model, i);
        if (tensor->shifts) {
            p->entries[p->n++] = (struct entry){.index = i, .tensor = tensor};
        }
    }
}

/* Reads one weight, some rows at a time, and sets its digests or its error. */
static void hash_entry(struct pass *p, struct entry *e)
{
    const struct weight w = model_tensor_weight(e->tensor);
    const int64_t columns = weight_columns(&w), rows = MAX(1, PART / columns);
    g_autoptr(GChecksum) base = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GChecksum) spectra = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree float *part = g_new(float, rows *columns);
    g_autofree uint16_t *rounded = g_new(uint16_t, rows * columns);
    gsize length = sizeof e->spectra;

    for (int64_t row = 0; row < w.out && !g_atomic_int_get(&p->stopped); row += rows) {
        const int64_t n = MIN(rows, w.out - row), values = n * columns;
        if (!checkpoint_read_part(p->model, e->index, row * columns, values, part, &e->error)) {
            g_atomic_int_set(&p->stopped, 1);
            return;
        }
        dtype_from_f32(DTYPE_F16, part, rounded, (size_t)values);
        g_checksum_update(base, (const guchar *)rounded, values * 2);
        weight_to_engine_order(&w, part, n);
        g_checksum_update(spectra, (const guchar *)part, values * 4);
    }
    g_strlcpy(e->base, g_checksum_get_string(base), sizeof e->base);
    g_checksum_get_digest(spectra, e->spectra, &length);
}

// by the caller's thread alone
static void report(struct pass *p, int done)
{
    const struct progress now = {
        .phase = "base", .step = done, .steps = (int)p->n, .loss = -1, .seconds_left = -1};

    if (p->progress != NULL && !p->progress(p->user, &now)) {
        g_atomic_int_set(&p->stopped, 1);
    }
}

static bool hash_all(struct pass *p, int threads, GError **error)
{
    // at the beginning, too: of a small model other threads may be given all the weights
    report(p, 0);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (size_t i = 0; i < p->n; i++) {
        if (!g_atomic_int_get(&p->stopped)) {
            hash_entry(p, &p->entries[i]);
            const int done = g_atomic_int_add(&p->done, 1) + 1;
            if (omp_get_thread_num() == 0) { // the caller's
                report(p, done);
            }
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->entries[i].error != NULL) {
            g_propagate_error(error, g_error_copy(p->entries[i].error));
            return false;
        }
    }
    if (p->stopped) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                    "%s: reading the model was cancelled.", checkpoint_path(p->model));
    }
    return !p->stopped;
}

/* ---- the names ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->tensor->name, ((const struct entry *)b)->tensor->name);
}

static int compare_modules(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->tensor->module,
                  ((const struct entry *)b)->tensor->module);
}

static void join_base(struct pass *p, char *hash)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    qsort(p->entries, p->n, sizeof *p->entries, compare_names);
    for (size_t i = 0; i < p->n; i++) {
        const struct model_tensor *t = p->entries[i].tensor;
        g_autofree char *shape = safetensors_shape_text(t->shape, t->n_dims);
        g_autofree char *line = g_strdup_printf("%s %s %s\n", t->name, shape, p->entries[i].base);
        g_checksum_update(sum, (const guchar *)line, -1);
    }
    g_strlcpy(hash, g_checksum_get_string(sum), MODEL_HASH_DIGITS + 1);
}

static void join_spectra(struct pass *p, char *hash)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    qsort(p->entries, p->n, sizeof *p->entries, compare_modules);
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entries[i];
        const struct weight w = model_tensor_weight(e->tensor);
        const int64_t sizes[] = {w.out, weight_columns(&w)};
        if (e->tensor->n_dims > 1) {
            g_checksum_update(sum, (const guchar *)w.name, (gssize)strlen(w.name) + 1);
            g_checksum_update(sum, (const guchar *)sizes, sizeof sizes);
            g_checksum_update(sum, e->spectra, sizeof e->spectra);
        }
    }
    g_strlcpy(hash, g_checksum_get_string(sum), MODEL_HASH_DIGITS + 1);
}

static bool compute(const struct checkpoint *model, int threads, progress_function progress,
                    void *user, struct model_hashes *hashes, GError **error)
{
    struct pass p = {.model = model, .progress = progress, .user = user};

    list_entries(&p);
    const bool done = hash_all(&p, threads > 0 ? threads : machine_processors(), error);
    if (done) {
        join_base(&p, hashes->base);
        join_spectra(&p, hashes->spectra);
    }
    for (size_t i = 0; i < p.n; i++) {
        g_clear_error(&p.entries[i].error);
    }
    g_free(p.entries);
    return done;
}

/* ---- remembering ---- */

// the file in which the hashes of these very files are remembered: two words
static char *remembered_path(const struct checkpoint *model)
{
    g_autofree char *identity = checkpoint_identity(model);

    return g_build_filename(g_get_user_cache_dir(), "svdiff", "models", identity, NULL);
}

static bool take_hash(const char *text, char *hash)
{
    g_strlcpy(hash, text, MODEL_HASH_DIGITS + 1);
    return strspn(hash, "0123456789abcdef") == MODEL_HASH_DIGITS;
}

static bool recall(const char *path, struct model_hashes *hashes)
{
    const size_t whole = 2 * MODEL_HASH_DIGITS + 1;
    size_t length = 0;
    g_autofree char *text = regular_file_load(path, whole, &length, NULL);

    return text != NULL && length == whole && text[MODEL_HASH_DIGITS] == ' ' &&
           take_hash(text, hashes->base) &&
           take_hash(text + MODEL_HASH_DIGITS + 1, hashes->spectra);
}

bool model_hashes(const struct checkpoint *model, int threads, progress_function progress,
                  void *user, struct model_hashes *hashes, GError **error)
{
    g_autofree char *path = remembered_path(model);
    g_autofree char *folder = g_path_get_dirname(path);

    if (recall(path, hashes)) {
        return true;
    }
    if (!compute(model, threads, progress, user, hashes, error)) {
        return false;
    }
    g_autofree char *text = g_strconcat(hashes->base, " ", hashes->spectra, NULL);
    if (g_mkdir_with_parents(folder, 0700) == 0) {
        atomic_file_store(path, text, strlen(text), NULL);
    }
    return true;
}
