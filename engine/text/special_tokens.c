/* Which added tokens the files of a tokenizer declare, as transformers 5 finds them.
 *
 *   names      bos_token ...: special_tokens_map.json, else tokenizer_config.json, else CLIP's own;
 *              the padding token of the model's family before or behind these
 *   declared   added_tokens_decoder of tokenizer_config.json; without that key added_tokens.json
 *              and tokenizer.json
 *   extra      extra_special_tokens, additional_special_tokens
 *
 * Added in the order declared, names, extra. With added_tokens_decoder, special_tokens_map.json
 * does not count at all. A token is a text, or an object with its text as content and four flags.
 */
#include "engine/text/tokenizer_files.h"

#include "engine/base/error.h"

#include <string.h>

static const struct {
    const char *key, *usual;
} names[SPECIAL_NAMES] = {
    [SPECIAL_BOS] = {"bos_token", "<|startoftext|>"},
    [SPECIAL_EOS] = {"eos_token", "<|endoftext|>"},
    [SPECIAL_UNK] = {"unk_token", "<|endoftext|>"},
    [SPECIAL_SEP] = {"sep_token", NULL},
    [SPECIAL_PAD] = {"pad_token", "<|endoftext|>"},
    [SPECIAL_CLS] = {"cls_token", NULL},
    [SPECIAL_MASK] = {"mask_token", NULL},
};

static const char *const extra_keys[] = {"extra_special_tokens", "additional_special_tokens"};

// a token as a file describes it; content belongs to the file's tree
struct described {
    const char *content;
    unsigned flags;
};

// the flags that the object form says by themselves
static const struct {
    const char *key;
    unsigned flag;
} switches[] = {
    {"single_word", ADDED_SINGLE_WORD},
    {"lstrip", ADDED_LEFT_STRIP},
    {"rstrip", ADDED_RIGHT_STRIP},
};

// the object form; special: what holds when the object does not say it
static bool read_object(JsonObject *object, const char *what, bool special, struct described *token,
                        GError **error)
{
    if (!json_get_string(object, what, "content", JSON_REQUIRED, &token->content, error) ||
        !json_get_bool(object, what, "special", JSON_OPTIONAL, &special, error)) {
        return false;
    }
    // transformers' AddedToken: what is special is looked for as it is written
    bool normalized = !special;
    if (!json_get_bool(object, what, "normalized", JSON_OPTIONAL, &normalized, error)) {
        return false;
    }
    token->flags = (normalized ? ADDED_NORMALIZED : 0) | (special ? ADDED_SPECIAL : 0);
    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        bool on = false;
        if (!json_get_bool(object, what, switches[i].key, JSON_OPTIONAL, &on, error)) {
            return false;
        }
        token->flags |= on ? switches[i].flag : 0;
    }
    return true;
}

// either form; key is for the message
static bool read_token(JsonNode *node, const char *what, const char *key, bool special,
                       struct described *token, GError **error)
{
    // {"content": "<|endoftext|>", "lstrip": false, ...}
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        return read_object(json_node_get_object(node), what, special, token, error);
    }
    // "<|endoftext|>"
    if (json_text_of(node)) {
        *token = (struct described){json_text_of(node), ADDED_PLAIN};
        return true;
    }
    return error_failed(error, "%s: \"%s\" must be a token: a text, or an object with its content.",
                        what, key);
}

// a member that is there and not null
static JsonNode *member(JsonObject *object, const char *key)
{
    JsonNode *node = object ? json_object_get_member(object, key) : NULL;
    return node && !json_node_is_null(node) ? node : NULL;
}

// whether special_tokens_map.json and the other old files count
static bool is_old_style(const struct tokenizer_source *source)
{
    return !member(source->config.object, "added_tokens_decoder");
}

static bool read_names(const struct tokenizer_source *source,
                       struct described tokens[SPECIAL_NAMES], GError **error)
{
    for (int i = 0; i < SPECIAL_NAMES; i++) {
        const char *key = names[i].key;
        // the map of names goes before the config, but only where the config has no decoder
        JsonNode *mapped = is_old_style(source) ? member(source->special.object, key) : NULL;
        JsonNode *set = member(source->config.object, key);
        const char *what = mapped ? source->special.name : source->config.name;

        // Stable Diffusion 2 pads with "!", whatever a file beside the weights says
        const bool family = i == SPECIAL_PAD && source->files->pad != NULL;
        tokens[i] = (struct described){family ? source->files->pad : names[i].usual, ADDED_PLAIN};
        if (family && source->files->pad_counts) {
            continue;
        }
        if ((mapped || set) &&
            !read_token(mapped ? mapped : set, what, key, mapped != NULL, &tokens[i], error)) {
            return false;
        }
    }
    return true;
}

static int compare_numbers(const void *a, const void *b, void *user)
{
    return GPOINTER_TO_INT(a) - GPOINTER_TO_INT(b);
}

// puts a token at its number, which decides the order; an earlier one there is replaced
static void declare(GTree *declared, int64_t index, struct described token)
{
    g_tree_insert(declared, GINT_TO_POINTER((int)index), g_memdup2(&token, sizeof token));
}

static bool check_count(guint count, const char *what, GError **error)
{
    if (count <= ADDED_TOKENS_MAX) {
        return true;
    }
    return error_failed(error, "%s: has more than %d added tokens.", what, ADDED_TOKENS_MAX);
}

// {"49406": token, ...}
static bool read_decoder(const struct tokenizer_document *config, GTree *declared, GError **error)
{
    JsonObject *decoder = NULL;
    JsonObjectIter iter;
    const char *key;
    JsonNode *node;

    if (!json_get_object(config->object, config->name, "added_tokens_decoder", JSON_REQUIRED,
                         &decoder, error) ||
        !check_count(json_object_get_size(decoder), config->name, error)) {
        return false;
    }
    // in the order of the file: it decides which of two declarations of a number counts
    json_object_iter_init_ordered(&iter, decoder);
    while (json_object_iter_next_ordered(&iter, &key, &node)) {
        struct described token;
        gint64 index;
        if (!g_ascii_string_to_signed(key, 10, 0, BPE_MAX_ID, &index, NULL)) {
            return error_failed(error,
                                "%s: \"%s\" in added_tokens_decoder is not the number of a token.",
                                config->name, key);
        }
        if (!read_token(node, config->name, key, false, &token, error)) {
            return false;
        }
        declare(declared, index, token);
    }
    return true;
}

// whether an old file's token is one of the names or extra ones
static bool is_special(const struct tokenizer_source *source,
                       const struct described tokens[SPECIAL_NAMES], const char *content)
{
    for (int i = 0; i < SPECIAL_NAMES; i++) {
        if (tokens[i].content && strcmp(tokens[i].content, content) == 0) {
            return true;
        }
    }
    // both keys in the config, then both in the map of names
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(extra_keys); i++) {
        JsonObject *object = i < 2 ? source->config.object : source->special.object;
        JsonArray *list = json_list_of(member(object, extra_keys[i % 2]));
        for (guint k = 0; list && k < json_array_get_length(list); k++) {
            struct described token;
            // only asked about here: what is wrong with it is told when it is declared
            if (read_token(json_array_get_element(list, k), "", "", true, &token, NULL) &&
                strcmp(token.content, content) == 0) {
                return true;
            }
        }
    }
    return false;
}

// added_tokens.json: {"<cat>": 49408, ...}
static bool read_added(const struct tokenizer_source *source,
                       const struct described tokens[SPECIAL_NAMES], GTree *declared,
                       GError **error)
{
    const struct tokenizer_document *added = &source->added;
    JsonObjectIter iter;
    const char *content;

    if (!added->object) {
        return true;
    }
    if (!check_count(json_object_get_size(added->object), added->name, error)) {
        return false;
    }
    json_object_iter_init_ordered(&iter, added->object);
    while (json_object_iter_next_ordered(&iter, &content, NULL)) {
        int64_t index;
        if (!json_get_int(added->object, added->name, content, JSON_REQUIRED, 0, BPE_MAX_ID, &index,
                          error)) {
            return false;
        }
        // added_tokens.json has no flags, so they follow from where else the text stands
        bool special = is_special(source, tokens, content);
        declare(declared, index,
                (struct described){content, special ? ADDED_SPECIAL : ADDED_NORMALIZED});
    }
    return true;
}

// tokenizer.json: "added_tokens": [{"id": 49406, "content": ...}, ...]
static bool read_whole(const struct tokenizer_document *whole, GTree *declared, GError **error)
{
    JsonArray *array = NULL;

    if (!whole->object) {
        return true;
    }
    if (!json_get_array(whole->object, whole->name, "added_tokens", JSON_OPTIONAL, &array, error)) {
        return false;
    }
    guint length = array ? json_array_get_length(array) : 0;
    if (!check_count(length, whole->name, error)) {
        return false;
    }
    for (guint i = 0; i < length; i++) {
        JsonNode *node = json_array_get_element(array, i);
        JsonObject *object = json_root_object(node, whole->name, error);
        struct described token;
        int64_t index;
        if (!object ||
            !json_get_int(object, whole->name, "id", JSON_REQUIRED, 0, BPE_MAX_ID, &index, error) ||
            !read_object(object, whole->name, false, &token, error)) {
            return false;
        }
        declare(declared, index, token);
    }
    return true;
}

static bool read_declared(const struct tokenizer_source *source,
                          const struct described tokens[SPECIAL_NAMES], GTree *declared,
                          GError **error)
{
    return is_old_style(source) ? read_added(source, tokens, declared, error) &&
                                      read_whole(&source->whole, declared, error)
                                : read_decoder(&source->config, declared, error);
}

// the extra tokens of one file, without those that were declared
static bool note_extra(const struct tokenizer_document *document, const char *key,
                       GHashTable *contained, struct added_tokens *added, GError **error)
{
    JsonArray *list = NULL;
    struct described token;

    if (!document->object ||
        !json_get_array(document->object, document->name, key, JSON_OPTIONAL, &list, error)) {
        // true without the file; false when its member is no array, which has set the error
        return !document->object;
    }
    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        if (!read_token(json_array_get_element(list, i), document->name, key, true, &token,
                        error)) {
            return false;
        }
        if (!g_hash_table_contains(contained, token.content)) {
            added_tokens_note(added, token.content, token.flags);
        }
    }
    return true;
}

bool special_tokens_read(const struct tokenizer_source *source, struct added_tokens *added,
                         const char *contents[SPECIAL_NAMES], GError **error)
{
    g_autoptr(GTree) declared = g_tree_new_full(compare_numbers, NULL, NULL, g_free);
    g_autoptr(GHashTable) contained = g_hash_table_new(g_str_hash, g_str_equal);
    struct described tokens[SPECIAL_NAMES];

    if (!read_names(source, tokens, error) || !read_declared(source, tokens, declared, error)) {
        return false;
    }
    // declared ones first, by number
    for (GTreeNode *at = g_tree_node_first(declared); at; at = g_tree_node_next(at)) {
        const struct described *token = g_tree_node_value(at);
        added_tokens_note(added, token->content, token->flags);
        g_hash_table_add(contained, (gpointer)token->content);
    }
    // then the named ones that nothing declared
    for (int i = 0; i < SPECIAL_NAMES; i++) {
        contents[i] = tokens[i].content;
        if (contents[i] && !g_hash_table_contains(contained, contents[i])) {
            added_tokens_note(added, contents[i], tokens[i].flags);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(extra_keys); i++) {
        if (!note_extra(&source->config, extra_keys[i], contained, added, error) ||
            (is_old_style(source) &&
             !note_extra(&source->special, extra_keys[i], contained, added, error))) {
            return false;
        }
    }
    return true;
}
