/* prompt_parts.c: see prompt_parts.h. A walk over the text, with the parts that open brackets begin at. */
#include "engine/text/prompt_parts.h"

#include "engine/base/error.h"
#include "engine/text/prompt.h"

#include <math.h>
#include <string.h>

#define ROUND        1.1
#define SQUARE       (1 / 1.1)
#define SPECIAL      "\\()[]:" // characters that end a run of plain ones
#define QUOTED_BYTES 60        // of the text, in messages

struct walk {
    GArray *parts;
    GArray *round, *square; // guint: the parts that open brackets begin at
};

static void clear_part(void *part)
{
    g_free(((struct prompt_part *)part)->text);
}

static void put(struct walk *w, const char *text, gsize length, bool breaks)
{
    const struct prompt_part part = {g_strndup(text, length), 1, breaks};

    g_array_append_val(w->parts, part);
}

// what was opened last gets a weight
static void close_bracket(struct walk *w, GArray *open, double weight)
{
    const guint from = g_array_index(open, guint, open->len - 1);

    g_array_set_size(open, open->len - 1);
    for (guint i = from; i < w->parts->len; i++) {
        g_array_index(w->parts, struct prompt_part, i).weight *= weight;
    }
}

// plain characters, with BREAK as a word among them
static void put_run(struct walk *w, const char *text, gsize length)
{
    if (g_strstr_len(text, (gssize)length, "BREAK") == NULL) {
        put(w, text, length, false);
        return;
    }
    g_autoptr(GRegex) word = g_regex_new("\\s*\\bBREAK\\b\\s*", 0, 0, NULL);
    g_autofree char *run = g_strndup(text, length);
    g_auto(GStrv) pieces = g_regex_split(word, run, 0);

    for (int i = 0; pieces[i] != NULL; i++) {
        if (i > 0) {
            put(w, "", 0, true);
        }
        put(w, pieces[i], strlen(pieces[i]), false);
    }
}

/* ": 1.3 )" at a colon: its length and the number; 0 when it is nothing like that. */
static gsize weight_at(const char *at, double *weight)
{
    const char *digits = at + 1 + strspn(at + 1, " \t\n\r");
    const gsize length = strspn(digits, "+-.0123456789");
    g_autofree char *number = g_strndup(digits, length);
    char *end;

    // a point in every language; "1.2.3" is no number
    *weight = g_ascii_strtod(number, &end);
    const char *behind = digits + length + strspn(digits + length, " \t\n\r");
    return length > 0 && *end == '\0' && *behind == ')' ? (gsize)(behind + 1 - at) : 0;
}

// takes what begins with a special character; returns its length
static gsize take_special(struct walk *w, const char *at)
{
    const gsize mark = prompt_mark_length(at);
    double weight;
    gsize length = 1;

    if (mark > 0) {
        put(w, at, mark, false);
        return mark;
    }
    if (*at == '\\') {
        // before anything else it stands for nothing
        length = at[1] != '\0' && strchr("\\()[]", at[1]) != NULL ? 2 : 1;
        put(w, at + 1, length - 1, false);
    } else if (*at == '(' || *at == '[') {
        g_array_append_val(*at == '(' ? w->round : w->square, w->parts->len);
    } else if (*at == ':' && w->round->len > 0 && (length = weight_at(at, &weight)) > 0) {
        close_bracket(w, w->round, weight);
        return length;
    } else if (*at == ')' && w->round->len > 0) {
        close_bracket(w, w->round, ROUND);
    } else if (*at == ']' && w->square->len > 0) {
        close_bracket(w, w->square, SQUARE);
    } else {
        put(w, at, 1, false);
        return 1;
    }
    return length;
}

static void walk_text(struct walk *w, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        const gsize plain = strcspn(at, SPECIAL);
        if (plain > 0) {
            put_run(w, at, plain);
        }
        at += plain > 0 ? plain : take_special(w, at);
    }
    while (w->round->len > 0) {
        close_bracket(w, w->round, ROUND);
    }
    while (w->square->len > 0) {
        close_bracket(w, w->square, SQUARE);
    }
}

// neighbours of one weight are one text, whose words may go over their border
static GArray *merge(const GArray *parts)
{
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(struct prompt_part));

    g_array_set_clear_func(merged, clear_part);
    for (guint i = 0; i < parts->len;) {
        const struct prompt_part *first = prompt_part_at(parts, i);
        GString *text = g_string_new(NULL);
        do {
            g_string_append(text, prompt_part_at(parts, i++)->text);
        } while (i < parts->len && !first->breaks && !prompt_part_at(parts, i)->breaks &&
                 prompt_part_at(parts, i)->weight == first->weight);
        const struct prompt_part part = {g_string_free(text, FALSE), first->weight, first->breaks};
        g_array_append_val(merged, part);
    }
    return merged;
}

/* ---- what is refused ---- */

// an open bracket, and what is directly in it
struct open {
    char bracket;
    const char *at, *colon; // the last one, or NULL
    bool bar;
};

// whether nothing but a number stands there
static bool is_number(const char *from, const char *to)
{
    g_autofree char *text = g_strstrip(g_strndup(from, (gsize)(to - from)));
    char *end;

    g_ascii_strtod(text, &end);
    return *text != '\0' && strspn(text, "+-.0123456789") == strlen(text) && *end == '\0';
}

static bool refuse(const char *option, const char *from, const char *to, const char *reads,
                   GError **error)
{
    const gsize length = (gsize)(to - from);
    // cut before a character, not within one
    const char *end =
        length <= QUOTED_BYTES ? to : g_utf8_find_prev_char(from, from + QUOTED_BYTES + 1);
    g_autofree char *quoted = g_strndup(from, (gsize)(end - from));

    return error_usage(error,
                       "%s has '%s%s', %s; that is not possible here: write it in plain words, or "
                       "\\[ for a bracket.",
                       option, quoted, end < to ? "..." : "", reads);
}

// a bracket closes: those within it that are open are no brackets
static bool check_close(const char *option, GArray *open, const char *at, GError **error)
{
    const char wanted = *at == ')' ? '(' : '[';

    for (guint i = open->len; i > 0; i--) {
        const struct open o = g_array_index(open, struct open, i - 1);
        if (o.bracket != wanted) {
            continue;
        }
        g_array_set_size(open, i - 1);
        if (wanted == '[' && o.bar) {
            return refuse(option, o.at, at + 1, "which elsewhere takes turns ([a|b])", error);
        }
        if (wanted == '[' && o.colon != NULL && is_number(o.colon + 1, at)) {
            return refuse(option, o.at, at + 1,
                          "which elsewhere changes while drawing ([from:to:when])", error);
        }
        return true;
    }
    return true;
}

// none of it is opened or closed twice, so that brackets cost no more than their number
static bool check_changes(const char *option, const char *text, GError **error)
{
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(struct open));

    for (const char *at = text; *at != '\0'; at++) {
        const gsize mark = prompt_mark_length(at);
        struct open *inner =
            open->len > 0 ? &g_array_index(open, struct open, open->len - 1) : NULL;

        if (mark > 0) {
            at += mark - 1;
        } else if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '(' || *at == '[') {
            const struct open o = {.bracket = *at, .at = at};
            g_array_append_val(open, o);
        } else if (*at == ')' || *at == ']') {
            if (!check_close(option, open, at, error)) {
                return false;
            }
        } else if (inner != NULL) {
            inner->bar = inner->bar || *at == '|';
            inner->colon = *at == ':' ? at : inner->colon;
        }
    }
    return true;
}

static bool check_and(const char *option, const char *text, GError **error)
{
    return !g_regex_match_simple("\\bAND\\b", text, 0, 0) ||
           error_usage(error,
                       "%s has AND, which elsewhere draws several prompts at once; that is not "
                       "possible here: write 'and', or give a place its own text with --region.",
                       option);
}

static bool check_weights(const char *option, const GArray *parts, GError **error)
{
    for (guint i = 0; i < parts->len; i++) {
        const double weight = prompt_part_at(parts, i)->weight;
        // not a number, too
        if (!(fabs(weight) <= PROMPT_WEIGHT_MAX)) {
            return error_usage(error,
                               "%s has a weight of %.3g; from %g to %g are possible: use fewer "
                               "brackets, or a smaller number.",
                               option, weight, -PROMPT_WEIGHT_MAX, PROMPT_WEIGHT_MAX);
        }
    }
    return true;
}

GArray *prompt_parts(const char *option, const char *text, GError **error)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(struct prompt_part));
    g_autoptr(GArray) round = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) square = g_array_new(FALSE, FALSE, sizeof(guint));
    struct walk w = {parts, round, square};

    g_array_set_clear_func(parts, clear_part);
    if (!check_changes(option, text, error) || !check_and(option, text, error)) {
        return NULL;
    }
    walk_text(&w, text);
    return check_weights(option, parts, error) ? merge(parts) : NULL;
}

const char *prompt_unbalanced(const char *text)
{
    // of each kind those that are open: (a [b) c] is balanced, as its weights are
    g_autoptr(GPtrArray) round = g_ptr_array_new(), square = g_ptr_array_new();

    for (const char *at = text; *at != '\0'; at++) {
        const gsize mark = prompt_mark_length(at);
        GPtrArray *open = strchr("()", *at) != NULL ? round : square;

        if (mark > 0) {
            at += mark - 1;
        } else if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '(' || *at == '[') {
            g_ptr_array_add(open, (void *)at);
        } else if ((*at == ')' || *at == ']') && open->len == 0) {
            return at;
        } else if (*at == ')' || *at == ']') {
            g_ptr_array_set_size(open, (int)open->len - 1);
        }
    }
    const char *first = round->len > 0 ? round->pdata[0] : NULL;
    return square->len > 0 && (first == NULL || (const char *)square->pdata[0] < first)
               ? square->pdata[0]
               : first;
}

char *prompt_escape(const char *text)
{
    GString *escaped = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (strchr("\\()[]", *text) != NULL) {
            g_string_append_c(escaped, '\\');
        }
        g_string_append_c(escaped, *text);
    }
    return g_string_free(escaped, FALSE);
}
