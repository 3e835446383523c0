/* Options, one row each; see option.h. */
#include "engine/options/option.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

const struct option *option_find(const struct option_table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++) {
        // tables have tens of rows: a loop is quick enough
        if (strcmp(t->rows[i].name, name) == 0) {
            return &t->rows[i];
        }
    }
    g_assert_not_reached();
}

// JSON and Python have no hyphens in names
char *option_key(const struct option *o)
{
    return g_strdelimit(g_strdup(o->name), "-", '_');
}

// "a, b or c"
static char *list_words(const char *const *words)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; words[i] != NULL; i++) {
        // commas between, "or" before the last
        const char *before = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";
        g_string_append_printf(text, "%s%s", before, words[i]);
    }
    return g_string_free(text, FALSE);
}

char *option_words(const struct option *o)
{
    return list_words(o->words);
}

const char *option_word(const struct option *o, int value)
{
    // -1 of a model's own choice has no word
    const int index = value - o->first;

    return index >= 0 && index < (int)g_strv_length((char **)o->words) ? o->words[index] : NULL;
}

bool option_word_value(const struct option *o, const char *word, double *value)
{
    for (int i = 0; o->words[i] != NULL; i++) {
        if (strcmp(o->words[i], word) == 0) {
            *value = o->first + i;
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

bool option_is_number(const struct option *o)
{
    // the kinds are in this order
    return o->kind <= OPTION_EITHER;
}

// a double holds every int, switch and enum
double option_get(const struct option *o, const void *options)
{
    const char *at = (const char *)options + o->field;

    switch (o->kind) {
    case OPTION_NUMBER:
        return *(const double *)(const void *)at;
    case OPTION_BOOL:
    case OPTION_EITHER:
        return *(const bool *)at;
    default:
        return *(const int *)(const void *)at;
    }
}

// of a bool every number but 0 is true
void option_set(const struct option *o, void *options, double value)
{
    char *at = (char *)options + o->field;

    switch (o->kind) {
    case OPTION_NUMBER:
        *(double *)(void *)at = value;
        break;
    case OPTION_BOOL:
    case OPTION_EITHER:
        *(bool *)at = value != 0;
        break;
    default:
        *(int *)(void *)at = (int)value;
        break;
    }
}

const struct option *option_method(const struct option_table *t)
{
    return &t->rows[0];
}

bool option_of_method(const struct option_table *t, const struct option *o, const void *options)
{
    const unsigned methods = o->flags & OPTION_OF_METHODS;

    return methods == 0 ||
           (methods & OPTION_OF((unsigned)option_get(option_method(t), options))) != 0;
}

char *option_methods(const struct option_table *t, const struct option *o)
{
    const struct option *by = option_method(t);
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    if ((o->flags & OPTION_OF_METHODS) == 0) {
        return NULL;
    }
    for (int i = 0; by->words[i] != NULL; i++) {
        if (o->flags & OPTION_OF((unsigned)(by->first + i))) {
            g_ptr_array_add(words, (void *)by->words[i]);
        }
    }
    g_ptr_array_add(words, NULL);
    return list_words((const char *const *)words->pdata);
}

bool option_applies(const struct option_table *t, const struct option *o, const void *options,
                    unsigned flags)
{
    return (o->flags & flags) != 0 && option_of_method(t, o, options) &&
           !((o->flags & OPTION_IF_ON) && option_get(o, options) == o->low);
}

char *option_text(const struct option *o, const void *options)
{
    const char *at = (const char *)options + o->field;
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    switch (o->kind) {
    case OPTION_SEED:
        // 64 bits, more than a double has
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const uint64_t *)(const void *)at);
    case OPTION_CHOICE:
    case OPTION_EITHER:
        return g_strdup(option_word(o, (int)option_get(o, options)));
    case OPTION_BOOL:
        return g_strdup(option_get(o, options) != 0 ? "true" : "false");
    default:
        // as many digits as it takes to read the same number again
        return g_strdup(g_ascii_dtostr(number, sizeof number, option_get(o, options)));
    }
}

/* ---- checks ---- */

// a number for people, whole ones with all their digits
static char *number_text(double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    // beyond that a double has no digits to spare
    const bool whole = fabs(value) < 1e15 && value == floor(value);

    return g_strdup(g_ascii_formatd(number, sizeof number, whole ? "%.0f" : "%.10g", value));
}

// "from 0 to 1", "above 0 and at most 1"
static char *range_text(const struct option *o)
{
    g_autofree char *low = number_text(o->low), *high = number_text(o->high);

    return g_strdup_printf(o->flags & OPTION_ABOVE ? "above %s and at most %s" : "from %s to %s",
                           low, high);
}

static bool check(const struct option *o, double value, GError **error)
{
    // not a number fails every comparison
    if (value <= o->high && (o->flags & OPTION_ABOVE ? value > o->low : value >= o->low)) {
        return true;
    }
    g_autofree char *number = number_text(value), *range = range_text(o);
    return error_usage(error, "--%s is %s; it can be %s.", o->name, number, range);
}

bool option_check_pixels(const struct option *o, int pixels, int unit, GError **error)
{
    // sizes are whole latents, of 8 pixels or more
    const int least = (int)o->low / 8 * unit, most = (int)o->high / unit * unit;
    const int below = CLAMP(pixels / unit * unit, least, most);

    if (pixels < least || pixels > most) {
        return error_usage(
            error,
            "--%s is %d; it can be from %d to %d and must be divisible by %d: the nearest is %d.",
            o->name, pixels, least, most, unit, below);
    }
    return pixels % unit == 0 ||
           error_usage(error, "--%s is %d; it must be divisible by %d: the nearest are %d and %d.",
                       o->name, pixels, unit, below, MIN(below + unit, most));
}

static bool parse_number(const struct option *o, const char *text, double *value, GError **error)
{
    char *end;

    // base ten, and a point, in every language
    *value = o->kind == OPTION_INT ? (double)g_ascii_strtoll(text, &end, 10)
                                   : g_ascii_strtod(text, &end);
    if (end == text || *end != '\0') {
        g_autofree char *range = range_text(o);
        return error_usage(error, "--%s is '%s'; it must be a%s number %s.", o->name, text,
                           o->kind == OPTION_INT ? " whole" : "", range);
    }
    // pixels are checked once the model's unit is known
    return o->flags & OPTION_PIXELS || check(o, *value, error);
}

bool option_parse(const struct option *o, const char *text, double *value, GError **error)
{
    // a number; a switch has no text
    if (o->words == NULL) {
        return parse_number(o, text, value, error);
    }
    if (option_word_value(o, text, value)) {
        return true;
    }
    g_autofree char *words = option_words(o);
    return error_usage(error, "--%s is '%s'; it can be %s.", o->name, text, words);
}

bool option_parse_seed(const struct option *o, const char *text, uint64_t *seed, GError **error)
{
    // one bit less than a seed has: files and JSON keep it as a signed number
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL)) {
        return error_usage(
            error, "--%s is '%s'; it must be a whole number from 0 to %" G_GINT64_FORMAT ".",
            o->name, text, G_MAXINT64);
    }
    *seed = number;
    return true;
}

/* ---- all of a table ---- */

void options_set_standards(const struct option_table *t, void *options)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct option *o = &t->rows[i];
        if (o->field == OPTION_NO_FIELD) {
            continue;
        }
        if (option_is_number(o)) {
            option_set(o, options, o->standard);
            // texts without a default stay NULL
        } else if (o->text != NULL) {
            *(const char **)(void *)((char *)options + o->field) = o->text;
        }
    }
}

bool options_check(const struct option_table *t, const void *options, GError **error)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct option *o = &t->rows[i];
        // words and switches cannot be out of range
        const bool ranged = o->kind == OPTION_INT || o->kind == OPTION_NUMBER;
        if (ranged && o->field != OPTION_NO_FIELD && !(o->flags & OPTION_PIXELS) &&
            !check(o, option_get(o, options), error)) {
            return false;
        }
    }
    return true;
}

char *options_print(const struct option_table *t, const void *options, bool several)
{
    // in the table's order: a row that moves makes another fingerprint
    const unsigned flags = OPTION_COUNTS | (several ? OPTION_SEVERAL : 0);
    GString *print = g_string_new(NULL);

    for (size_t i = 0; i < t->n; i++) {
        const struct option *o = &t->rows[i];
        if (option_applies(t, o, options, flags)) {
            g_autofree char *text = option_text(o, options);
            g_string_append_printf(print, "%s=%s\n", o->name, text);
        }
    }
    return g_string_free(print, FALSE);
}
