/* JSON texts of models, read strictly: one pass of recursive descent over the grammar of RFC 8259.
 *
 *   value = object | array | string | number | true | false | null
 *
 * and one word more, -Infinity, which Python writes into configurations of schedulers.
 *
 * Each function reads one rule from "at" and leaves "at" behind it; the first thing that does not
 * fit sets the error and everything unwinds. Depth is bounded, so the stack is. */
#include "engine/base/json.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"

#include <math.h>
#include <string.h>

struct reader {
    const char *start, *at, *end; // *end is not read
    const char *what;
    int depth, values;
    GError **error;
};

static JsonNode *read_value(struct reader *r);

/* Sets the error "WHAT: line L, column C: PROBLEM."; columns count bytes. Always NULL, or false, so
 * that a rule ends with it. */
static void *refuse(struct reader *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void *refuse(struct reader *r, const char *format, ...)
{
    int line = 1;
    const char *line_start = r->start;
    va_list list;

    // counted now: hardly any text is refused, and every text would be slower to read
    for (const char *c = r->start; c < r->at; c++) {
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    }
    va_start(list, format);
    g_autofree char *problem = g_strdup_vprintf(format, list);
    va_end(list);
    error_failed(r->error, "%s: line %d, column %d: %s.", r->what, line,
                 (int)(r->at - line_start) + 1, problem);
    return NULL;
}

static void skip_blanks(struct reader *r)
{
    // strchr finds the 0 that ends its list, too
    while (r->at < r->end && strchr(" \t\n\r", *r->at) && *r->at) {
        r->at++;
    }
}

// takes c when it is next
static bool take(struct reader *r, char c)
{
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return true;
    }
    return false;
}

static bool expect(struct reader *r, char c)
{
    skip_blanks(r);
    return take(r, c) || refuse(r, "not JSON, '%c' was expected", c);
}

// the four digits behind \u, or -1
static int read_hex4(struct reader *r)
{
    int code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = r->at < r->end ? g_ascii_xdigit_value(*r->at) : -1;
        if (digit < 0) {
            refuse(r, "not JSON, \\u needs four hexadecimal digits");
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

// behind \u: one character, of two escapes when it lies above U+FFFF
static bool read_unicode(struct reader *r, GString *text)
{
    int code = read_hex4(r);
    if (code < 0) {
        return false;
    }
    // the first half of a pair: the second must follow at once, as an escape of its own
    if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 2 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        r->at += 2;
        int low = read_hex4(r);
        if (low < 0) {
            return false;
        }
        code =
            low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0;
    }
    // GLib's strings end at U+0000; half a pair is no character in UTF-8
    if (code == 0 || (code >= 0xD800 && code < 0xE000)) {
        return refuse(r, "the text holds U+0000 or half of a surrogate pair");
    }
    g_string_append_unichar(text, (gunichar)code);
    return true;
}

static bool read_escape(struct reader *r, GString *text)
{
    // the two lists side by side: the letter and what it stands for
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = r->at < r->end ? *r->at : '\0';
    const char *found = letter ? strchr(letters, letter) : NULL;

    if (found) {
        r->at++;
        g_string_append_c(text, meanings[found - letters]);
        return true;
    }
    if (take(r, 'u')) {
        return read_unicode(r, text);
    }
    return refuse(r, "not JSON, unknown escape");
}

// a string in quotation marks, newly allocated, or NULL
static char *read_string(struct reader *r)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (!expect(r, '"')) {
        return NULL;
    }
    while (!take(r, '"')) {
        if (r->at == r->end || (unsigned char)*r->at < 0x20) {
            return refuse(r, "not JSON, a string is not closed or holds a control character");
        }
        if (!take(r, '\\')) {
            g_string_append_c(text, *r->at++);
        } else if (!read_escape(r, text)) {
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

// one digit or more
static bool skip_digits(struct reader *r)
{
    const char *first = r->at;
    while (r->at < r->end && g_ascii_isdigit(*r->at)) {
        r->at++;
    }
    return r->at > first;
}

// walks over [-] digits [. digits] [e [sign] digits]; false when that is not what stands there
static bool skip_number(struct reader *r, bool *whole)
{
    *whole = true;
    take(r, '-');
    // a zero at the beginning stands alone: 01 is no number
    if (!take(r, '0') && !skip_digits(r)) {
        return false;
    }
    if (take(r, '.')) {
        *whole = false;
        if (!skip_digits(r)) {
            return false;
        }
    }
    if (take(r, 'e') || take(r, 'E')) {
        *whole = false;
        if (!take(r, '+')) {
            take(r, '-');
        }
        return skip_digits(r);
    }
    return true;
}

// reads exactly this word when it is next
static bool take_word(struct reader *r, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) {
        return false;
    }
    r->at += length;
    return true;
}

static JsonNode *read_number(struct reader *r)
{
    const char *first = r->at;
    bool whole;

    // no number of JSON begins so, so that nothing else is lost
    if (take_word(r, "-Infinity")) {
        return json_node_init_double(json_node_alloc(), -INFINITY);
    }

    if (!skip_number(r, &whole)) {
        return refuse(r, "not JSON, a value was expected");
    }
    g_autofree char *text = g_strndup(first, (gsize)(r->at - first));
    gint64 integer;
    // whole numbers stay exact: offsets of files go beyond the 53 bits of a double
    if (whole && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL)) {
        return json_node_init_int(json_node_alloc(), integer);
    }
    double number = g_ascii_strtod(text, NULL);
    if (!isfinite(number)) {
        return refuse(r, "a number is too large");
    }
    return json_node_init_double(json_node_alloc(), number);
}

// true, false or null
static JsonNode *read_word(struct reader *r)
{
    static const char *const words[] = {"false", "true", "null"};

    for (int i = 0; i < 3; i++) {
        if (take_word(r, words[i])) {
            return i == 2 ? json_node_init_null(json_node_alloc())
                          : json_node_init_boolean(json_node_alloc(), i);
        }
    }
    return refuse(r, "not JSON, a value was expected");
}

// one "name": value
static bool read_member(struct reader *r, void *object)
{
    g_autofree char *name = read_string(r);
    if (!name) {
        return false;
    }
    // which of the two counts, readers do not agree upon
    if (json_object_has_member(object, name)) {
        return refuse(r, "\"%s\" is given twice", name);
    }
    JsonNode *value = expect(r, ':') ? read_value(r) : NULL;
    if (value) {
        json_object_set_member(object, name, value);
    }
    return value != NULL;
}

static bool read_element(struct reader *r, void *array)
{
    JsonNode *value = read_value(r);
    if (value) {
        json_array_add_element(array, value);
    }
    return value != NULL;
}

// behind the opening bracket: nothing, or one after the other with commas between them
static bool read_all(struct reader *r, char end, bool (*one)(struct reader *r, void *into),
                     void *into)
{
    skip_blanks(r);
    if (take(r, end)) {
        return true;
    }
    do {
        if (!one(r, into)) {
            return false;
        }
        skip_blanks(r);
    } while (take(r, ','));
    return expect(r, end);
}

static JsonNode *read_object(struct reader *r)
{
    g_autoptr(JsonObject) object = json_object_new();

    return read_all(r, '}', read_member, object) ? json_node_init_object(json_node_alloc(), object)
                                                 : NULL;
}

static JsonNode *read_array(struct reader *r)
{
    g_autoptr(JsonArray) array = json_array_new();

    return read_all(r, ']', read_element, array) ? json_node_init_array(json_node_alloc(), array)
                                                 : NULL;
}

static JsonNode *read_text(struct reader *r)
{
    g_autofree char *text = read_string(r);
    return text ? json_node_init_string(json_node_alloc(), text) : NULL;
}

static JsonNode *read_nested(struct reader *r)
{
    // each level is a call within a call, and the stack has an end
    if (++r->depth > JSON_MAX_DEPTH) {
        return refuse(r, "nested deeper than %d levels", JSON_MAX_DEPTH);
    }
    JsonNode *node = *r->at++ == '{' ? read_object(r) : read_array(r);
    r->depth--;
    return node;
}

static JsonNode *read_value(struct reader *r)
{
    skip_blanks(r);
    // behind the end stands nothing that could be looked at
    char next = r->at < r->end ? *r->at : '\0';
    // a short text can hold so many that the tree takes all memory
    if (++r->values > JSON_MAX_VALUES) {
        return refuse(r, "more than %d values", JSON_MAX_VALUES);
    }
    // the first character says what it is
    switch (next) {
    case '{':
    case '[':
        return read_nested(r);
    case '"':
        return read_text(r);
    case 't':
    case 'f':
    case 'n':
        return read_word(r);
    default:
        return read_number(r);
    }
}

JsonNode *json_parse_strict(const char *data, size_t length, const char *what, GError **error)
{
    struct reader r = {data, data, data + length, what, .error = error};

    // first of all: the rules look at single bytes, which are all ASCII
    if (!g_utf8_validate_len(data, length, &r.at)) {
        return refuse(&r, "not JSON, the text is not UTF-8");
    }
    r.at = data;
    g_autoptr(JsonNode) root = read_value(&r);
    if (!root) {
        return NULL;
    }
    skip_blanks(&r);
    if (r.at < r.end) {
        return refuse(&r, "not JSON, something follows the end");
    }
    return g_steal_pointer(&root);
}

JsonNode *json_read_file(const char *path, size_t limit, GError **error)
{
    size_t length;
    g_autofree char *data = regular_file_load(path, limit, &length, error);
    return data ? json_parse_strict(data, length, path, error) : NULL;
}
