/* Reading and writing the file of a model's spectra; see spectrum_file.h. */
#include "engine/spectrum/spectrum_file.h"

#include "engine/base/error.h"
#include "engine/base/safetensors.h"
#include "engine/base/safetensors_write.h"

#include <string.h>

#define FORMAT    "svdiff-spectra"
#define VERSION   "1"
#define CHECKSUMS "checksums"

// the order of the parts is that of part_names and of the checksums
enum { PARTS = 3 }; // u, s, vt
// a 64-bit number as floats: 16 bits are exact in each, all tensors stay of one type
enum { DIGITS = 4 };
static const char *const part_names[PARTS] = {"u", "s", "vt"};

struct spectrum_file {
    struct safetensors *file;
    const struct spectrum_weight *weights;
    float *checksums; // [weights, PARTS, DIGITS]
};

struct spectrum_writer {
    struct safetensors_writer *writer;
    const struct spectrum_weight *weights;
    size_t count;
    float *checksums; // [weights, PARTS, DIGITS]
};

/* ---- layout ---- */

// "NAME.vt"; the caller frees it
static char *part_name(const struct spectrum_weight *weight, int part)
{
    return g_strdup_printf("%s.%s", weight->name, part_names[part]);
}

// the shape of u, s or vt; how many dimensions it has
static int part_shape(const struct spectrum_weight *weight, int part, int64_t shape[2])
{
    const int r = MIN(weight->m, weight->n);

    // of s the second side is 1, so that the product is right for all three
    shape[0] = part == 0 ? weight->m : r;
    shape[1] = part == 0 ? r : part == 1 ? 1 : weight->n;
    return part == 1 ? 1 : 2;
}

static size_t part_values(const struct spectrum_weight *weight, int part)
{
    int64_t shape[2];

    part_shape(weight, part, shape);
    return (size_t)shape[0] * (size_t)shape[1];
}

/* ---- checksums ---- */

/* A 64-bit checksum of floats: four lanes, each taking in every fourth word by a step that can be
 * undone, so that no single change goes unseen. */
static uint64_t checksum(const float *values, size_t count)
{
    // 2^64 over the golden ratio, an odd number: multiplying by it can be undone
    const uint64_t prime = 0x9e3779b97f4a7c15u;
    uint64_t lane[4] = {1, 2, 3, 4}, word[4], sum = count;
    size_t i = 0;

    // eight floats are four words; the lanes depend on nothing of each other and run side by side
    for (; i + 8 <= count; i += 8) {
        memcpy(word, values + i, sizeof(word));
        for (int k = 0; k < 4; k++) {
            uint64_t x = lane[k] ^ word[k];
            lane[k] = ((x << 29) | (x >> 35)) * prime;
        }
    }
    for (; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof(bits));
        lane[i % 4] = (lane[i % 4] ^ bits) * prime;
        lane[i % 4] ^= lane[i % 4] >> 31;
    }
    // the lanes one after the other, so that two of them do not cancel
    for (int k = 0; k < 4; k++) {
        sum = (sum ^ lane[k] ^ (lane[k] >> 32)) * prime;
        sum ^= sum >> 29;
    }
    return sum;
}

static void store_checksum(float *digits, uint64_t sum)
{
    for (int i = 0; i < DIGITS; i++) {
        digits[i] = (float)((sum >> (16 * i)) & 0xffff);
    }
}

static bool same_checksum(const float *digits, uint64_t sum)
{
    float expected[DIGITS];

    // compared as they are stored: no rounding can be in between
    store_checksum(expected, sum);
    return memcmp(digits, expected, sizeof(expected)) == 0;
}

/* ---- reading ---- */

static bool metadata_is(const struct safetensors *file, const char *key, const char *text)
{
    return g_strcmp0(safetensors_metadata(file, key), text) == 0;
}

static const struct safetensors_tensor *find_part(const struct safetensors *file,
                                                  const struct spectrum_weight *weight, int part)
{
    g_autofree char *name = part_name(weight, part);

    return safetensors_find(file, name);
}

static bool has_part(const struct safetensors *file, const struct spectrum_weight *weight, int part)
{
    const struct safetensors_tensor *tensor = find_part(file, weight, part);
    int64_t shape[2];

    // another type would be read as well, but was not written by us
    if (tensor == NULL || tensor->dtype != DTYPE_F32 ||
        tensor->n_dims != part_shape(weight, part, shape)) {
        return false;
    }
    return memcmp(tensor->shape, shape, (size_t)tensor->n_dims * sizeof(*shape)) == 0;
}

static bool is_complete(const struct safetensors *file, const char *key,
                        const struct spectrum_weight *weights, size_t count, GError **error)
{
    const char *path = safetensors_path(file);

    // the key first: a file of another model says nothing about damage
    if (!metadata_is(file, "format", FORMAT) || !metadata_is(file, "version", VERSION) ||
        !metadata_is(file, "key", key)) {
        return error_failed(error, "%s: these are not the spectra of this model.", path);
    }
    // looked at now, so that reading later needs no check but that of the values
    for (size_t i = 0; i < count * PARTS; i++) {
        if (!has_part(file, &weights[i / PARTS], (int)(i % PARTS))) {
            return error_failed(error, "%s: spectra of this model are missing in it.", path);
        }
    }
    return true;
}

static float *read_checksums(const struct safetensors *file, size_t count, GError **error)
{
    const struct safetensors_tensor *tensor = safetensors_find(file, CHECKSUMS);
    const size_t values = count * PARTS * DIGITS;

    if (tensor == NULL || (size_t)tensor->values != values) {
        error_failed(error, "%s: its checksums are missing.", safetensors_path(file));
        return NULL;
    }
    g_autofree float *checksums = g_new(float, values);
    return safetensors_read_f32(file, tensor, checksums, error) ? g_steal_pointer(&checksums)
                                                                : NULL;
}

struct spectrum_file *spectrum_file_open(const char *path, const char *key,
                                         const struct spectrum_weight *weights, size_t count,
                                         GError **error)
{
    g_autoptr(spectrum_file) file = g_new0(struct spectrum_file, 1);

    // borrowed: the model's own list, in the order of the checksums
    file->weights = weights;
    file->file = safetensors_open(path, error);
    if (file->file == NULL || !is_complete(file->file, key, weights, count, error)) {
        return NULL;
    }
    file->checksums = read_checksums(file->file, count, error);
    return file->checksums != NULL ? g_steal_pointer(&file) : NULL;
}

void spectrum_file_close(struct spectrum_file *file)
{
    if (file == NULL) {
        return;
    }
    safetensors_close(file->file);
    g_free(file->checksums);
    g_free(file);
}

const char *spectrum_file_path(const struct spectrum_file *file)
{
    return safetensors_path(file->file);
}

static bool read_part(const struct spectrum_file *file, size_t index, int part, float *out,
                      GError **error)
{
    const struct spectrum_weight *weight = &file->weights[index];
    const struct safetensors_tensor *tensor = find_part(file->file, weight, part);

    if (!safetensors_read_f32(file->file, tensor, out, error)) {
        return false;
    }
    // read at each use: a disk may go bad long after the file was opened
    if (same_checksum(file->checksums + (index * PARTS + part) * DIGITS,
                      checksum(out, part_values(weight, part)))) {
        return true;
    }
    return error_failed(error, "%s: the spectrum of %s is damaged.", spectrum_file_path(file),
                        weight->name);
}

bool spectrum_file_read(const struct spectrum_file *file, size_t index, float *u, float *s,
                        float *vt, GError **error)
{
    float *const out[PARTS] = {u, s, vt};

    for (int part = 0; part < PARTS; part++) {
        // what is not wanted is not read
        if (out[part] != NULL && !read_part(file, index, part, out[part], error)) {
            return false;
        }
    }
    return true;
}

/* ---- writing ---- */

static struct safetensors_entry *make_entries(const struct spectrum_weight *weights, size_t count)
{
    struct safetensors_entry *entries = g_new0(struct safetensors_entry, count * PARTS + 1);

    for (size_t i = 0; i < count * PARTS; i++) {
        const struct spectrum_weight *weight = &weights[i / PARTS];
        const int part = (int)(i % PARTS);
        entries[i].name = part_name(weight, part);
        entries[i].dtype = DTYPE_F32;
        entries[i].n_dims = part_shape(weight, part, entries[i].shape);
    }
    // last, as it is known last
    entries[count * PARTS] = (struct safetensors_entry){.name = g_strdup(CHECKSUMS),
                                                        .dtype = DTYPE_F32,
                                                        .n_dims = 3,
                                                        .shape = {(int64_t)count, PARTS, DIGITS}};
    return entries;
}

static void free_entries(struct safetensors_entry *entries, size_t count)
{
    for (size_t i = 0; i <= count * PARTS; i++) {
        g_free((char *)entries[i].name);
    }
    g_free(entries);
}

struct spectrum_writer *spectrum_writer_create(const char *path, const char *key,
                                               const struct spectrum_weight *weights, size_t count,
                                               GError **error)
{
    static const char *const keys[] = {"format", "version", "key", NULL};
    const char *const texts[] = {FORMAT, VERSION, key, NULL};
    g_autoptr(spectrum_writer) writer = g_new0(struct spectrum_writer, 1);
    struct safetensors_entry *entries = make_entries(weights, count);

    writer->weights = weights;
    writer->count = count;
    writer->checksums = g_new0(float, count *PARTS *DIGITS);
    writer->writer =
        safetensors_writer_create(path, entries, count * PARTS + 1, keys, texts, error);
    // the writer has copies
    free_entries(entries, count);
    return writer->writer != NULL ? g_steal_pointer(&writer) : NULL;
}

void spectrum_writer_close(struct spectrum_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    safetensors_writer_close(writer->writer);
    g_free(writer->checksums);
    g_free(writer);
}

bool spectrum_writer_put(struct spectrum_writer *writer, size_t index, const float *u,
                         const float *s, const float *vt, GError **error)
{
    const float *const values[PARTS] = {u, s, vt};

    for (int part = 0; part < PARTS; part++) {
        const struct spectrum_weight *weight = &writer->weights[index];
        g_autofree char *name = part_name(weight, part);
        // of what is written, not of what is read back: the disk is what it watches
        store_checksum(writer->checksums + (index * PARTS + part) * DIGITS,
                       checksum(values[part], part_values(weight, part)));
        if (!safetensors_writer_put(writer->writer, name, values[part], error)) {
            return false;
        }
    }
    return true;
}

bool spectrum_writer_get(const struct spectrum_writer *writer, size_t index, float *u, float *s,
                         float *vt, GError **error)
{
    float *const values[PARTS] = {u, s, vt};

    for (int part = 0; part < PARTS; part++) {
        g_autofree char *name = part_name(&writer->weights[index], part);
        if (values[part] != NULL &&
            !safetensors_writer_get(writer->writer, name, values[part], error)) {
            return false;
        }
    }
    return true;
}

bool spectrum_writer_commit(struct spectrum_writer *writer, GError **error)
{
    return safetensors_writer_put(writer->writer, CHECKSUMS, writer->checksums, error) &&
           safetensors_writer_commit(writer->writer, error);
}
