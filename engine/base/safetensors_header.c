/* The header of a safetensors file; see safetensors_header.h.
 *
 * Three passes: the JSON text into a tree (strict: names given twice, deep nesting and bad UTF-8
 * end there), the tree into tensors whose shape, type and offsets agree, and all tensors in the
 * order of their offsets, which must tile the values without overlap, hole or rest. */
#include "engine/base/safetensors_header.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

#include <stdlib.h>
#include <string.h>

// what one pass over the members needs
struct parse {
    struct safetensors_header *header;
    const char *path;
    int64_t data_start, data_bytes;
    GError **error;
};

static bool fail(const struct parse *parse, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(const struct parse *parse, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    g_autofree char *problem = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(parse->error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED, "%s: %s.", parse->path, problem);
    return false;
}

static bool parse_metadata(struct parse *parse, JsonObject *metadata)
{
    struct safetensors_header *header = parse->header;
    g_autoptr(GList) names = json_object_get_members(metadata);

    for (GList *at = names; at != NULL; at = at->next) {
        // texts alone, as the reference implementation has it; a number here is an error there, too
        const char *text;
        if (!json_get_string(metadata, parse->path, at->data, JSON_REQUIRED, &text, parse->error)) {
            return false;
        }
        // the tree is gone when parsing ends: what outlives it is copied into one chunk
        char *key = g_string_chunk_insert(header->texts, at->data);
        g_ptr_array_add(header->keys, key);
        g_hash_table_insert(header->metadata, key, g_string_chunk_insert(header->texts, text));
    }
    return true;
}

// shape and number of values, whose product must not overflow
static bool parse_shape(struct parse *parse, JsonObject *entry, struct safetensors_tensor *tensor)
{
    size_t n_dims = 0;

    if (!json_get_int_array(entry, tensor->name, "shape", JSON_REQUIRED, 0, G_MAXINT64,
                            tensor->shape, SAFETENSORS_MAX_DIMS, &n_dims, parse->error)) {
        g_prefix_error(parse->error, "%s: tensor ", parse->path);
        return false;
    }
    tensor->n_dims = (int)n_dims;
    // without dimensions: one value
    tensor->values = 1;
    for (size_t i = 0; i < n_dims; i++) {
        // a shape may claim any numbers; their product decides how much memory is taken
        if (__builtin_mul_overflow(tensor->values, tensor->shape[i], &tensor->values)) {
            return fail(parse, "tensor %s has a shape with too many values", tensor->name);
        }
    }
    return true;
}

// the bytes that shape and type need must be those between the offsets
static bool check_size(struct parse *parse, const struct safetensors_tensor *tensor)
{
    // in bits, because values of 4 and 6 bits lie packed
    int bits = dtype_name_bits(tensor->dtype_name);
    int64_t needed;

    if (bits == 0) { // a type of the future: how large it is cannot be known
        return true;
    }
    if (__builtin_mul_overflow(tensor->values, (int64_t)bits, &needed) || needed % 8 != 0 ||
        needed / 8 != tensor->bytes) {
        g_autofree char *shape = safetensors_shape_text(tensor->shape, tensor->n_dims);
        return fail(parse,
                    "tensor %s of type %s and shape %s does not fit its %" G_GINT64_FORMAT " bytes",
                    tensor->name, tensor->dtype_name, shape, tensor->bytes);
    }
    return true;
}

static bool parse_offsets(struct parse *parse, JsonObject *entry, struct safetensors_tensor *tensor)
{
    int64_t offsets[2];
    size_t count = 0;

    if (!json_get_int_array(entry, tensor->name, "data_offsets", JSON_REQUIRED, 0, G_MAXINT64,
                            offsets, 2, &count, parse->error)) {
        g_prefix_error(parse->error, "%s: tensor ", parse->path);
        return false;
    }
    if (count != 2 || offsets[1] < offsets[0]) {
        return fail(parse, "tensor %s has data_offsets that are no range", tensor->name);
    }
    // by far the most frequent damage is a download that broke off, so it has a sentence of its own
    if (offsets[1] > parse->data_bytes) {
        return fail(parse,
                    "the file is truncated, tensor %s ends %" G_GINT64_FORMAT
                    " bytes behind its end; get a whole copy of it",
                    tensor->name, offsets[1] - parse->data_bytes);
    }
    // from here on places are of the file, not of its values
    tensor->offset = parse->data_start + offsets[0];
    tensor->bytes = offsets[1] - offsets[0];
    return true;
}

static bool parse_tensor(struct parse *parse, const char *name, JsonNode *node,
                         struct safetensors_tensor *tensor)
{
    tensor->name = g_string_chunk_insert(parse->header->texts, name);
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        return fail(parse, "tensor %s has no description", name);
    }

    JsonObject *entry = json_node_get_object(node);
    const char *dtype;
    if (!json_get_string(entry, name, "dtype", JSON_REQUIRED, &dtype, parse->error)) {
        g_prefix_error(parse->error, "%s: tensor ", parse->path);
        return false;
    }
    tensor->dtype_name = g_string_chunk_insert_const(parse->header->texts, dtype);
    // one that is not read here is no error: others of the file may be all that is wanted
    tensor->dtype = dtype_from_name(dtype);
    return parse_shape(parse, entry, tensor) && parse_offsets(parse, entry, tensor) &&
           check_size(parse, tensor);
}

static bool parse_members(struct parse *parse, JsonObject *root)
{
    struct safetensors_header *header = parse->header;
    g_autoptr(GList) names = json_object_get_members(root);

    // one more than there are, because a file may have none
    header->tensors = g_try_new0(struct safetensors_tensor, json_object_get_size(root) + 1);
    if (header->tensors == NULL) {
        return fail(parse, "there is no memory for its header");
    }
    for (GList *at = names; at != NULL; at = at->next) {
        JsonNode *node = json_object_get_member(root, at->data);
        if (strcmp(at->data, "__metadata__") != 0) {
            if (!parse_tensor(parse, at->data, node, &header->tensors[header->count++])) {
                return false;
            }
        } else if (JSON_NODE_HOLDS_NULL(node)) { // none, as the reference implementation takes it
            continue;
        } else if (!JSON_NODE_HOLDS_OBJECT(node)) {
            return fail(parse, "its __metadata__ is no table of texts");
        } else if (!parse_metadata(parse, json_node_get_object(node))) {
            return false;
        }
    }
    return true;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;

    // tensors without values lie where the next one begins, and come before it
    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int compare_names(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// every byte of the values belongs to exactly one tensor
static bool check_tiling(struct parse *parse)
{
    struct safetensors_header *header = parse->header;
    // where the next tensor has to begin
    int64_t end = parse->data_start;
    const char *before = "the header";

    qsort(header->tensors, header->count, sizeof(*header->tensors), compare_offsets);
    for (size_t i = 0; i < header->count; i++) {
        const struct safetensors_tensor *tensor = &header->tensors[i];
        if (tensor->offset < end) {
            return fail(parse, "tensors %s and %s overlap; the file is damaged", before,
                        tensor->name);
        }
        if (tensor->offset > end) {
            return fail(parse, "there is a hole before tensor %s; the file is damaged",
                        tensor->name);
        }
        end = tensor->offset + tensor->bytes;
        before = tensor->name;
    }
    // the format allows nothing behind them, where files of two kinds in one could hide
    if (end != parse->data_start + parse->data_bytes) {
        return fail(parse, "%" G_GINT64_FORMAT " bytes follow the last tensor; the file is damaged",
                    parse->data_start + parse->data_bytes - end);
    }
    return true;
}

struct safetensors_header *safetensors_header_parse(const char *json, size_t bytes,
                                                    int64_t data_start, int64_t data_bytes,
                                                    const char *path, GError **error)
{
    g_autoptr(JsonNode) root = json_parse_strict(json, bytes, path, error);
    JsonObject *object = root == NULL ? NULL : json_root_object(root, path, error);
    if (object == NULL) {
        return NULL;
    }

    g_autoptr(safetensors_header) header = g_new0(struct safetensors_header, 1);
    header->keys = g_ptr_array_new();
    header->metadata = g_hash_table_new(g_str_hash, g_str_equal);
    header->texts = g_string_chunk_new(4096);
    struct parse parse = {header, path, data_start, data_bytes, error};
    if (!parse_members(&parse, object) || !check_tiling(&parse)) {
        return NULL;
    }
    // in the order in which they are listed and found
    qsort(header->tensors, header->count, sizeof(*header->tensors), compare_names);
    g_ptr_array_sort(header->keys, compare_keys);
    // handed out as a list that ends with NULL
    g_ptr_array_add(header->keys, NULL);
    return g_steal_pointer(&header);
}

void safetensors_header_free(struct safetensors_header *header)
{
    if (header == NULL) {
        return;
    }
    g_free(header->tensors);
    g_ptr_array_unref(header->keys);
    g_hash_table_unref(header->metadata);
    g_string_chunk_free(header->texts);
    g_free(header);
}
