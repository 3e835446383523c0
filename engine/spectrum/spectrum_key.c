/* Keys and stamps of models; see spectrum_key.h.
 *
 *   key = SHA-256 of, for each weight in the order of the names,
 *         NAME, 0, m, n (64-bit, little-endian), SHA-256 of the values (f32, little-endian)
 *
 * The inner sums are made by several threads. */
#include "engine/spectrum/spectrum_key.h"

#include "engine/spectrum/spectrum_run.h"

#include <string.h>

#define DIGEST 32 // bytes of a SHA-256
// values that are turned into little-endian at a time
#define PART 4096

typedef guint8 digest[DIGEST];

static void update_number(GChecksum *sum, uint64_t number)
{
    const uint64_t bytes = GUINT64_TO_LE(number);

    g_checksum_update(sum, (const guchar *)&bytes, sizeof(bytes));
}

static void update_values(GChecksum *sum, const float *values, size_t count)
{
    uint32_t part[PART];

    for (size_t done = 0; done < count; done += PART) {
        const size_t n = MIN(count - done, PART);
        memcpy(part, values + done, n * sizeof(*part));
        for (size_t i = 0; i < n; i++) {
            part[i] = GUINT32_TO_LE(part[i]);
        }
        g_checksum_update(sum, (const guchar *)part, (gssize)(n * sizeof(*part)));
    }
}

static void update_weight(GChecksum *sum, const struct spectrum_weight *weight)
{
    g_checksum_update(sum, (const guchar *)weight->name, (gssize)strlen(weight->name) + 1);
    update_number(sum, (uint64_t)weight->m);
    update_number(sum, (uint64_t)weight->n);
}

static bool sum_weight(struct spectrum_worker *worker, size_t index, GError **error)
{
    const struct spectrum_weight *weight = &worker->run->source->weights[index];
    digest *digests = worker->run->user;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = DIGEST;

    update_values(sum, worker->w, (size_t)weight->m * (size_t)weight->n);
    g_checksum_get_digest(sum, digests[index], &length);
    return true;
}

static int compare_names(const void *a, const void *b, void *user)
{
    const struct spectrum_weight *weights = user;

    return strcmp(weights[*(const size_t *)a].name, weights[*(const size_t *)b].name);
}

// indices of the weights in the order of their names; the caller frees it
static size_t *order_by_name(const struct spectrum_source *source)
{
    size_t *order = g_new(size_t, source->count);

    for (size_t i = 0; i < source->count; i++) {
        order[i] = i;
    }
    g_qsort_with_data(order, (int)source->count, sizeof(*order), compare_names,
                      (void *)source->weights);
    return order;
}

char *spectrum_key(const struct spectrum_source *source, const struct spectrum_options *options,
                   GError **error)
{
    g_autofree digest *digests = g_new(digest, source->count);
    struct spectrum_run run = {.source = source,
                               .options = options,
                               .phase = SPECTRUM_PHASE_KEY,
                               .visit = sum_weight,
                               .user = digests};
    if (!spectrum_run_all(&run, error)) {
        return NULL;
    }

    g_autofree size_t *order = order_by_name(source);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (size_t i = 0; i < source->count; i++) {
        update_weight(sum, &source->weights[order[i]]);
        g_checksum_update(sum, digests[order[i]], DIGEST);
    }
    return g_strdup(g_checksum_get_string(sum));
}

char *spectrum_stamp(const struct spectrum_source *source)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    if (source->identity == NULL) {
        return NULL;
    }
    g_checksum_update(sum, (const guchar *)source->identity, (gssize)strlen(source->identity) + 1);
    g_autofree size_t *order = order_by_name(source);
    for (size_t i = 0; i < source->count; i++) {
        update_weight(sum, &source->weights[order[i]]);
    }
    return g_strdup(g_checksum_get_string(sum));
}
