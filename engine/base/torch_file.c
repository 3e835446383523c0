/* Files of torch.save; see torch_file.h.
 *
 *   zip or stream -> pickles -> storages by their keys -> tensors that lie in them -> a header */
#include "engine/base/torch_file.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/base/pickle.h"
#include "engine/base/torch_zip.h"

#include <stdlib.h>
#include <string.h>

// of a pickle; those of models have a hundred thousand
#define MAX_PICKLE ((int64_t)100 << 20)
// a name is that of dicts in dicts; values may be shared, or contain themselves
#define MAX_DEPTH  16
#define MAX_VISITS (1 << 20)
#define MAX_NAME   4096
// of all names and texts together: a text may be shared, too
#define MAX_TEXTS ((size_t)64 << 20)

struct reading {
    const struct regular_file *file;
    GHashTable *storages; // key to struct torch_zip_entry
    GArray *tensors;      // struct safetensors_tensor
    struct safetensors_header *header;
    int visits;
    size_t texts; // bytes of names and texts
    GError **error;
};

static bool fail(const struct reading *r, const char *problem)
{
    return error_failed(r->error, "%s: %s; get another copy, best as .safetensors.", r->file->path,
                        problem);
}

/* ---- tensors ---- */

/* The values between the first and the last, both included, and whether they lie in the shape's order.
 * False where numbers are beyond those of any file. */
static bool measure(const struct pickle_value *v, int64_t *values, int64_t *span, bool *ordered)
{
    int64_t next = 1, last = 0;
    bool empty = false;

    *ordered = true;
    for (int i = v->n_dims - 1; i >= 0; i--) {
        const int64_t size = v->shape[i];
        *ordered = *ordered && (size == 1 || v->stride[i] == next);
        empty = empty || size == 0;
        int64_t reach;
        if (__builtin_mul_overflow(next, MAX(size, 1), &next) ||
            __builtin_mul_overflow(MAX(size, 1) - 1, v->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last)) {
            return false;
        }
    }
    *values = empty ? 0 : next;
    *ordered = *ordered || empty;
    *span = 0;
    return empty || !__builtin_add_overflow(last, 1, span);
}

// a text of the header's own; NULL with an error when there are too many
static char *keep_text(struct reading *r, const char *text)
{
    const size_t length = strlen(text);

    if (length > MAX_TEXTS - r->texts) {
        fail(r, "its names and texts are longer than any model's");
        return NULL;
    }
    r->texts += length;
    return g_string_chunk_insert(r->header->texts, text);
}

static bool add_tensor(struct reading *r, const char *name, const struct pickle_value *v)
{
    const struct torch_zip_entry *entry = g_hash_table_lookup(r->storages, v->storage->text);
    const int64_t size = dtype_name_bits(v->type) / 8;
    int64_t span;
    bool ordered;
    struct safetensors_tensor t = {.dtype = dtype_from_name(v->type), .n_dims = v->n_dims};

    if (entry == NULL) {
        return error_failed(r->error,
                            "%s: the values of %s are missing; get another copy of the file.",
                            r->file->path, name);
    }
    if (!measure(v, &t.values, &span, &ordered) || v->first > entry->bytes / size ||
        span > entry->bytes / size - v->first || __builtin_mul_overflow(t.values, size, &t.bytes)) {
        return error_failed(r->error,
                            "%s: the values of %s would lie beyond what is stored for them; the "
                            "file is damaged.",
                            r->file->path, name);
    }
    t.name = keep_text(r, name);
    if (t.name == NULL) {
        return false;
    }
    t.dtype_name = g_string_chunk_insert_const(r->header->texts, v->type);
    if (!ordered) {
        g_autofree char *other = g_strconcat(v->type, " in another order of its values", NULL);
        t.dtype = DTYPE_OTHER;
        t.dtype_name = g_string_chunk_insert_const(r->header->texts, other);
    }
    memcpy(t.shape, v->shape, sizeof t.shape);
    t.offset = entry->offset + v->first * size;
    g_array_append_val(r->tensors, t);
    return true;
}

static bool add_metadata(struct reading *r, const char *name, const char *text)
{
    struct safetensors_header *h = r->header;

    if (g_hash_table_contains(h->metadata, name)) {
        return true;
    }
    char *key = keep_text(r, name), *value = key != NULL ? keep_text(r, text) : NULL;
    if (value != NULL) {
        g_ptr_array_add(h->keys, key);
        g_hash_table_insert(h->metadata, key, value);
    }
    return value != NULL;
}

static bool walk(struct reading *r, const char *name, const struct pickle_value *v, int depth);

static bool walk_dict(struct reading *r, const char *name, const struct pickle_value *v, int depth)
{
    for (guint i = 0; i + 1 < v->items->len; i += 2) {
        const struct pickle_value *key = v->items->pdata[i];
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, key->number);
        const char *text = key->kind == PICKLE_TEXT     ? key->text
                           : key->kind == PICKLE_NUMBER ? number
                                                        : NULL;
        g_autofree char *inner =
            text == NULL ? NULL : g_strdup_printf("%s%s%s", name, *name ? "." : "", text);
        // what has no name cannot be asked for
        if (inner != NULL && !walk(r, inner, v->items->pdata[i + 1], depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool walk(struct reading *r, const char *name, const struct pickle_value *v, int depth)
{
    if (++r->visits > MAX_VISITS || depth > MAX_DEPTH || strlen(name) > MAX_NAME) {
        return fail(r, "its values are nested as no state dict's are");
    }
    switch (v->kind) {
    case PICKLE_TENSOR:
        return add_tensor(r, name, v);
    case PICKLE_DICT:
        return walk_dict(r, name, v, depth);
    case PICKLE_TEXT:
        return add_metadata(r, name, v->text);
    default:
        return true;
    }
}

/* ---- the header ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct safetensors_tensor *)a)->name,
                  ((const struct safetensors_tensor *)b)->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void create_header(struct reading *r)
{
    r->header = g_new0(struct safetensors_header, 1);
    r->header->texts = g_string_chunk_new(4096);
    r->header->keys = g_ptr_array_new();
    r->header->metadata = g_hash_table_new(g_str_hash, g_str_equal);
    r->tensors = g_array_new(FALSE, TRUE, sizeof(struct safetensors_tensor));
}

// the tensors in the order of their names; of a dict that has one key twice the last would win
static bool finish_header(struct reading *r)
{
    struct safetensors_header *h = r->header;

    g_array_sort(r->tensors, compare_names);
    for (guint i = 1; i < r->tensors->len; i++) {
        const struct safetensors_tensor *t =
            &g_array_index(r->tensors, struct safetensors_tensor, i);
        if (strcmp(t[-1].name, t->name) == 0) {
            return error_failed(r->error, "%s: the tensor %s is there twice.", r->file->path,
                                t->name);
        }
    }
    g_ptr_array_sort(h->keys, compare_keys); // of none, too
    g_ptr_array_add(h->keys, NULL);
    h->count = r->tensors->len;
    h->tensors = (struct safetensors_tensor *)(void *)g_array_free(r->tensors, FALSE);
    r->tensors = NULL;
    return true;
}

static struct safetensors_header *make_header(struct reading *r, const struct pickle *p)
{
    const struct pickle_value *root = pickle_root(p);
    const struct pickle_value *state = pickle_member(root, "state_dict");

    create_header(r);
    const bool good = walk(r, "", state != NULL && state->kind == PICKLE_DICT ? state : root, 0) &&
                      finish_header(r);
    g_clear_pointer(&r->tensors, g_array_unref);
    if (!good) {
        g_clear_pointer(&r->header, safetensors_header_free);
    }
    return r->header;
}

/* ---- a zip ---- */

// the name of data.pkl without its end, which stands before all others; NULL with an error
static char *find_folder(const struct reading *r, GHashTable *entries)
{
    GHashTableIter iter;
    char *folder = NULL;
    void *name;

    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (g_str_has_suffix(name, "/data.pkl") || strcmp(name, "data.pkl") == 0) {
            if (folder != NULL) {
                fail(r, "it has data.pkl twice, and one of them is not PyTorch's");
                g_free(folder);
                return NULL;
            }
            folder = g_strndup(name, strlen(name) - strlen("data.pkl"));
        }
    }
    if (folder == NULL) {
        fail(r, "this is a zip, but none of PyTorch's: it has no data.pkl");
    }
    return folder;
}

// storages by their keys alone
static GHashTable *take_storages(GHashTable *entries, const char *folder)
{
    GHashTable *storages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *before = g_strconcat(folder, "data/", NULL);
    GHashTableIter iter;
    void *name, *entry;

    g_hash_table_iter_init(&iter, entries);
    while (g_hash_table_iter_next(&iter, &name, &entry)) {
        if (g_str_has_prefix(name, before)) {
            g_hash_table_insert(storages, g_strdup((char *)name + strlen(before)), entry);
        }
    }
    return storages;
}

static uint8_t *load(const struct reading *r, int64_t offset, int64_t bytes)
{
    uint8_t *data = bytes <= MAX_PICKLE ? g_try_malloc((gsize)MAX(bytes, 1)) : NULL;

    if (data == NULL) {
        fail(r, "the pickle in it is larger than any model's");
    } else if (!regular_file_read(r->file, data, (size_t)bytes, offset, r->error)) {
        g_clear_pointer(&data, g_free);
    }
    return data;
}

static bool check_byte_order(const struct reading *r, GHashTable *entries, const char *folder)
{
    g_autofree char *name = g_strconcat(folder, "byteorder", NULL);
    const struct torch_zip_entry *entry = g_hash_table_lookup(entries, name);
    char word[3] = "";

    if (entry == NULL || entry->bytes != 3 ||
        !regular_file_read(r->file, word, sizeof word, entry->offset, NULL)) {
        return true; // "little", or a file that does not say it
    }
    return memcmp(word, "big", sizeof word) != 0 ||
           fail(r, "its values are of a machine with another order of bytes");
}

static struct safetensors_header *read_zip(struct reading *r)
{
    g_autoptr(GHashTable) entries = torch_zip_list(r->file, r->error);
    g_autofree char *folder = entries != NULL ? find_folder(r, entries) : NULL;
    size_t used;

    if (folder == NULL) {
        return NULL;
    }
    g_autofree char *name = g_strconcat(folder, "data.pkl", NULL);
    const struct torch_zip_entry *entry = g_hash_table_lookup(entries, name);
    g_autofree uint8_t *bytes =
        check_byte_order(r, entries, folder) ? load(r, entry->offset, entry->bytes) : NULL;
    g_autoptr(pickle) p =
        bytes != NULL ? pickle_read(bytes, (size_t)entry->bytes, r->file->path, &used, r->error)
                      : NULL;
    if (p == NULL) {
        return NULL;
    }
    g_autoptr(GHashTable) storages = take_storages(entries, folder);
    r->storages = storages;
    return make_header(r, p);
}

/* ---- before PyTorch 1.6 ---- */

// every storage of the object by its key, each once
static void list_storages(const struct pickle_value *v, int depth, int *visits, GHashTable *types)
{
    if (v->kind == PICKLE_TENSOR) {
        g_hash_table_insert(types, (void *)v->storage->text, (void *)v->storage);
    }
    for (guint i = 0; v->items != NULL && i < v->items->len && depth < MAX_DEPTH; i++) {
        if (++*visits > MAX_VISITS) {
            return;
        }
        list_storages(v->items->pdata[i], depth + 1, visits, types);
    }
}

/* What follows the pickles: for each key a number of values of 64 bits, then the values. */
static bool place_storages(struct reading *r, const struct pickle *object,
                           const struct pickle_value *keys, int64_t at)
{
    g_autoptr(GHashTable) types = g_hash_table_new(g_str_hash, g_str_equal);
    int visits = 0;

    list_storages(pickle_root(object), 0, &visits, types);
    for (guint i = 0; i < keys->items->len; i++) {
        const struct pickle_value *key = keys->items->pdata[i];
        const struct pickle_value *storage =
            key->kind == PICKLE_TEXT ? g_hash_table_lookup(types, key->text) : NULL;
        uint64_t count;
        if (storage == NULL || r->file->size - at < (int64_t)sizeof count ||
            !regular_file_read(r->file, &count, sizeof count, at, NULL)) {
            return fail(r, "its storages cannot be told apart, or it is cut off");
        }
        const int64_t size = dtype_name_bits(storage->type) / 8;
        at += (int64_t)sizeof count;
        if (count > (uint64_t)(r->file->size - at) / (uint64_t)size) {
            return fail(r, "it is cut off");
        }
        struct torch_zip_entry *entry = g_new(struct torch_zip_entry, 1);
        *entry = (struct torch_zip_entry){at, (int64_t)count * size};
        g_hash_table_replace(r->storages, g_strdup(key->text), entry);
        at += entry->bytes;
    }
    return true;
}

static struct safetensors_header *read_old(struct reading *r)
{
    enum { MAGIC, VERSION, MACHINE, OBJECT, KEYS, PICKLES };
    const int64_t bytes = MIN(r->file->size, MAX_PICKLE);
    g_autofree uint8_t *data = load(r, 0, bytes);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)pickle_free);
    int64_t at = 0;

    for (int i = 0; data != NULL && i < PICKLES; i++) {
        size_t used;
        struct pickle *p =
            pickle_read(data + at, (size_t)(bytes - at), r->file->path, &used, r->error);
        if (p == NULL) {
            return NULL;
        }
        g_ptr_array_add(all, p);
        at += (int64_t)used;
    }
    if (data == NULL) {
        return NULL;
    }
    g_autoptr(GHashTable) storages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const struct pickle_value *keys = pickle_root(all->pdata[KEYS]);
    r->storages = storages;
    if (keys->kind != PICKLE_LIST || !place_storages(r, all->pdata[OBJECT], keys, at)) {
        if (keys->kind != PICKLE_LIST) {
            fail(r, "it has no list of its storages");
        }
        return NULL;
    }
    return make_header(r, all->pdata[OBJECT]);
}

struct safetensors_header *torch_file_read(const struct regular_file *file, enum file_magic magic,
                                           GError **error)
{
    struct reading r = {.file = file, .error = error};

    return magic == FILE_MAGIC_TORCH_ZIP ? read_zip(&r) : read_old(&r);
}
