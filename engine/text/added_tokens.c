/* Tokens that are recognised whole.
 *
 * The tokenizers library searches a prompt twice: as written for the tokens that are not
 * normalised, then each part between them, normalised, for the others. A token is declared up to
 * three times (added_tokens_decoder, bos_token ..., extra tokens), each time perhaps with other
 * flags; how transformers settles that decides whether "<|ENDOFTEXT|>" is a token. */
#include "engine/text/added_tokens.h"

#include "engine/text/clip_unicode.h"
#include "engine/base/error.h"

#include <stdlib.h>
#include <string.h>

struct added_tokens {
    // of struct added_token: as noted; after added_tokens_resolve each content once
    GPtrArray *list;
    bool starts[2][256]; // [normalized][byte]: some pattern begins with this byte
};

static void free_token(gpointer data)
{
    struct added_token *token = data;
    g_free(token->content);
    g_free(token->pattern);
    g_free(token);
}

struct added_tokens *added_tokens_new(void)
{
    struct added_tokens *tokens = g_new0(struct added_tokens, 1);
    tokens->list = g_ptr_array_new_with_free_func(free_token);
    return tokens;
}

void added_tokens_free(struct added_tokens *tokens)
{
    if (tokens) {
        g_ptr_array_unref(tokens->list);
        g_free(tokens);
    }
}

static struct added_token *find_content(const struct added_tokens *tokens, const char *content)
{
    for (guint i = 0; i < tokens->list->len; i++) {
        struct added_token *token = tokens->list->pdata[i];
        if (strcmp(token->content, content) == 0) {
            return token;
        }
    }
    return NULL;
}

void added_tokens_note(struct added_tokens *tokens, const char *content, unsigned flags)
{
    for (guint i = 0; i < tokens->list->len; i++) {
        const struct added_token *token = tokens->list->pdata[i];
        // the same declaration twice changes nothing; with other flags it may, see settle
        if (token->flags == flags && strcmp(token->content, content) == 0) {
            return;
        }
    }
    // one too many is enough for added_tokens_resolve to refuse
    if (*content && tokens->list->len <= ADDED_TOKENS_MAX) {
        struct added_token *token = g_new0(struct added_token, 1);
        token->content = g_strdup(content);
        token->flags = flags;
        g_ptr_array_add(tokens->list, token);
    }
}

// a later declaration of a content overrides the earlier ones, in their place
static void settle(struct added_tokens *tokens)
{
    GPtrArray *all = tokens->list;
    tokens->list = g_ptr_array_new_with_free_func(free_token);

    for (guint i = 0; i < all->len; i++) {
        struct added_token *token = all->pdata[i], *earlier = find_content(tokens, token->content);
        // a dictionary keeps the place of the first and the value of the last
        if (earlier) {
            earlier->flags = token->flags;
            free_token(token);
        } else {
            g_ptr_array_add(tokens->list, token);
        }
    }
    // the tokens live on in the new list, or were freed above
    g_ptr_array_set_free_func(all, NULL);
    g_ptr_array_unref(all);
}

static int compare_patterns(const void *a, const void *b)
{
    const struct added_token *x = *(const struct added_token *const *)a;
    const struct added_token *y = *(const struct added_token *const *)b;
    size_t x_length = strlen(x->pattern), y_length = strlen(y->pattern);
    // longest first, so that the first that fits is the longest; by text where they are as long,
    // for an order that does not depend on the sort
    return x_length != y_length ? (x_length > y_length ? -1 : 1) : strcmp(x->content, y->content);
}

static bool is_normalized(const struct added_token *token)
{
    return (token->flags & ADDED_NORMALIZED) != 0;
}

static void resolve(struct added_tokens *tokens, struct added_token *token, const struct bpe *bpe,
                    int32_t *next)
{
    // what the vocabulary lacks is numbered behind it, in the order of declaration
    token->id = bpe_id(bpe, token->content);
    if (token->id < 0) {
        token->id = (*next)++;
    }
    // a mere text of tokenizer_config.json is special and not normalised
    if (token->flags & ADDED_PLAIN) {
        token->flags = ADDED_SPECIAL;
    }
    if (is_normalized(token)) {
        // it is looked for in the normalised text, so it has to be normalised itself
        token->pattern =
            g_string_free(clip_normalize(token->content, strlen(token->content)), FALSE);
    } else {
        token->pattern = g_strdup(token->content);
    }
    // most places of a prompt begin no token: one look at a byte tells
    tokens->starts[is_normalized(token)][(unsigned char)token->pattern[0]] = true;
}

bool added_tokens_resolve(struct added_tokens *tokens, const struct bpe *bpe, const char *what,
                          GError **error)
{
    int32_t next = (int32_t)g_hash_table_size(bpe_vocabulary(bpe));

    if (tokens->list->len > ADDED_TOKENS_MAX) {
        return error_failed(error, "%s: has more than %d added tokens.", what, ADDED_TOKENS_MAX);
    }
    // flags first, because they decide which of the two searches finds a token
    settle(tokens);
    for (guint i = 0; i < tokens->list->len; i++) {
        const struct added_token *token = tokens->list->pdata[i];
        if (strlen(token->content) > ADDED_TOKENS_SIZE) {
            return error_failed(error, "%s: an added token has more than %d bytes.", what,
                                ADDED_TOKENS_SIZE);
        }
        resolve(tokens, tokens->list->pdata[i], bpe, &next);
    }
    g_ptr_array_sort(tokens->list, compare_patterns);
    return true;
}

int32_t added_tokens_id(const struct added_tokens *tokens, const char *content)
{
    const struct added_token *token = find_content(tokens, content);
    return token ? token->id : -1;
}

bool added_tokens_holds(const struct added_tokens *tokens, int32_t id)
{
    for (guint i = 0; i < tokens->list->len; i++) {
        if (((const struct added_token *)tokens->list->pdata[i])->id == id) {
            return true;
        }
    }
    return false;
}

// a character of \w: what would make a neighbouring token part of a word
static bool is_word(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return clip_is_letter(c) || g_unichar_ismark(c) || type == G_UNICODE_DECIMAL_NUMBER ||
           type == G_UNICODE_LETTER_NUMBER || type == G_UNICODE_CONNECT_PUNCTUATION ||
           c == 0x200C || c == 0x200D;
}

static bool stands_alone(const char *text, size_t length, size_t start, size_t stop)
{
    // "single_word" of the tokenizers library: no \w on either side
    bool joined_left = start > 0 && is_word(g_utf8_get_char(g_utf8_prev_char(text + start)));
    bool joined_right = stop < length && is_word(g_utf8_get_char(text + stop));
    return !joined_left && !joined_right;
}

// the longest token at text + at; the list has the longest first
static const struct added_token *token_at(const struct added_tokens *tokens, bool normalized,
                                          const char *text, size_t length)
{
    if (!tokens->starts[normalized][(unsigned char)*text]) {
        return NULL;
    }
    for (guint i = 0; i < tokens->list->len; i++) {
        const struct added_token *token = tokens->list->pdata[i];
        size_t size = strlen(token->pattern);
        if (is_normalized(token) == normalized && size <= length &&
            memcmp(token->pattern, text, size) == 0) {
            return token;
        }
    }
    return NULL;
}

const struct added_token *added_tokens_find(const struct added_tokens *tokens, bool normalized,
                                            const char *text, size_t length, size_t from,
                                            size_t *start, size_t *stop)
{
    for (size_t at = from; at < length;) {
        const struct added_token *token = token_at(tokens, normalized, text + at, length - at);
        if (!token) {
            at++;
            continue;
        }
        *start = at;
        // a token that is refused as part of a word is passed over whole, as the library does
        *stop = at = at + strlen(token->pattern);
        if (!(token->flags & ADDED_SINGLE_WORD) || stands_alone(text, length, *start, *stop)) {
            return token;
        }
    }
    return NULL;
}
