/* Prompts to token ids: the walk of a text through CLIP's tokenizer.
 *
 *   text -> added tokens as written -> parts, normalised -> added tokens -> words -> pieces
 *
 * Words, tried in this order at each place:
 *   <|startoftext|> <|endoftext|> | 's 't 're 've 'm 'll 'd | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
 * Blanks are dropped. The library then splits each word once more by GPT-2's expression, which
 * changes only the first two: they come apart into <| startoftext |>. (Where they are added tokens,
 * as in every known model, they never get here.) */
#include "engine/text/tokenizer_files.h"

#include "engine/text/clip_unicode.h"
#include "engine/base/error.h"

#include <limits.h>
#include <string.h>

// what is being encoded, and how far it got
struct walk {
    const struct tokenizer *t;
    const char *part; // of the text: between two added tokens, as written
    size_t part_length;
    int32_t *ids;
    int count, capacity;
    const char *cut; // where in the text the first token without a place begins, or NULL
};

// takes one token; false when it has no place: then nothing behind it is looked at
static bool put(struct walk *walk, int32_t id)
{
    if (walk->count == walk->capacity) {
        return false;
    }
    walk->ids[walk->count++] = id;
    return true;
}

// the end of the characters from at on that normalisation keeps together
static const char *cluster_end(const char *at, const char *end)
{
    do {
        at = g_utf8_next_char(at);
    } while (at < end && clip_is_joining(g_utf8_get_char(at)));
    return at;
}

/* Where in the part the character stands that became byte "offset" of its normal form: clusters are
 * normalised one by one and counted; a blank behind a blank adds nothing. */
static const char *original_place(const struct walk *walk, size_t offset)
{
    const char *at = walk->part, *end = at + walk->part_length;
    bool after_blank = false;

    for (size_t done = 0; at < end;) {
        const char *next = cluster_end(at, end);
        GString *normal = clip_normalize(at, (size_t)(next - at));
        bool blank = clip_is_blank(g_utf8_get_char(at));
        // each cluster is normalised alone, which gives a blank a run of blanks; the whole has one
        done += normal->len - (blank && after_blank);
        g_string_free(normal, TRUE);
        if (done > offset) {
            break;
        }
        after_blank = clip_is_blank(g_utf8_get_char(g_utf8_prev_char(next)));
        at = next;
    }
    return at;
}

// one word of the normal form, which begins at byte "offset"
static bool encode_word(struct walk *walk, const char *word, size_t length, size_t offset)
{
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(struct bpe_piece));

    bpe_encode(walk->t->bpe, word, length, pieces);
    for (guint i = 0; i < pieces->len; i++) {
        struct bpe_piece piece = g_array_index(pieces, struct bpe_piece, i);
        if (!put(walk, piece.id)) {
            // the rest of the prompt is quoted as it was typed, so its place there is worked out
            walk->cut = original_place(walk, offset);
            return false;
        }
        // bytes of the word, the end mark not counted
        offset += piece.length;
    }
    return true;
}

enum kind { BLANK, LETTER, NUMBER, OTHER };

static enum kind kind_of(gunichar c)
{
    return clip_is_letter(c)   ? LETTER
           : clip_is_number(c) ? NUMBER
           : clip_is_blank(c)  ? BLANK
                               : OTHER;
}

// the end of the run of characters of one kind
static const char *run_end(const char *at, const char *end, enum kind kind)
{
    while (at < end && kind_of(g_utf8_get_char(at)) == kind) {
        at = g_utf8_next_char(at);
    }
    return at;
}

// the length of a word that the expression spells out, or 0; *marker: one of the first two
static size_t spelled_word(const char *at, const char *end, bool *marker)
{
    static const char *const words[] = {
        "<|startoftext|>", "<|endoftext|>", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) {
            // the two markers stand first
            *marker = i < 2;
            return length;
        }
    }
    return 0;
}

// <|name|>, which GPT-2's expression takes apart
static bool encode_marker(struct walk *walk, const char *word, size_t length, size_t offset)
{
    return encode_word(walk, word, 2, offset) &&
           // two characters on either side of the name
           encode_word(walk, word + 2, length - 4, offset + 2) &&
           encode_word(walk, word + length - 2, 2, offset + length - 2);
}

// the words of a stretch of the normal form
static bool encode_words(struct walk *walk, const char *normal, size_t from, size_t to)
{
    const char *at = normal + from, *end = normal + to;

    while (at < end) {
        enum kind kind = kind_of(g_utf8_get_char(at));
        size_t offset = (size_t)(at - normal);
        bool marker = false;
        size_t length = spelled_word(at, end, &marker);
        if (length == 0) {
            // \p{N} is one digit: 12 is two words, while letters and other signs go on
            const char *next = kind == NUMBER ? g_utf8_next_char(at) : run_end(at, end, kind);
            length = (size_t)(next - at);
        }
        // blanks only part words
        if (kind != BLANK && !(marker ? encode_marker : encode_word)(walk, at, length, offset)) {
            return false;
        }
        at += length;
    }
    return true;
}

// a part of the text between two tokens found as written
static bool encode_part(struct walk *walk, const char *part, size_t length)
{
    const struct added_tokens *added = walk->t->added;
    GString *normal = clip_normalize(part, length);
    const struct added_token *token;
    size_t from = 0, start, stop;
    bool fits = true;

    walk->part = part;
    walk->part_length = length;
    // second search, in the normalised text: tokens such as <|ENDOFTEXT|> in capitals
    while (fits && (token = added_tokens_find(added, true, normal->str, normal->len, from, &start,
                                              &stop))) {
        fits = encode_words(walk, normal->str, from, start);
        if (fits && !put(walk, token->id)) {
            walk->cut = original_place(walk, start);
            fits = false;
        }
        from = stop;
    }
    fits = fits && encode_words(walk, normal->str, from, normal->len);
    g_string_free(normal, TRUE);
    return fits;
}

// between words that are found as written; false: there was no place for all
static bool encode_between(struct walk *walk, const char *text, size_t length)
{
    const struct added_tokens *added = walk->t->added;
    const struct added_token *token;
    size_t from = 0, start, stop;

    // first search, as written
    while ((token = added_tokens_find(added, false, text, length, from, &start, &stop))) {
        if (!encode_part(walk, text + from, start - from)) {
            return false;
        }
        if (!put(walk, token->id)) {
            walk->cut = text + start;
            return false;
        }
        from = stop;
    }
    return encode_part(walk, text + from, length - from);
}

// whether a letter or digit is on both sides of a place in a text
static bool inside_word(const char *text, const char *at, const char *end)
{
    return at > text && at < end && g_unichar_isalnum(g_utf8_get_char(g_utf8_prev_char(at))) &&
           g_unichar_isalnum(g_utf8_get_char(at));
}

// the longest of the words that stands at this place, or NULL
static const struct tokenizer_word *word_at(const struct tokenizer *t, const char *text,
                                            const char *at, const char *end)
{
    const struct tokenizer_word *found = NULL;

    for (int i = 0; i < t->n_words; i++) {
        const size_t length = strlen(t->words[i].text);
        if (length > 0 && length <= (size_t)(end - at) &&
            (found == NULL || length > strlen(found->text)) &&
            g_ascii_strncasecmp(at, t->words[i].text, length) == 0 && !inside_word(text, at, end) &&
            !inside_word(text, at + length, end)) {
            found = &t->words[i];
        }
    }
    return found;
}

static void encode_text(struct walk *walk, const char *text, size_t length)
{
    const char *from = text, *end = text + length;

    for (const char *at = text; at < end && walk->t->n_words > 0;) {
        const struct tokenizer_word *word = word_at(walk->t, text, at, end);
        if (word == NULL) {
            at = g_utf8_next_char(at);
            continue;
        }
        if (!encode_between(walk, from, (size_t)(at - from))) {
            return;
        }
        // all of its vectors or none
        if (walk->capacity - walk->count < word->n) {
            walk->cut = at;
            return;
        }
        for (int i = 0; i < word->n; i++) {
            put(walk, word->id + i);
        }
        at += strlen(word->text);
        from = at;
    }
    encode_between(walk, from, (size_t)(end - from));
}

// the longest run of characters that normalisation may join
static int longest_joined(const char *text)
{
    int longest = 0, run = 0;

    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        run = clip_is_joining(g_utf8_get_char(at)) ? run + 1 : 0;
        longest = MAX(longest, run);
    }
    return longest;
}

// a text that can be walked: UTF-8, and not made to take for ever
static bool check_text(const char *text, GError **error)
{
    size_t length = strlen(text);
    const char *end;

    if (length > TOKENIZER_MAX_TEXT) {
        return error_usage(error, "The prompt has more than %d bytes; shorten it.",
                           TOKENIZER_MAX_TEXT);
    }
    if (!g_utf8_validate(text, (gssize)length, &end)) {
        return error_usage(error, "The prompt is not UTF-8: byte %d is wrong; write it in UTF-8.",
                           (int)(end - text) + 1);
    }
    // normalisation sorts a run of marks, which takes the square of its length
    if (longest_joined(text) > TOKENIZER_MAX_MARKS) {
        return error_usage(error,
                           "The prompt has more than %d combining marks in a row; shorten it.",
                           TOKENIZER_MAX_MARKS);
    }
    return true;
}

GArray *tokenizer_pieces(const struct tokenizer *t, const char *text, GError **error)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(int32_t));
    struct walk walk = {.t = t};

    if (!check_text(text, error)) {
        g_array_unref(pieces);
        return NULL;
    }
    // a token has a byte at least, but its normal form may have more of them than the text
    guint room = (guint)strlen(text) + 8;
    do {
        room *= 2;
        g_array_set_size(pieces, room);
        walk = (struct walk){.t = t, .ids = (int32_t *)(void *)pieces->data, .capacity = (int)room};
        encode_text(&walk, text, strlen(text));
    } while (walk.cut != NULL);
    g_array_set_size(pieces, (guint)walk.count);
    return pieces;
}

void tokenizer_frame(const struct tokenizer *t, const int32_t *pieces, int n, int length,
                     int32_t *ids)
{
    ids[0] = t->bos;
    for (int i = 0; i < n; i++) {
        ids[1 + i] = pieces[i];
    }
    ids[n + 1] = t->eos;
    for (int i = n + 2; i < length; i++) {
        ids[i] = t->pad;
    }
}

bool tokenizer_encode(const struct tokenizer *t, const char *text, int length, int32_t *ids,
                      char **left_out, GError **error)
{
    // [bos, pieces..., eos, pad...]: the two ends have their place whatever is cut
    struct walk walk = {.t = t, .ids = ids + 1, .capacity = length - 2};

    if (length < 2) {
        return error_usage(error, "A prompt of %d tokens has no place for its beginning and end.",
                           length);
    }
    if (!check_text(text, error)) {
        return false;
    }
    encode_text(&walk, text, strlen(text));
    // the pieces are in their places already
    tokenizer_frame(t, ids + 1, walk.count, length, ids);
    if (left_out) {
        // a blank at the end is nothing that a person missed
        *left_out = walk.cut ? g_strchomp(g_strdup(walk.cut)) : NULL;
    }
    return true;
}

int32_t tokenizer_id(const struct tokenizer *t, const char *text)
{
    int32_t id;
    struct walk walk = {.t = t, .ids = &id, .capacity = 1};

    if (!check_text(text, NULL)) {
        return -1;
    }
    encode_text(&walk, text, strlen(text));
    // the unknown token stands for every text; it is that of its own text alone
    bool one = walk.count == 1 && !walk.cut;
    bool known = one && (!bpe_is_unknown(t->bpe, id) || added_tokens_id(t->added, text) == id);
    return known ? id : -1;
}

bool tokenizer_is_word(const struct tokenizer *t, const char *text)
{
    int32_t id = tokenizer_id(t, text);
    return id >= 0 && !added_tokens_holds(t->added, id);
}

int32_t tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

struct tokenizer *tokenizer_with_words(const struct tokenizer *t,
                                       const struct tokenizer_word *words, int n)
{
    struct tokenizer *with = g_memdup2(t, sizeof *t);

    with->words = words;
    with->n_words = n;
    return with;
}

int tokenizer_word_length(const struct tokenizer *t, int32_t id)
{
    for (int i = 0; i < t->n_words; i++) {
        if (t->words[i].id == id) {
            return t->words[i].n;
        }
    }
    return 1;
}

void tokenizer_free(struct tokenizer *t)
{
    if (t && !t->words) {
        bpe_free(t->bpe);
        added_tokens_free(t->added);
    }
    g_free(t);
}
