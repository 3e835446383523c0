/* Subjects in memory and their files; see subject_file.h. */
#include "engine/subject/subject_file.h"

#include "engine/network/text_encoder.h"
#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/model/model_kind.h"
#include "engine/base/safetensors.h"

#include <string.h>

// in one block of memory, so that a table frees it with g_free
struct shift {
    int count;
    float values[];
};

struct subject {
    GHashTable *shifts;   // name to struct shift
    GHashTable *metadata; // key to text
    GPtrArray *notices;   // NULL-terminated
};

struct subject *subject_create(void)
{
    struct subject *s = g_new0(struct subject, 1);

    s->shifts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->notices = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(s->notices, NULL);
    return s;
}

void subject_free(struct subject *s)
{
    if (s != NULL) {
        g_hash_table_unref(s->shifts);
        g_hash_table_unref(s->metadata);
        g_ptr_array_unref(s->notices);
        g_free(s);
    }
}

const char *const *subject_notices(const struct subject *s)
{
    return (const char *const *)s->notices->pdata;
}

// takes the text
static void add_notice(struct subject *s, char *text)
{
    // before the NULL that ends the list
    g_ptr_array_insert(s->notices, (int)s->notices->len - 1, text);
}

// room for count values, or NULL without memory
static struct shift *shift_create(int64_t count)
{
    return g_try_malloc(sizeof(struct shift) + (gsize)count * sizeof(float));
}

void subject_set_shift(struct subject *s, const char *name, const float *values, int count)
{
    // of our own run: memory for it was there a moment ago
    struct shift *shift = g_malloc(sizeof *shift + (gsize)count * sizeof *values);

    shift->count = count;
    memcpy(shift->values, values, (size_t)count * sizeof *values);
    g_hash_table_replace(s->shifts, g_strdup(name), shift);
}

const float *subject_shift(const struct subject *s, const char *name, int *count)
{
    const struct shift *shift = g_hash_table_lookup(s->shifts, name);

    // 0 values where there is no such shift
    *count = shift == NULL ? 0 : shift->count;
    return shift == NULL ? NULL : shift->values;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// a hash table has no order, files and comparisons want one
static const char **sorted_keys(GHashTable *table)
{
    guint n;
    const char **keys = (const char **)g_hash_table_get_keys_as_array(table, &n);

    qsort(keys, n, sizeof *keys, compare_names);
    return keys;
}

const char **subject_names(const struct subject *s)
{
    return sorted_keys(s->shifts);
}

void subject_set_metadata(struct subject *s, const char *key, const char *value)
{
    if (value == NULL) {
        g_hash_table_remove(s->metadata, key);
    } else {
        g_hash_table_replace(s->metadata, g_strdup(key), g_strdup(value));
    }
}

const char *subject_metadata(const struct subject *s, const char *key)
{
    return g_hash_table_lookup(s->metadata, key);
}

static char *numbered_key(const char *key, int number)
{
    return number == 1 ? g_strdup(key) : g_strdup_printf("%s.%d", key, number);
}

void subject_set_numbered(struct subject *s, const char *key, int number, const char *value)
{
    g_autofree char *name = numbered_key(key, number);

    subject_set_metadata(s, name, value);
}

const char *subject_numbered(const struct subject *s, const char *key, int number)
{
    g_autofree char *name = numbered_key(key, number);

    return subject_metadata(s, name);
}

const char **subject_metadata_keys(const struct subject *s)
{
    return sorted_keys(s->metadata);
}

bool subject_name_is_text(const char *name)
{
    return g_str_has_prefix(name, TEXT_ENCODER_MODULE);
}

// the module's own name, "norm1" or "final_layer_norm", says that it is a norm
bool subject_is_elementwise(const char *name, int count)
{
    // a norm of one channel has one value either way: it is then scalar
    g_autofree char *module = g_strndup(name, strlen(name) - strlen(".delta"));
    const char *dot = strrchr(module, '.');

    return count != 1 && strstr(dot == NULL ? module : dot, "norm") != NULL;
}

// the table is token_embedding or position_embedding
bool subject_is_row(const char *name)
{
    return strstr(name, "_embedding.row.") != NULL;
}

/* ---- reading ---- */

// a name that is nothing but the ending names no module
static bool is_shift_name(const char *name)
{
    return g_str_has_suffix(name, ".delta") && strlen(name) > strlen(".delta");
}

/* The name by which the subject knows the shift that a file calls `name`; the caller frees it. */
static char *canonical_name(const char *name)
{
    static const char *const text_modules[] = {"embeddings.", "encoder.", "final_layer_norm."};

    // other programs put the model's part before the name
    if (g_str_has_prefix(name, "unet.")) {
        return g_strdup(name + strlen("unet."));
    }
    if (g_str_has_prefix(name, "text_encoder.")) {
        name += strlen("text_encoder.");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(text_modules); i++) {
        // svdiff-pytorch's own second file, which lacks "text_model."
        if (g_str_has_prefix(name, text_modules[i])) {
            return g_strconcat(TEXT_ENCODER_MODULE, name, NULL);
        }
    }
    return g_strdup(name);
}

/* Kohya's module names, as one port of SVDiff has them: its shifts belong to weights that are laid
 * out in another way. */
static bool check_name(const char *path, const char *name, GError **error)
{
    if (!g_str_has_prefix(name, "lora_")) {
        return true;
    }
    return error_failed(error,
                        "%s: %s names its weight as a LoRA does; such shifts fit no weight here, "
                        "use a subject of this program or of svdiff-pytorch.",
                        path, name);
}

static bool check_shape(const char *path, const struct safetensors_tensor *tensor, GError **error)
{
    // a shift is a list; an int counts it everywhere
    if (tensor->n_dims == 1 && tensor->values >= 1 && tensor->values <= G_MAXINT) {
        return true;
    }
    g_autofree char *shape = safetensors_shape_text(tensor->shape, tensor->n_dims);
    return error_failed(
        error,
        "%s: %s has the shape %s, a shift is one list of numbers; this is no subject of SVDiff.",
        path, tensor->name, shape);
}

static bool check_values(const char *path, const struct safetensors_tensor *tensor,
                         const struct shift *shift, GError **error)
{
    if (dtype_finite(shift->values, (size_t)shift->count)) {
        return true;
    }
    return error_failed(error,
                        "%s: %s has values that are infinite or no numbers; its learning went "
                        "wrong, learn it anew with a lower learning rate.",
                        path, tensor->name);
}

static bool read_shift(struct subject *s, const struct safetensors *file,
                       const struct safetensors_tensor *tensor, GError **error)
{
    const char *path = safetensors_path(file);
    g_autofree char *name = canonical_name(tensor->name);

    if (!check_name(path, tensor->name, error) || !check_shape(path, tensor, error)) {
        return false;
    }
    if (g_hash_table_contains(s->shifts, name)) {
        return error_failed(error,
                            "%s: the shift %s is there twice, under other names too; remove one.",
                            path, name);
    }
    // as large as a file from anywhere says: that may be too much
    g_autofree struct shift *shift = shift_create(tensor->values);
    if (shift == NULL) {
        return error_failed(error, "%s: there is no memory for %s; close other programs.", path,
                            tensor->name);
    }
    shift->count = (int)tensor->values;
    // checked here once, so that nobody else has to ask
    if (!safetensors_read_f32(file, tensor, shift->values, error) ||
        !check_values(path, tensor, shift, error)) {
        return false;
    }
    g_hash_table_insert(s->shifts, g_steal_pointer(&name), g_steal_pointer(&shift));
    return true;
}

static bool read_metadata(struct subject *s, const struct safetensors *file, GError **error)
{
    const char *const *keys = safetensors_metadata_keys(file);
    const char *format = safetensors_metadata(file, SUBJECT_KEY_FORMAT);
    const char *version = safetensors_metadata(file, SUBJECT_KEY_VERSION);

    // other programs' formats have versions of their own
    if (g_strcmp0(format, SUBJECT_FORMAT) == 0 && version != NULL &&
        g_ascii_strtoull(version, NULL, 10) > SUBJECT_VERSION) {
        return error_failed(error,
                            "%s: the subject was written by a later version of this program "
                            "(format %s, known is %d); update the program.",
                            safetensors_path(file), version, SUBJECT_VERSION);
    }
    for (; *keys != NULL; keys++) {
        subject_set_metadata(s, *keys, safetensors_metadata(file, *keys));
    }
    return true;
}

static bool read_file(struct subject *s, const char *path, GError **error)
{
    g_autoptr(safetensors) file = safetensors_open(path, error);
    int foreign = 0, shifts = 0;

    if (file == NULL || !read_metadata(s, file, error)) {
        return false;
    }
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        // what some ports keep beside the shifts is told, not refused
        bool ours = is_shift_name(tensor->name);
        if (ours && !read_shift(s, file, tensor, error)) {
            return false;
        }
        shifts += ours;
        foreign += !ours;
    }
    if (shifts == 0) {
        // says what it is instead: a model, a LoRA
        model_kind_refuse(file, true, error);
        return false;
    }
    if (foreign > 0) {
        add_notice(
            s, g_strdup_printf("%s: tensors that are no shifts are left out (%d).", path, foreign));
    }
    return true;
}

static bool read_folder(struct subject *s, const char *folder, GError **error)
{
    static const char *const names[] = {SUBJECT_FILE_UNET, SUBJECT_FILE_TEXT};
    int found = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        // a subject without a shifted text encoder has one file alone
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            if (!read_file(s, path, error)) {
                return false;
            }
            found++;
        }
    }
    if (found == 0) {
        error_failed(
            error,
            "%s: the folder has no " SUBJECT_FILE_UNET
            "; give a subject's .safetensors file or the folder that svdiff-pytorch wrote.",
            folder);
    }
    return found > 0;
}

// half of svdiff-pytorch's pair: the other half is not read unasked
static void notice_neighbour(struct subject *s, const char *path)
{
    g_autofree char *base = g_path_get_basename(path), *folder = g_path_get_dirname(path);
    // a person may mean the one file alone, so it is only told
    g_autofree char *text = g_build_filename(folder, SUBJECT_FILE_TEXT, NULL);

    if (strcmp(base, SUBJECT_FILE_UNET) == 0 && g_file_test(text, G_FILE_TEST_EXISTS)) {
        add_notice(s, g_strdup_printf("%s beside it is not read; give the folder %s for both.",
                                      text, folder));
    }
}

struct subject *subject_open(const char *path, GError **error)
{
    g_autoptr(subject_file) s = subject_create();

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        // svdiff-pytorch's pair, as one subject
        return read_folder(s, path, error) ? g_steal_pointer(&s) : NULL;
    }
    if (!read_file(s, path, error)) {
        return NULL;
    }
    notice_neighbour(s, path);
    return g_steal_pointer(&s);
}
