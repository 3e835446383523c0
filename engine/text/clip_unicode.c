/* Characters as CLIP's tokenizer sees them.
 *
 *   normalize = lower(blanks(NFC(text)))
 *
 * NFC is that of Unicode 9. GLib knows newer marks and composites, which must be left alone, and a
 * character that normalisation does not know ends what it can join or reorder. So the text is cut
 * at such characters and only what lies between them is given to GLib. Lower case is a table,
 * without rules of language or position: a final capital sigma gives the ordinary small one. */
#include "engine/text/clip_unicode.h"

#include "engine/text/clip_unicode_table.h"

#include <stdlib.h>

#define PIECE 256

// of every table: its rows begin with the first and the last code point
static int compare_range(const void *key, const void *item)
{
    const uint32_t c = *(const uint32_t *)key, *range = item;
    return c < range[0] ? -1 : c > range[1];
}

// the row of a table that a character is in, or NULL
#define FIND(table, c) (bsearch(&(c), table, G_N_ELEMENTS(table), sizeof *(table), compare_range))

bool clip_is_letter(gunichar c)
{
    return FIND(letters, c) != NULL;
}

bool clip_is_number(gunichar c)
{
    return FIND(numbers, c) != NULL;
}

bool clip_is_blank(gunichar c)
{
    return (c >= 0x9 && c <= 0xD) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

bool clip_is_joining(gunichar c)
{
    return g_unichar_ismark(c) || (c >= 0x1160 && c <= 0x11FF) || FIND(boundaries, c);
}

static void append_lower(GString *out, gunichar c)
{
    const struct lower_range *range = FIND(lowers, c);

    if (range && (c - range->first) % range->step == 0) {
        c = (gunichar)((int64_t)c + range->distance);
    }
    if (c == 0x130) {
        g_string_append(out, "i\u0307"); // the one capital with two small characters
    } else {
        g_string_append_unichar(out, c);
    }
}

static void append_composed(GString *out, const char *text, const char *end)
{
    if (end > text) {
        g_autofree char *composed = g_utf8_normalize(text, end - text, G_NORMALIZE_NFC);
        g_string_append(out, composed);
    }
}

// normal form C of Unicode 9
static GString *compose(const char *text, size_t length)
{
    GString *out = g_string_sized_new(length);
    const char *end = text + length, *part = text;

    for (const char *at = text; at < end; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (FIND(boundaries, c)) {
            append_composed(out, part, at);
            g_string_append_unichar(out, c);
            part = g_utf8_next_char(at);
        } else if (at - part >= PIECE && !clip_is_joining(c)) {
            append_composed(out, part, at);
            part = at;
        }
    }
    append_composed(out, part, end);
    return out;
}

GString *clip_normalize(const char *text, size_t length)
{
    GString *composed = compose(text, length);
    GString *out = g_string_sized_new(composed->len);
    const char *end = composed->str + composed->len;
    bool after_blank = false;

    for (const char *at = composed->str; at < end; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        bool blank = clip_is_blank(c);
        if (!blank) {
            append_lower(out, c);
        } else if (!after_blank) {
            g_string_append_c(out, ' ');
        }
        after_blank = blank;
    }
    g_string_free(composed, TRUE);
    return out;
}
