/* The files of one component's weights; see weight_files.h.
 *
 * The folder is listed once and every name is read as BASE[.VARIANT] and what kind of file it is;
 * the best kind and variant wins. An index is a table from tensors to files of the same folder. */
#include "engine/model/weight_files.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

#include <string.h>

// far above any model's: what is larger is no index
#define MAX_INDEX_BYTES (64 << 20)

struct weight_files {
    char *path;
    GPtrArray *files;   // struct safetensors *, owned
    GPtrArray *tensors; // const struct safetensors_tensor *, those that count
    GPtrArray *owners;  // the file of each, in the same order
    GHashTable *index;  // name -> position + 1
};

// empty; path is what sentences name
static struct weight_files *create(const char *path)
{
    struct weight_files *weights = g_new0(struct weight_files, 1);

    weights->path = g_strdup(path);
    weights->files = g_ptr_array_new_with_free_func((GDestroyNotify)safetensors_close);
    weights->tensors = g_ptr_array_new();
    weights->owners = g_ptr_array_new();
    weights->index = g_hash_table_new(g_str_hash, g_str_equal);
    return weights;
}

void weight_files_close(struct weight_files *weights)
{
    if (weights == NULL) {
        return;
    }
    g_free(weights->path);
    g_ptr_array_unref(weights->tensors);
    g_ptr_array_unref(weights->owners);
    g_hash_table_unref(weights->index);
    g_ptr_array_unref(weights->files);
    g_free(weights);
}

static void add_tensor(struct weight_files *weights, struct safetensors *file,
                       const struct safetensors_tensor *tensor)
{
    g_ptr_array_add(weights->tensors, (void *)tensor);
    g_ptr_array_add(weights->owners, file);
    // plus 1, so that NULL is none; the name is the file's
    g_hash_table_insert(weights->index, (void *)tensor->name,
                        GUINT_TO_POINTER(weights->tensors->len));
}

struct weight_files *weight_files_open_file(const char *path, GError **error)
{
    struct safetensors *file = safetensors_open(path, error);
    if (file == NULL) {
        return NULL;
    }
    struct weight_files *weights = create(path);
    g_ptr_array_add(weights->files, file);
    // every tensor counts: with an index only those that it names
    for (size_t i = 0; i < safetensors_count(file); i++) {
        add_tensor(weights, file, safetensors_at(file, i));
    }
    return weights;
}

// the shard `name` beside the index, opened once
static struct safetensors *open_shard(struct weight_files *weights, GHashTable *shards,
                                      const char *folder, const char *name, GError **error)
{
    struct safetensors *file = g_hash_table_lookup(shards, name);
    if (file != NULL) {
        return file;
    }
    // an index from elsewhere must not make this program read any file of the person's
    if (name[0] == '\0' || strpbrk(name, "/\\") != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        error_failed(error,
                     "%s: the index names the file \"%s\", which is not in its folder; get a whole "
                     "copy of the model.",
                     weights->path, name);
        return NULL;
    }
    g_autofree char *path = g_build_filename(folder, name, NULL);
    file = safetensors_open(path, error);
    if (file != NULL) {
        g_ptr_array_add(weights->files, file);
        g_hash_table_insert(shards, g_strdup(name), file);
    }
    return file;
}

/* opens every shard that the map [tensor -> shard] names and takes from each the tensors that it
 * is said to hold */
static bool open_shards(struct weight_files *weights, const char *folder, JsonObject *map,
                        GError **error)
{
    g_autoptr(GHashTable) shards = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GList) names = json_object_get_members(map);

    for (GList *at = names; at != NULL; at = at->next) {
        const char *shard;
        if (!json_get_string(map, weights->path, at->data, JSON_REQUIRED, &shard, error)) {
            return false;
        }
        struct safetensors *file = open_shard(weights, shards, folder, shard, error);
        if (file == NULL) {
            return false;
        }
        // told now: a half-finished download has all shards and an older index, or the reverse
        const struct safetensors_tensor *tensor = safetensors_find(file, at->data);
        if (tensor == NULL) {
            return error_failed(error,
                                "%s: tensor %s is missing, the index says that it is here; get a "
                                "whole copy of the model.",
                                safetensors_path(file), (const char *)at->data);
        }
        add_tensor(weights, file, tensor);
    }
    return true;
}

// folder: where the shards lie; path: the index, which sentences name
static struct weight_files *open_index(const char *folder, const char *path, GError **error)
{
    g_autoptr(JsonNode) root = json_read_file(path, MAX_INDEX_BYTES, error);
    JsonObject *object = root == NULL ? NULL : json_root_object(root, path, error);
    JsonObject *map = NULL;
    if (object == NULL ||
        !json_get_object(object, path, "weight_map", JSON_REQUIRED, &map, error)) {
        return NULL;
    }
    g_autoptr(weight_files) weights = create(path);
    return open_shards(weights, folder, map, error) ? g_steal_pointer(&weights) : NULL;
}

// what a name in the folder is
enum file_kind {
    FILE_SINGLE,
    FILE_INDEX,
    FILE_PICKLE, // the same two of PyTorch's own files
    FILE_PICKLE_INDEX,
    FILE_NONE,
};

/* Reads BASE[.VARIANT]TAIL; *variant is newly allocated, "" for none. */
static bool split_name(const char *name, const char *base, const char *tail, char **variant)
{
    size_t start = strlen(base), end = strlen(name) - MIN(strlen(tail), strlen(name));

    if (!g_str_has_prefix(name, base) || !g_str_has_suffix(name, tail) || end < start ||
        (end > start && name[start] != '.')) {
        return false;
    }
    *variant = end == start ? g_strdup("") : g_strndup(name + start + 1, end - start - 1);
    // "model-00001-of-00002" is a piece of a set, which only its index puts together
    if (strchr(*variant, '.') != NULL || strstr(*variant, "-of-") != NULL) { // a shard
        g_clear_pointer(variant, g_free);
        return false;
    }
    return true;
}

static enum file_kind classify(const char *name, const char *base, char **variant)
{
    // BASE.safetensors.index[.VARIANT].json is the other order of the same parts
    g_autofree char *indexed = g_strconcat(base, ".safetensors.index", NULL);

    if (split_name(name, base, ".safetensors", variant)) {
        return FILE_SINGLE;
    }
    if (split_name(name, base, ".safetensors.index.json", variant) ||
        split_name(name, indexed, ".json", variant)) {
        return FILE_INDEX;
    }
    if (split_name(name, base, ".bin", variant) || split_name(name, base, ".ckpt", variant) ||
        // transformers' own name, in place of the text encoder's base
        split_name(name, "pytorch_model", ".bin", variant)) {
        return FILE_PICKLE;
    }
    if (split_name(name, base, ".bin.index.json", variant) ||
        split_name(name, "pytorch_model", ".bin.index.json", variant)) {
        return FILE_PICKLE_INDEX;
    }
    return FILE_NONE;
}

// behind every variant of the others
#define PICKLED 100

/* Smaller is better; a file before an index of the same variant, safetensors before PyTorch's own.
 * Without a variant first, the set that every loader takes, then the more exact; non_ema last: it is
 * there for training on. */
static int rank(enum file_kind kind, const char *variant)
{
    static const char *const order[] = {"", "fp32", "fp16", "bf16"};
    const int index = kind == FILE_INDEX || kind == FILE_PICKLE_INDEX;
    const int pickled = kind == FILE_PICKLE || kind == FILE_PICKLE_INDEX ? PICKLED : 0;

    for (int i = 0; i < (int)G_N_ELEMENTS(order); i++) {
        if (strcmp(variant, order[i]) == 0) {
            return pickled + 2 * i + index;
        }
    }
    return pickled + 2 * (strcmp(variant, "non_ema") == 0 ? 9 : 8) + index;
}

// the best file or index of a folder
struct choice {
    char *name;
    enum file_kind kind;
    int rank;
};

/* the order of a folder's names is not settled: of equal rank the first by name, so that two runs
 * take the same */
static void consider(struct choice *best, const char *name, const char *base)
{
    g_autofree char *variant = NULL;
    enum file_kind kind = classify(name, base, &variant);

    if (kind == FILE_NONE) {
        return;
    }
    int value = rank(kind, variant);
    if (best->name == NULL || value < best->rank ||
        (value == best->rank && strcmp(name, best->name) < 0)) {
        g_free(best->name);
        best->name = g_strdup(name);
        best->kind = kind;
        best->rank = value;
    }
}

static struct weight_files *open_choice(const char *folder, const char *base,
                                        const struct choice *best, GError **error)
{
    if (best->name != NULL) {
        g_autofree char *path = g_build_filename(folder, best->name, NULL);
        return best->kind == FILE_INDEX || best->kind == FILE_PICKLE_INDEX
                   ? open_index(folder, path, error)
                   : weight_files_open_file(path, error);
    }
    error_failed(
        error,
        "%s: there are no weights here, %s.safetensors is missing; get a whole copy of the model.",
        folder, base);
    return NULL;
}

struct weight_files *weight_files_open_folder(const char *folder, const char *base, GError **error)
{
    g_autoptr(GError) inner = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &inner);
    if (dir == NULL) {
        error_failed(error,
                     "%s: this folder of the model cannot be read; get a whole copy of the model.",
                     folder);
        return NULL;
    }

    struct choice best = {.kind = FILE_NONE};
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        consider(&best, name, base);
    }
    struct weight_files *weights = open_choice(folder, base, &best, error);
    g_free(best.name);
    return weights;
}

const char *weight_files_path(const struct weight_files *weights)
{
    return weights->path;
}

size_t weight_files_count(const struct weight_files *weights)
{
    return weights->tensors->len;
}

struct weight_place weight_files_at(const struct weight_files *weights, size_t index)
{
    return (struct weight_place){g_ptr_array_index(weights->owners, index),
                                 g_ptr_array_index(weights->tensors, index)};
}

bool weight_files_find(const struct weight_files *weights, const char *name,
                       struct weight_place *place)
{
    // plus 1, as add_tensor put it
    guint position = GPOINTER_TO_UINT(g_hash_table_lookup(weights->index, name));

    if (position == 0) {
        return false;
    }
    *place = weight_files_at(weights, position - 1);
    return true;
}

const GPtrArray *weight_files_list(const struct weight_files *weights)
{
    return weights->files;
}
