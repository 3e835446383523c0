/* The names of a model; see model_hash.h. Several threads hash a weight each, the largest first.
 * SHA-256 is nettle's, which uses the processor's own instructions for it where there are any. */
#include "engine/model/model_hash.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/machine.h"

#include <nettle/sha2.h>
#include <omp.h>
#include <string.h>

// values that are hashed at a time, about
#define PART 65536

struct digest {
    uint8_t bytes[SHA256_DIGEST_SIZE];
};

// one weight that has a shift
struct entry {
    size_t index; // in the checkpoint
    const struct model_tensor *tensor;
    struct digest base;    // of the values in f16
    struct digest spectra; // of the values in f32, for matrices
    GError *error;
};

struct pass {
    const struct checkpoint *model;
    unsigned wanted; // of enum model_hash
    struct entry *entries;
    size_t n;
    progress_function progress;
    void *user;
    int done, stopped; // atomic: several threads
};

static struct digest finish(struct sha256_ctx *sum)
{
    struct digest d;

    sha256_digest(sum, sizeof d.bytes, d.bytes);
    return d;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = model_tensor_values(((const struct entry *)a)->tensor);
    const int64_t y = model_tensor_values(((const struct entry *)b)->tensor);

    return (x < y) - (x > y);
}

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
    // so that no thread is left alone with a large one at the end
    qsort(p->entries, p->n, sizeof *p->entries, by_size);
}

// of the values in f16, in PyTorch's order: as most models are stored
static bool add_base(const struct pass *p, const struct entry *e, int64_t first, int64_t n,
                     uint16_t *room, struct sha256_ctx *sum, GError **error)
{
    if (!checkpoint_read_f16_part(p->model, e->index, first, n, room, error)) {
        return false;
    }
    sha256_update(sum, (size_t)n * sizeof *room, (const uint8_t *)room);
    return true;
}

// of whole rows in the engine's order
static bool add_spectra(const struct pass *p, const struct entry *e, const struct weight *w,
                        int64_t row, int64_t rows, float *room, struct sha256_ctx *sum,
                        GError **error)
{
    const int64_t columns = weight_columns(w);

    if (!checkpoint_read_part(p->model, e->index, row * columns, rows * columns, room, error)) {
        return false;
    }
    weight_to_engine_order(w, room, rows);
    sha256_update(sum, (size_t)(rows * columns) * sizeof *room, (const uint8_t *)room);
    return true;
}

/* Reads one weight, some rows at a time, and sets its digests or its error. */
static void hash_entry(struct pass *p, struct entry *e)
{
    const struct weight w = model_tensor_weight(e->tensor);
    // whole rows, since the engine's order is of columns
    const int64_t columns = weight_columns(&w), rows = MAX(1, PART / columns);
    const bool base = p->wanted & MODEL_HASH_BASE;
    // the gain of a norm has no spectrum
    const bool spectra = (p->wanted & MODEL_HASH_SPECTRA) && e->tensor->n_dims > 1;
    // of either type: of 16 bits half of it is used
    g_autofree float *room = g_new(float, rows *columns);
    struct sha256_ctx of_base, of_spectra;

    sha256_init(&of_base);
    sha256_init(&of_spectra);
    for (int64_t row = 0; row < w.out && !g_atomic_int_get(&p->stopped); row += rows) {
        const int64_t n = MIN(rows, w.out - row);
        if ((base &&
             !add_base(p, e, row * columns, n * columns, (uint16_t *)room, &of_base, &e->error)) ||
            (spectra && !add_spectra(p, e, &w, row, n, room, &of_spectra, &e->error))) {
            g_atomic_int_set(&p->stopped, 1);
        }
    }
    e->base = finish(&of_base);
    e->spectra = finish(&of_spectra);
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

// in hexadecimal; text: room for MODEL_HASH_DIGITS and a 0
static void write_digest(const struct digest *d, char *text)
{
    for (size_t i = 0; i < sizeof d->bytes; i++) {
        g_snprintf(text + 2 * i, 3, "%02x", d->bytes[i]);
    }
}

static void add_text(struct sha256_ctx *sum, const char *text, size_t length)
{
    sha256_update(sum, length, (const uint8_t *)text);
}

static void join_base(struct pass *p, char *hash)
{
    struct sha256_ctx sum;

    sha256_init(&sum);
    // bytewise, which any other program can repeat
    qsort(p->entries, p->n, sizeof *p->entries, compare_names);
    for (size_t i = 0; i < p->n; i++) {
        const struct model_tensor *t = p->entries[i].tensor;
        char digest[MODEL_HASH_DIGITS + 1];
        write_digest(&p->entries[i].base, digest);
        g_autofree char *shape = safetensors_shape_text(t->shape, t->n_dims);
        g_autofree char *line = g_strdup_printf("%s %s %s\n", t->name, shape, digest);
        add_text(&sum, line, strlen(line));
    }
    const struct digest all = finish(&sum);
    write_digest(&all, hash);
}

static void join_spectra(struct pass *p, char *hash)
{
    struct sha256_ctx sum;

    sha256_init(&sum);
    qsort(p->entries, p->n, sizeof *p->entries, compare_modules);
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entries[i];
        const struct weight w = model_tensor_weight(e->tensor);
        const int64_t sizes[] = {w.out, weight_columns(&w)};
        if (e->tensor->n_dims > 1) {
            // with its 0, so that the name's end is settled
            add_text(&sum, w.name, strlen(w.name) + 1);
            sha256_update(&sum, sizeof sizes, (const uint8_t *)sizes);
            sha256_update(&sum, sizeof e->spectra.bytes, e->spectra.bytes);
        }
    }
    const struct digest all = finish(&sum);
    write_digest(&all, hash);
}

bool model_hashes_compute(const struct checkpoint *model, unsigned wanted, int threads,
                          progress_function progress, void *user, struct model_hashes *hashes,
                          GError **error)
{
    struct pass p = {.model = model, .wanted = wanted, .progress = progress, .user = user};

    list_entries(&p);
    // 0: all processors
    const bool done = hash_all(&p, threads > 0 ? threads : machine_processors(), error);
    if (done && (wanted & MODEL_HASH_BASE)) {
        join_base(&p, hashes->base);
    }
    if (done && (wanted & MODEL_HASH_SPECTRA)) {
        join_spectra(&p, hashes->spectra);
    }
    // several threads may have failed: one was told
    for (size_t i = 0; i < p.n; i++) {
        g_clear_error(&p.entries[i].error);
    }
    g_free(p.entries);
    return done;
}

/* ---- remembering ---- */

// the file in which the hashes of these very files are remembered: two words, NONE for one that is
// not known
#define NONE "-"

static char *remembered_path(const struct checkpoint *model)
{
    g_autofree char *identity = checkpoint_identity(model);

    return g_build_filename(g_get_user_cache_dir(), "svdiff", "models", identity, NULL);
}

// a file that was cut off or written to is not believed
static bool is_hash(const char *word)
{
    return strcmp(word, NONE) == 0 || (strlen(word) == MODEL_HASH_DIGITS &&
                                       strspn(word, "0123456789abcdef") == MODEL_HASH_DIGITS);
}

// what was found out in this run counts more than what is remembered
static void recall_one(const char *word, char *hash)
{
    if (hash[0] == '\0' && strcmp(word, NONE) != 0) {
        g_strlcpy(hash, word, MODEL_HASH_DIGITS + 1);
    }
}

// what is remembered of what is not known; a damaged file is none
static void recall(const char *path, struct model_hashes *hashes)
{
    g_autofree char *text = regular_file_load(path, 2 * MODEL_HASH_DIGITS + 1, NULL, NULL);
    g_auto(GStrv) words = g_strsplit(text != NULL ? text : "", " ", 3);

    if (g_strv_length(words) == 2 && is_hash(words[0]) && is_hash(words[1])) {
        recall_one(words[0], hashes->base);
        recall_one(words[1], hashes->spectra);
    }
}

static void remember(const char *path, const struct model_hashes *hashes)
{
    g_autofree char *folder = g_path_get_dirname(path);
    // the one that nobody asked for keeps its place, so that there are always two words
    const char *base = hashes->base[0] != '\0' ? hashes->base : NONE;
    const char *spectra = hashes->spectra[0] != '\0' ? hashes->spectra : NONE;
    g_autofree char *text = g_strconcat(base, " ", spectra, NULL);

    // a disk that is full or read-only costs only the next run's time
    if (g_mkdir_with_parents(folder, 0700) == 0) {
        atomic_file_store(path, text, strlen(text), NULL);
    }
}

// those of the wanted hashes that are not known
static unsigned lacks(const struct model_hashes *hashes, unsigned wanted)
{
    const unsigned base = hashes->base[0] == '\0' ? MODEL_HASH_BASE : 0;
    const unsigned spectra = hashes->spectra[0] == '\0' ? MODEL_HASH_SPECTRA : 0;

    return wanted & (base | spectra);
}

bool model_hashes(const struct checkpoint *model, unsigned wanted, int threads,
                  progress_function progress, void *user, struct model_hashes *hashes,
                  GError **error)
{
    if (lacks(hashes, wanted) == 0) {
        return true;
    }
    g_autofree char *path = remembered_path(model);
    recall(path, hashes);
    const unsigned lacking = lacks(hashes, wanted);
    if (lacking == 0) {
        return true;
    }
    if (!model_hashes_compute(model, lacking, threads, progress, user, hashes, error)) {
        return false;
    }
    remember(path, hashes);
    return true;
}
