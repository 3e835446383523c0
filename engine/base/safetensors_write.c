/* Writing .safetensors files; see safetensors_write.h.
 *
 * The header is known before the first value, so it is written at once and every tensor then goes
 * to its own place, converted in parts. */
#include "engine/base/safetensors_write.h"

#include "engine/base/atomic_file.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

// values that are converted at a time
#define PART 16384

struct slot {
    struct safetensors_entry entry; // with a name of its own
    int64_t values;
    int64_t from, to; // bytes, counted from the first value of the file
    bool put;
};

struct safetensors_writer {
    struct atomic_file *file;
    struct slot *slots;
    size_t n_slots;
    GHashTable *by_name; // name to slot
    int64_t data_start;
    GString *header; // as it was written
};

G_STATIC_ASSERT(sizeof SAFETENSORS_SHA256 == 2 * SHA256_DIGEST_SIZE + 1);

// larger types first, so that every tensor lies at a multiple of its type's size
static int alignment_rank(enum dtype type)
{
    // as the reference implementation sorts them: BF16 before F16 is the order of its enum
    static const int ranks[] = {
        [DTYPE_F64] = 0, [DTYPE_F32] = 1, [DTYPE_BF16] = 2, [DTYPE_F16] = 3};

    return ranks[type];
}

static int compare_slots(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    int difference = alignment_rank(x->entry.dtype) - alignment_rank(y->entry.dtype);

    return difference != 0 ? difference : strcmp(x->entry.name, y->entry.name);
}

static void place_slots(struct safetensors_writer *writer, const struct safetensors_entry *entries)
{
    int64_t end = 0;

    for (size_t i = 0; i < writer->n_slots; i++) {
        struct slot *slot = &writer->slots[i];
        slot->entry = entries[i];
        // the caller keeps nothing alive
        slot->entry.name = g_strdup(entries[i].name);
        // of a shape without dimensions
        slot->values = 1;
        for (int d = 0; d < entries[i].n_dims; d++) {
            slot->values *= entries[i].shape[d];
        }
    }
    qsort(writer->slots, writer->n_slots, sizeof(*writer->slots), compare_slots);
    for (size_t i = 0; i < writer->n_slots; i++) {
        struct slot *slot = &writer->slots[i];
        // two of one name would make a file that cannot be opened again
        bool fresh = g_hash_table_insert(writer->by_name, (char *)slot->entry.name, slot);
        g_assert(fresh);
        // one behind the other: readers refuse gaps
        slot->from = end;
        end += slot->values * (int64_t)dtype_bytes(slot->entry.dtype);
        slot->to = end;
    }
}

// a JSON string, quoted as the reference implementation does
static void append_quoted(GString *json, const char *text)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

    g_string_append_c(json, '"');
    for (const char *c = text; *c != '\0'; c++) {
        // what JSON has a letter for; bytes from 0x80 on are UTF-8 and stay as they are
        const char *found = strchr(plain, *c);
        if (found != NULL) {
            g_string_append_c(json, '\\');
            g_string_append_c(json, letters[found - plain]);
        } else if ((unsigned char)*c < 0x20) {
            g_string_append_printf(json, "\\u%04x", (unsigned)*c);
        } else {
            g_string_append_c(json, *c);
        }
    }
    g_string_append_c(json, '"');
}

static int compare_keys(const void *a, const void *b, void *keys)
{
    const char *const *names = keys;

    return strcmp(names[*(const guint *)a], names[*(const guint *)b]);
}

static void append_metadata(GString *json, const char *const *keys, const char *const *texts)
{
    guint count = keys == NULL ? 0 : g_strv_length((char **)keys);
    if (count == 0) {
        return;
    }
    // numbers are sorted instead of keys, so that each key stays with its text
    g_autofree guint *order = g_new(guint, count);
    for (guint i = 0; i < count; i++) {
        order[i] = i;
    }
    g_qsort_with_data(order, (int)count, sizeof(*order), compare_keys, (void *)keys);

    g_string_append(json, "\"__metadata__\":");
    for (guint i = 0; i < count; i++) {
        g_string_append_c(json, i == 0 ? '{' : ',');
        append_quoted(json, keys[order[i]]);
        g_string_append_c(json, ':');
        append_quoted(json, texts[order[i]]);
    }
    g_string_append(json, "},");
}

static void append_slot(GString *json, const struct slot *slot)
{
    append_quoted(json, slot->entry.name);
    g_string_append_printf(json, ":{\"dtype\":\"%s\",\"shape\":[", dtype_name(slot->entry.dtype));
    for (int d = 0; d < slot->entry.n_dims; d++) {
        g_string_append_printf(json, "%s%" G_GINT64_FORMAT, d == 0 ? "" : ",",
                               slot->entry.shape[d]);
    }
    g_string_append_printf(json, "],\"data_offsets\":[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]},",
                           slot->from, slot->to);
}

static GString *build_header(const struct safetensors_writer *writer, const char *const *keys,
                             const char *const *texts)
{
    GString *json = g_string_new("{");

    append_metadata(json, keys, texts);
    for (size_t i = 0; i < writer->n_slots; i++) {
        append_slot(json, &writer->slots[i]);
    }
    if (json->len > 1) { // the comma after the last
        g_string_truncate(json, json->len - 1);
    }
    g_string_append_c(json, '}');
    // so that who maps the file finds values where a processor wants them
    while (json->len % 8 != 0) {
        g_string_append_c(json, ' ');
    }
    return json;
}

static int64_t data_bytes(const struct safetensors_writer *writer)
{
    return writer->n_slots == 0 ? 0 : writer->slots[writer->n_slots - 1].to;
}

static bool write_header(struct safetensors_writer *writer, const GString *json, GError **error)
{
    uint64_t length = GUINT64_TO_LE((uint64_t)json->len);

    // set before anything can fail: tensors are placed from here
    writer->data_start = 8 + (int64_t)json->len;
    // a disk that is too small is told before hours of work, not after
    return atomic_file_reserve(writer->file, writer->data_start + data_bytes(writer), error) &&
           atomic_file_write(writer->file, &length, sizeof(length), error) &&
           atomic_file_write(writer->file, json->str, json->len, error);
}

// all that is known before there is a file
static struct safetensors_writer *plan(const struct safetensors_entry *entries, size_t n_entries,
                                       const char *const *keys, const char *const *texts)
{
    struct safetensors_writer *writer = g_new0(struct safetensors_writer, 1);

    writer->slots = g_new0(struct slot, n_entries);
    writer->n_slots = n_entries;
    writer->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    place_slots(writer, entries);
    writer->header = build_header(writer, keys, texts);
    return writer;
}

uint64_t safetensors_writer_measure(const struct safetensors_entry *entries, size_t n_entries,
                                    const char *const *keys, const char *const *texts)
{
    g_autoptr(safetensors_writer) writer = plan(entries, n_entries, keys, texts);

    return 8 + writer->header->len + (uint64_t)data_bytes(writer);
}

struct safetensors_writer *safetensors_writer_create(const char *path,
                                                     const struct safetensors_entry *entries,
                                                     size_t n_entries, const char *const *keys,
                                                     const char *const *texts, GError **error)
{
    g_autoptr(safetensors_writer) writer = plan(entries, n_entries, keys, texts);

    // from here on closing the writer removes what was begun
    writer->file = atomic_file_create(path, error);
    if (writer->file == NULL) {
        return NULL;
    }
    return write_header(writer, writer->header, error) ? g_steal_pointer(&writer) : NULL;
}

bool safetensors_writer_put(struct safetensors_writer *writer, const char *name,
                            const float *values, GError **error)
{
    struct slot *slot = g_hash_table_lookup(writer->by_name, name);
    g_assert(slot != NULL);

    enum dtype type = slot->entry.dtype;
    size_t size = dtype_bytes(type);
    int64_t offset = writer->data_start + slot->from;
    slot->put = true;
    if (type == DTYPE_F32) {
        return atomic_file_write_at(writer->file, values, (size_t)slot->values * size, offset,
                                    error);
    }
    // in parts that stay in the cache of the processor
    g_autofree char *part = g_malloc(PART * size);
    for (int64_t done = 0; done < slot->values; done += PART) {
        size_t count = (size_t)MIN(slot->values - done, PART);
        dtype_from_f32(type, values + done, part, count);
        if (!atomic_file_write_at(writer->file, part, count * size, offset + done * (int64_t)size,
                                  error)) {
            return false;
        }
    }
    return true;
}

bool safetensors_writer_get(const struct safetensors_writer *writer, const char *name,
                            float *values, GError **error)
{
    const struct slot *slot = g_hash_table_lookup(writer->by_name, name);
    g_assert(slot != NULL && slot->put && slot->entry.dtype == DTYPE_F32);

    return atomic_file_read_at(writer->file, values, (size_t)(slot->to - slot->from),
                               writer->data_start + slot->from, error);
}

static bool hash_values(const struct safetensors_writer *writer,
                        char hexadecimal[2 * SHA256_DIGEST_SIZE + 1], GError **error)
{
    const int64_t end = data_bytes(writer);
    struct sha256_ctx sum;
    uint8_t bytes[SHA256_DIGEST_SIZE];
    g_autofree uint8_t *part = g_malloc(PART);

    sha256_init(&sum);
    for (int64_t done = 0; done < end; done += PART) {
        const size_t n = (size_t)MIN(PART, end - done);
        if (!atomic_file_read_at(writer->file, part, n, writer->data_start + done, error)) {
            return false;
        }
        sha256_update(&sum, n, part);
    }
    sha256_digest(&sum, sizeof bytes, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        g_snprintf(hexadecimal + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}

// of the same length, so that nothing moves
static bool put_hash(struct safetensors_writer *writer, GError **error)
{
    char hexadecimal[2 * SHA256_DIGEST_SIZE + 1];

    if (strstr(writer->header->str, SAFETENSORS_SHA256) == NULL) {
        return true;
    }
    if (!hash_values(writer, hexadecimal, error)) {
        return false;
    }
    for (char *at; (at = strstr(writer->header->str, SAFETENSORS_SHA256)) != NULL;) {
        memcpy(at, hexadecimal, strlen(hexadecimal));
    }
    return atomic_file_write_at(writer->file, writer->header->str, writer->header->len,
                                writer->data_start - (int64_t)writer->header->len, error);
}

bool safetensors_writer_commit(struct safetensors_writer *writer, GError **error)
{
    for (size_t i = 0; i < writer->n_slots; i++) {
        // a tensor that was forgotten would be zeros, which look like values
        g_assert(writer->slots[i].put);
    }
    return put_hash(writer, error) && atomic_file_commit(writer->file, error);
}

void safetensors_writer_close(struct safetensors_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    for (size_t i = 0; i < writer->n_slots; i++) {
        g_free((char *)writer->slots[i].entry.name);
    }
    if (writer->header != NULL) {
        g_string_free(writer->header, TRUE);
    }
    g_free(writer->slots);
    g_clear_pointer(&writer->by_name, g_hash_table_unref);
    atomic_file_close(writer->file);
    g_free(writer);
}
