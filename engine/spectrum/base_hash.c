/* The name of a base model; see base_hash.h. */
#include "engine/spectrum/base_hash.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

// values that are hashed at a time
#define PART 65536

// one weight: its key in the order, and the line it gives
struct line {
    size_t index; // in the checkpoint
    char *name;
    char *text;
    GError *error;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

// the weights that shift, sorted; *n receives how many
static struct line *list_lines(const struct checkpoint *model, size_t *n)
{
    struct line *lines = g_new0(struct line, checkpoint_count(model));

    *n = 0;
    for (size_t i = 0; i < checkpoint_count(model); i++) {
        const struct model_tensor *tensor = checkpoint_at(model, i);
        if (tensor->shifts) {
            lines[*n].index = i;
            lines[*n].name = g_strdup(tensor->name);
            ++*n;
        }
    }
    qsort(lines, *n, sizeof(*lines), compare_lines);
    return lines;
}

// reads one weight in parts and sets line->text or line->error
static void hash_line(const struct checkpoint *model, struct line *line)
{
    const struct model_tensor *tensor = checkpoint_at(model, line->index);
    const int64_t values = model_tensor_values(tensor);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree float *part = g_new(float, PART);
    g_autofree uint16_t *rounded = g_new(uint16_t, PART);

    for (int64_t first = 0; first < values; first += PART) {
        int64_t n = MIN(values - first, PART);
        if (!checkpoint_read_part(model, line->index, first, n, part, &line->error)) {
            return;
        }
        dtype_from_f32(DTYPE_F16, part, rounded, (size_t)n);
        g_checksum_update(sum, (const guchar *)rounded, (gssize)n * 2);
    }
    g_autofree char *shape = safetensors_shape_text(tensor->shape, tensor->n_dims);
    line->text = g_strdup_printf("%s %s %s\n", line->name, shape, g_checksum_get_string(sum));
}

// the first error among the lines is handed over, the others are freed with them
static char *join_lines(struct line *lines, size_t n, GError **error)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    GError *first = NULL;

    for (size_t i = 0; i < n; i++) {
        if (lines[i].error != NULL && first == NULL) {
            first = g_steal_pointer(&lines[i].error);
        } else if (lines[i].text != NULL) {
            g_checksum_update(sum, (const guchar *)lines[i].text, -1);
        }
        g_clear_error(&lines[i].error);
        g_free(lines[i].name);
        g_free(lines[i].text);
    }
    if (first != NULL) {
        g_propagate_error(error, first);
        return NULL;
    }
    return g_strdup(g_checksum_get_string(sum));
}

char *base_hash_compute(const struct checkpoint *model, progress_function progress, void *user,
                        GError **error)
{
    size_t n;
    g_autofree struct line *lines = list_lines(model, &n);
    int done = 0, cancelled = 0;

    // the first thread is the caller's: it alone reports
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        if (g_atomic_int_get(&cancelled)) {
            continue;
        }
        hash_line(model, &lines[i]);
        const struct progress now = {.phase = "base",
                                     .step = g_atomic_int_add(&done, 1) + 1,
                                     .steps = (int)n,
                                     .loss = -1,
                                     .seconds_left = -1};
        if (progress != NULL && omp_get_thread_num() == 0 && !progress(user, &now)) {
            g_atomic_int_set(&cancelled, 1);
        }
    }
    if (cancelled && lines[0].error == NULL) {
        g_set_error(&lines[0].error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                    "%s: reading the model was cancelled.", checkpoint_path(model));
    }
    return join_lines(lines, n, error);
}

// the file in which the hash of these very files is remembered
static char *remembered_path(const struct checkpoint *model)
{
    g_autofree char *identity = checkpoint_identity(model);

    return g_build_filename(g_get_user_cache_dir(), "svdiff", "base-hashes", identity, NULL);
}

static bool is_hash(const char *text, size_t length)
{
    return length == 64 && strspn(text, "0123456789abcdef") == 64;
}

char *base_hash(const struct checkpoint *model, progress_function progress, void *user,
                GError **error)
{
    g_autofree char *path = remembered_path(model);
    g_autofree char *folder = g_path_get_dirname(path);
    size_t length = 0;
    char *hash = regular_file_load(path, 64, &length, NULL);

    if (hash != NULL && is_hash(hash, length)) {
        return hash;
    }
    g_free(hash);
    hash = base_hash_compute(model, progress, user, error);
    if (hash != NULL && g_mkdir_with_parents(folder, 0700) == 0) {
        atomic_file_store(path, hash, 64, NULL);
    }
    return hash;
}
