/* The files of a tokenizer folder, read and made into a tokenizer.
 *
 *   tokenizer.json, or vocab.json and merges.txt   the vocabulary and its merges
 *   tokenizer_config.json                          class and special tokens
 *   special_tokens_map.json, added_tokens.json     more of these; see special_tokens.c
 *
 * tokenizer.json goes before vocab.json where both are there. Its own description of normalisation
 * and splitting is not read: transformers' CLIPTokenizer does not either. */
#include "engine/text/tokenizer_files.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"

#include <string.h>

#define MAX_CONFIG     (1 << 20)
#define MAX_VOCABULARY (16 << 20)
#define MAX_WHOLE      (32 << 20)

static bool fail(GError **error, const char *name, const char *problem)
{
    return error_failed(error, "%s: %s.", name, problem);
}

// parses one file, if it is there
static bool parse(struct tokenizer_document *document, struct tokenizer_file file,
                  const char *folder, const char *name, GError **error)
{
    document->name = g_build_filename(folder, name, NULL);
    if (!file.data) {
        return true;
    }
    document->root = json_parse_strict(file.data, file.length, document->name, error);
    document->object =
        document->root ? json_root_object(document->root, document->name, error) : NULL;
    return document->object != NULL;
}

static void close_document(struct tokenizer_document *document)
{
    g_free(document->name);
    g_clear_pointer(&document->root, json_node_unref);
}

static bool open_source(struct tokenizer_source *source, const struct tokenizer_files *files,
                        const char *folder, GError **error)
{
    source->merges = files->merges;
    source->pad = files->pad;
    source->pad_counts = files->pad_counts;
    source->merges_name = g_build_filename(folder, "merges.txt", NULL);
    return parse(&source->whole, files->whole, folder, "tokenizer.json", error) &&
           parse(&source->vocabulary, files->vocabulary, folder, "vocab.json", error) &&
           parse(&source->config, files->config, folder, "tokenizer_config.json", error) &&
           parse(&source->special, files->special, folder, "special_tokens_map.json", error) &&
           parse(&source->added, files->added, folder, "added_tokens.json", error);
}

static void close_source(struct tokenizer_source *source)
{
    close_document(&source->whole);
    close_document(&source->vocabulary);
    close_document(&source->config);
    close_document(&source->special);
    close_document(&source->added);
    g_free(source->merges_name);
}

// refuses what is another kind of tokenizer, or one told to look past its special tokens
static bool check_config(const struct tokenizer_document *config, GError **error)
{
    const char *class = "CLIPTokenizer";
    bool split = false;

    if (!config->object) {
        return true;
    }
    if (!json_get_string(config->object, config->name, "tokenizer_class", JSON_OPTIONAL, &class,
                         error) ||
        !json_get_bool(config->object, config->name, "split_special_tokens", JSON_OPTIONAL, &split,
                       error)) {
        return false;
    }
    if (strcmp(class, "CLIPTokenizer") != 0 && strcmp(class, "CLIPTokenizerFast") != 0) {
        return error_failed(error,
                            "%s: tokenizer_class is \"%s\"; only \"CLIPTokenizer\" is known.",
                            config->name, class);
    }
    return !split || fail(error, config->name, "\"split_special_tokens\" is not supported");
}

// {"text": id, ...}
static bool read_vocabulary(JsonObject *object, const char *name, GHashTable *ids, GError **error)
{
    JsonObjectIter iter;
    const char *text;

    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &text, NULL)) {
        int64_t id;
        if (!json_get_int(object, name, text, JSON_REQUIRED, 0, BPE_MAX_ID, &id, error)) {
            return false;
        }
        g_hash_table_insert(ids, g_strdup(text), GINT_TO_POINTER((int)id));
    }
    return true;
}

// "left right"
static bool split_merge(const char *line, size_t length, GPtrArray *merges)
{
    const char *blank = memchr(line, ' ', length);
    size_t left = blank ? (size_t)(blank - line) : 0;

    if (!blank || memchr(blank + 1, ' ', length - left - 1)) {
        return false;
    }
    g_ptr_array_add(merges, g_strndup(line, left));
    g_ptr_array_add(merges, g_strndup(blank + 1, length - left - 1));
    return true;
}

// a line that is no merge: empty, or the version
static bool is_skipped(const char *line, size_t length)
{
    static const char version[] = "#version";
    size_t size = strlen(version);
    return length == 0 || (length >= size && memcmp(line, version, size) == 0);
}

// one merge a line, in order of rank
static bool read_merges(struct tokenizer_file file, const char *name, GPtrArray *merges,
                        GError **error)
{
    const char *at = file.data, *end = file.data + file.length;

    if (!g_utf8_validate_len(file.data, file.length, NULL)) {
        return fail(error, name, "the text is not UTF-8");
    }
    for (int line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end, *next = newline ? newline + 1 : end;
        if (stop > at && stop[-1] == '\r') {
            stop--;
        }
        size_t length = (size_t)(stop - at);
        if (!is_skipped(at, length) && !split_merge(at, length, merges)) {
            return error_failed(error, "%s: line %d is not two symbols with a space between them.",
                                name, line);
        }
        at = next;
    }
    return true;
}

// one element of tokenizer.json's merges: "left right" or ["left", "right"]
static bool read_merge_node(JsonNode *node, GPtrArray *merges)
{
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        return split_merge(text, strlen(text), merges);
    }
    JsonArray *pair = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    for (guint i = 0; pair && i < json_array_get_length(pair); i++) {
        JsonNode *part = json_array_get_element(pair, i);
        if (!JSON_NODE_HOLDS_VALUE(part) || json_node_get_value_type(part) != G_TYPE_STRING) {
            return false;
        }
        g_ptr_array_add(merges, json_node_dup_string(part));
    }
    return pair && json_array_get_length(pair) == 2;
}

// "model": {"type": "BPE", "vocab": {...}, "merges": [...]}
static bool read_whole(const struct tokenizer_document *whole, GHashTable *ids, GPtrArray *merges,
                       GError **error)
{
    JsonObject *model = NULL, *vocabulary = NULL;
    JsonArray *list = NULL;
    const char *type = "BPE";

    if (!json_get_object(whole->object, whole->name, "model", JSON_REQUIRED, &model, error) ||
        !json_get_string(model, whole->name, "type", JSON_OPTIONAL, &type, error) ||
        !json_get_object(model, whole->name, "vocab", JSON_REQUIRED, &vocabulary, error) ||
        !json_get_array(model, whole->name, "merges", JSON_REQUIRED, &list, error) ||
        !read_vocabulary(vocabulary, whole->name, ids, error)) {
        return false;
    }
    if (strcmp(type, "BPE") != 0) {
        return fail(error, whole->name, "the model's type is not \"BPE\"");
    }
    for (guint i = 0; i < json_array_get_length(list); i++) {
        if (!read_merge_node(json_array_get_element(list, i), merges)) {
            return error_failed(error, "%s: merge %u is not two symbols.", whole->name, i + 1);
        }
    }
    return true;
}

static struct bpe *read_bpe(const struct tokenizer_source *source, const char *unknown,
                            const char *folder, GError **error)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) merges = g_ptr_array_new_with_free_func(g_free);
    bool fine;

    if (source->whole.object) {
        fine = read_whole(&source->whole, ids, merges, error);
    } else if (source->vocabulary.object && source->merges.data) {
        fine = read_vocabulary(source->vocabulary.object, source->vocabulary.name, ids, error) &&
               read_merges(source->merges, source->merges_name, merges, error);
    } else {
        fine = fail(error, folder,
                    "has neither tokenizer.json nor vocab.json with merges.txt; name the folder "
                    "tokenizer of a diffusers model");
    }
    return fine ? bpe_new(ids, merges, unknown, folder, error) : NULL;
}

// everything but the files themselves
static bool build(struct tokenizer *t, const struct tokenizer_source *source, const char *folder,
                  GError **error)
{
    const char *contents[SPECIAL_NAMES];

    t->added = added_tokens_new();
    if (!check_config(&source->config, error) ||
        !special_tokens_read(source, t->added, contents, error)) {
        return false;
    }
    t->bpe = read_bpe(source, contents[SPECIAL_UNK], folder, error);
    if (!t->bpe || !added_tokens_resolve(t->added, t->bpe, folder, error)) {
        return false;
    }
    t->bos = added_tokens_id(t->added, contents[SPECIAL_BOS]);
    t->eos = added_tokens_id(t->added, contents[SPECIAL_EOS]);
    t->pad = added_tokens_id(t->added, contents[SPECIAL_PAD]);
    if (t->bos < 0 || t->eos < 0 || t->pad < 0) {
        return fail(error, folder, "bos_token, eos_token or pad_token is empty");
    }
    return true;
}

struct tokenizer *tokenizer_from_files(const struct tokenizer_files *files, const char *folder,
                                       GError **error)
{
    g_autoptr(tokenizer) t = g_new0(struct tokenizer, 1);
    struct tokenizer_source source = {0};

    bool fine = open_source(&source, files, folder, error) && build(t, &source, folder, error);
    close_source(&source);
    return fine ? g_steal_pointer(&t) : NULL;
}

// reads one file of the folder, if it is there
static bool load(const char *folder, const char *name, size_t limit, struct tokenizer_file *file,
                 GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        file->data = regular_file_load(path, limit, &file->length, error);
        return file->data != NULL;
    }
    return true;
}

struct tokenizer *tokenizer_open(const char *folder, const char *pad, bool pad_counts,
                                 GError **error)
{
    struct tokenizer_files files = {.pad = pad, .pad_counts = pad_counts};
    struct tokenizer *t = NULL;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        fail(error, folder,
             g_file_test(folder, G_FILE_TEST_EXISTS)
                 ? "is no folder; a tokenizer is named by the folder that its files are in"
                 : "there is no such folder with a tokenizer");
        return NULL;
    }
    if (load(folder, "tokenizer.json", MAX_WHOLE, &files.whole, error) &&
        (files.whole.data ||
         (load(folder, "vocab.json", MAX_VOCABULARY, &files.vocabulary, error) &&
          load(folder, "merges.txt", MAX_VOCABULARY, &files.merges, error))) &&
        load(folder, "tokenizer_config.json", MAX_CONFIG, &files.config, error) &&
        load(folder, "special_tokens_map.json", MAX_CONFIG, &files.special, error) &&
        load(folder, "added_tokens.json", MAX_CONFIG, &files.added, error)) {
        t = tokenizer_from_files(&files, folder, error);
    }
    g_free((char *)files.whole.data);
    g_free((char *)files.vocabulary.data);
    g_free((char *)files.merges.data);
    g_free((char *)files.config.data);
    g_free((char *)files.special.data);
    g_free((char *)files.added.data);
    return t;
}
