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

enum { WHOLE, VOCABULARY, MERGES, CONFIG, SPECIAL, ADDED, FILES };

// the files, and how many bytes the largest that are known are far below
static const struct {
    const char *name;
    size_t limit;
} known[FILES] = {
    [WHOLE] = {"tokenizer.json", 32 << 20},
    [VOCABULARY] = {"vocab.json", 16 << 20},
    [MERGES] = {"merges.txt", 16 << 20},
    [CONFIG] = {"tokenizer_config.json", 1 << 20},
    [SPECIAL] = {"special_tokens_map.json", 1 << 20},
    [ADDED] = {"added_tokens.json", 1 << 20},
};

// parses those that are there
static bool open_source(struct tokenizer_source *source, const char *folder, GError **error)
{
    for (int i = 0; i < FILES; i++) {
        const struct tokenizer_file *file = &source->files->all[i];
        struct tokenizer_document *document = &source->all[i];
        // those that are missing have a name, too: a sentence may be about just that
        document->name = g_build_filename(folder, known[i].name, NULL);
        if (!file->data || i == MERGES) {
            continue;
        }
        document->root = json_parse_strict(file->data, file->length, document->name, error);
        document->object =
            document->root ? json_root_object(document->root, document->name, error) : NULL;
        if (!document->object) {
            return false;
        }
    }
    return true;
}

static void close_source(struct tokenizer_source *source)
{
    for (int i = 0; i < FILES; i++) {
        g_free(source->all[i].name);
        g_clear_pointer(&source->all[i].root, json_node_unref);
    }
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
    return !split ||
           error_failed(error, "%s: \"split_special_tokens\" is not supported.", config->name);
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
static bool split_merge(const char *line, GPtrArray *merges)
{
    // a third part tells that there is one blank too many
    g_auto(GStrv) parts = g_strsplit(line, " ", 3);
    const bool two = g_strv_length(parts) == 2;

    for (int i = 0; i < 2 && two; i++) {
        g_ptr_array_add(merges, g_strdup(parts[i]));
    }
    return two;
}

// one merge a line, in order of rank; empty lines and the version are none
static bool read_merges(struct tokenizer_file file, const char *name, GPtrArray *merges,
                        GError **error)
{
    if (!g_utf8_validate_len(file.data, file.length, NULL)) {
        return error_failed(error, "%s: the text is not UTF-8.", name);
    }
    g_autofree char *text = g_strndup(file.data, file.length);
    char *rest = text, *line;
    for (int number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        if (g_str_has_suffix(line, "\r")) {
            line[strlen(line) - 1] = '\0';
        }
        if (*line && !g_str_has_prefix(line, "#version") && !split_merge(line, merges)) {
            return error_failed(error, "%s: line %d is not two symbols with a space between them.",
                                name, number);
        }
    }
    return true;
}

// one element of tokenizer.json's merges: "left right" or ["left", "right"]
static bool read_merge_node(JsonNode *node, GPtrArray *merges)
{
    JsonArray *pair = json_list_of(node);
    const char *text = json_text_of(node);

    if (text) {
        return split_merge(text, merges);
    }
    for (guint i = 0; pair && i < json_array_get_length(pair); i++) {
        text = json_text_of(json_array_get_element(pair, i));
        if (!text) {
            return false;
        }
        g_ptr_array_add(merges, g_strdup(text));
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
        return error_failed(error, "%s: the model's type is not \"BPE\".", whole->name);
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
    } else if (source->vocabulary.object && source->files->merges.data) {
        fine = read_vocabulary(source->vocabulary.object, source->vocabulary.name, ids, error) &&
               read_merges(source->files->merges, source->merges.name, merges, error);
    } else {
        fine = error_failed(
            error,
            "%s: has neither tokenizer.json nor vocab.json with merges.txt; name the folder "
            "tokenizer of a diffusers model.",
            folder);
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
        return error_failed(error, "%s: bos_token, eos_token or pad_token is empty.", folder);
    }
    return true;
}

struct tokenizer *tokenizer_from_files(const struct tokenizer_files *files, const char *folder,
                                       GError **error)
{
    g_autoptr(tokenizer) t = g_new0(struct tokenizer, 1);
    struct tokenizer_source source = {.files = files};

    bool fine = open_source(&source, folder, error) && build(t, &source, folder, error);
    close_source(&source);
    return fine ? g_steal_pointer(&t) : NULL;
}

// reads those that are there; what tokenizer.json holds is not read twice
static bool load_all(const char *folder, struct tokenizer_files *files, GError **error)
{
    for (int i = 0; i < FILES; i++) {
        g_autofree char *path = g_build_filename(folder, known[i].name, NULL);
        const bool needless = files->whole.data && (i == VOCABULARY || i == MERGES);
        if (needless || !g_file_test(path, G_FILE_TEST_EXISTS)) {
            continue;
        }
        files->all[i].data = regular_file_load(path, known[i].limit, &files->all[i].length, error);
        if (!files->all[i].data) {
            return false;
        }
    }
    return true;
}

struct tokenizer *tokenizer_open(const char *folder, const char *pad, bool pad_counts,
                                 GError **error)
{
    struct tokenizer_files files = {.pad = pad, .pad_counts = pad_counts};
    struct tokenizer *t = NULL;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        error_failed(error, "%s: %s.", folder,
                     g_file_test(folder, G_FILE_TEST_EXISTS)
                         ? "is no folder; a tokenizer is named by the folder that its files are in"
                         : "there is no such folder with a tokenizer");
        return NULL;
    }
    if (load_all(folder, &files, error)) {
        t = tokenizer_from_files(&files, folder, error);
    }
    for (int i = 0; i < FILES; i++) {
        g_free((char *)files.all[i].data);
    }
    return t;
}
