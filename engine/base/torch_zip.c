/* The directory of a zip; see torch_zip.h. It stands at the end of the file, with 64-bit numbers where 32
 * bits are too few (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16 and 4.5.3):
 *
 *   entries ...  directory: name, size, place of each  [record of 64 bits, its locator]  end record */
#include "engine/base/torch_zip.h"

#include "engine/base/error.h"

#include <string.h>

#define END_BYTES       22
#define LOCATOR_BYTES   20
#define END64_BYTES     56
#define ENTRY_BYTES     46
#define LOCAL_BYTES     30
#define LONGEST_COMMENT 65535
// far above any model's
#define MAX_DIRECTORY ((int64_t)64 << 20)

struct reading {
    const struct regular_file *file;
    GHashTable *entries;
    GError **error;
};

static uint64_t number(const uint8_t *at, int bytes)
{
    uint64_t n = 0;

    for (int i = 0; i < bytes; i++) {
        n |= (uint64_t)at[i] << (8 * i);
    }
    return n;
}

static bool fail(const struct reading *r, const char *problem)
{
    return error_failed(r->error, "%s: %s; get another copy, best as .safetensors.", r->file->path,
                        problem);
}

static bool fail_damaged(const struct reading *r)
{
    return fail(r, "the file is a zip that is cut off or damaged");
}

// the last end record, behind which a comment may stand; the file's last bytes are read for it
static bool find_end(const struct reading *r, uint8_t end[END_BYTES], int64_t *place)
{
    const int64_t size = MIN(r->file->size, END_BYTES + LONGEST_COMMENT);
    g_autofree uint8_t *tail = g_malloc((gsize)size);

    if (!regular_file_read(r->file, tail, (size_t)size, r->file->size - size, r->error)) {
        return false;
    }
    for (int64_t at = size - END_BYTES; at >= 0; at--) {
        if (memcmp(tail + at, "PK\x05\x06", 4) == 0) {
            memcpy(end, tail + at, END_BYTES);
            *place = r->file->size - size + at;
            return true;
        }
    }
    return fail_damaged(r);
}

// where the directory lies, from the record of 64 bits where there is one
static bool find_directory(const struct reading *r, int64_t *offset, int64_t *bytes)
{
    uint8_t end[END_BYTES], locator[LOCATOR_BYTES], end64[END64_BYTES];
    int64_t place = 0;

    if (!find_end(r, end, &place)) {
        return false;
    }
    *bytes = (int64_t)number(end + 12, 4);
    *offset = (int64_t)number(end + 16, 4);
    if (place >= LOCATOR_BYTES &&
        regular_file_read(r->file, locator, LOCATOR_BYTES, place - LOCATOR_BYTES, NULL) &&
        memcmp(locator, "PK\x06\x07", 4) == 0) {
        const uint64_t at = number(locator + 8, 8);
        if (r->file->size < END64_BYTES || at > (uint64_t)r->file->size - END64_BYTES ||
            !regular_file_read(r->file, end64, END64_BYTES, (int64_t)at, NULL) ||
            memcmp(end64, "PK\x06\x06", 4) != 0) {
            return fail_damaged(r);
        }
        *bytes = (int64_t)number(end64 + 40, 8);
        *offset = (int64_t)number(end64 + 48, 8);
    }
    return (*offset >= 0 && *bytes >= 0 && *bytes <= MAX_DIRECTORY && *offset <= r->file->size &&
            *bytes <= r->file->size - *offset) ||
           fail_damaged(r);
}

// numbers of 64 bits stand in the field with the tag 1, in the order of those that ask for it
static bool widen(const uint8_t *extra, size_t length, uint64_t *const fields[3])
{
    size_t at = 0;

    while (at + 4 <= length) {
        const size_t size = (size_t)number(extra + at + 2, 2), next = at + 4 + size;
        if (next > length) {
            return false;
        }
        if (number(extra + at, 2) == 1) {
            size_t value = at + 4;
            for (int i = 0; i < 3; i++) {
                if (*fields[i] == G_MAXUINT32) {
                    if (value + 8 > next) {
                        return false;
                    }
                    *fields[i] = number(extra + value, 8);
                    value += 8;
                }
            }
            return true;
        }
        at = next;
    }
    return *fields[0] != G_MAXUINT32 && *fields[1] != G_MAXUINT32 && *fields[2] != G_MAXUINT32;
}

// the entry's own header says where its content begins
static bool add_entry(const struct reading *r, const uint8_t *name, size_t length, uint64_t place,
                      uint64_t bytes)
{
    const uint64_t size = (uint64_t)r->file->size;
    uint8_t local[LOCAL_BYTES];

    if (place > size || size - place < LOCAL_BYTES ||
        !regular_file_read(r->file, local, LOCAL_BYTES, (int64_t)place, NULL) ||
        memcmp(local, "PK\x03\x04", 4) != 0) {
        return fail_damaged(r);
    }
    const uint64_t begin = place + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
    if (begin > size || bytes > size - begin) {
        return fail_damaged(r);
    }
    struct torch_zip_entry *entry = g_new(struct torch_zip_entry, 1);
    *entry = (struct torch_zip_entry){(int64_t)begin, (int64_t)bytes};
    char *key = g_strndup((const char *)name, length);
    if (g_hash_table_contains(r->entries, key)) {
        g_free(key);
        g_free(entry);
        return fail(r, "two entries of the zip have one name");
    }
    g_hash_table_insert(r->entries, key, entry);
    return true;
}

static bool read_entry(const struct reading *r, const uint8_t *at, size_t left, size_t *used)
{
    if (left < ENTRY_BYTES || memcmp(at, "PK\x01\x02", 4) != 0) {
        return fail_damaged(r);
    }
    const size_t name = (size_t)number(at + 28, 2), extra = (size_t)number(at + 30, 2);
    uint64_t packed = number(at + 20, 4), bytes = number(at + 24, 4), place = number(at + 42, 4);
    // in this order in the field of 64 bits
    uint64_t *const fields[] = {&bytes, &packed, &place};

    *used = ENTRY_BYTES + name + extra + (size_t)number(at + 32, 2);
    if (*used > left || !widen(at + ENTRY_BYTES + name, extra, fields)) {
        return fail_damaged(r);
    }
    if (number(at + 8, 2) & 1) {
        return fail(r, "the zip is encrypted");
    }
    if (number(at + 10, 2) != 0 || packed != bytes) {
        return fail(r, "the zip is packed, which torch.save never does");
    }
    return add_entry(r, at + ENTRY_BYTES, name, place, bytes);
}

static bool read_directory(const struct reading *r)
{
    int64_t offset, bytes;

    if (!find_directory(r, &offset, &bytes)) {
        return false;
    }
    g_autofree uint8_t *directory = g_malloc((gsize)MAX(bytes, 1));
    if (!regular_file_read(r->file, directory, (size_t)bytes, offset, r->error)) {
        return false;
    }
    for (size_t at = 0, used = 0; at < (size_t)bytes; at += used) {
        if (!read_entry(r, directory + at, (size_t)bytes - at, &used)) {
            return false;
        }
    }
    return true;
}

GHashTable *torch_zip_list(const struct regular_file *file, GError **error)
{
    const struct reading r = {.file = file,
                              .entries =
                                  g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                              .error = error};

    if (file->size < END_BYTES ? !fail_damaged(&r) : !read_directory(&r)) {
        g_hash_table_unref(r.entries);
        return NULL;
    }
    return r.entries;
}
