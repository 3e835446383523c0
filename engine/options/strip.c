/* A strip as it is said; see strip.h. */
#include "engine/options/strip.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

#define DIGITS "%.4g" // of values between the ends: what is drawn is what the label says

static bool refuse(const char *text, GError **error)
{
    return error_usage(error,
                       "--strip '%s' says no values; write NAME=FROM..TO:N, such as "
                       "scale=-1..1:7, or NAME=A,B,C with 2 to %d of them.",
                       text, STRIP_MAX);
}

// the number, and what comes behind it
static bool number(const char *text, const char **rest, double *value)
{
    char *end;

    *value = g_ascii_strtod(text, &end);
    *rest = end;
    return end != text && isfinite(*value);
}

/* "-1..1:7", of which the caller has looked at the two points. "1..2" is read as 1. and .2 by strtod,
 * hence the copy of what is before them. */
static bool spread(const char *text, const char *points, struct strip *s)
{
    g_autofree char *before = g_strndup(text, (gsize)(points - text));
    const char *rest, *behind;
    double from, to;
    guint64 n;

    if (!number(before, &rest, &from) || *rest != '\0' || !number(points + 2, &behind, &to) ||
        *behind != ':' || !g_ascii_string_to_unsigned(behind + 1, 10, 2, STRIP_MAX, &n, NULL)) {
        return false;
    }
    s->n = (int)n;
    s->values = g_new0(char *, s->n + 1);
    for (int i = 0; i < s->n; i++) {
        char digits[G_ASCII_DTOSTR_BUF_SIZE];
        // of the two ends, so that the last is the end itself, and the middle of -1..1 is 0
        const double value = (from * (s->n - 1 - i) + to * i) / (s->n - 1);
        s->values[i] = g_strdup(g_ascii_formatd(digits, sizeof digits, DIGITS, value));
    }
    return true;
}

static bool list(const char *text, struct strip *s)
{
    s->values = g_strsplit(text, ",", -1);
    s->n = (int)g_strv_length(s->values);
    for (int i = 0; i < s->n; i++) {
        if (g_strstrip(s->values[i])[0] == '\0') {
            return false;
        }
    }
    return s->n >= 2 && s->n <= STRIP_MAX;
}

bool strip_parse(const char *text, struct strip *s, GError **error)
{
    const char *equals = strchr(text, '='), *points = strstr(text, "..");

    *s = (struct strip){0};
    if (equals == NULL || equals == text) {
        return refuse(text, error);
    }
    s->name = g_strndup(text, (gsize)(equals - text));
    return (points != NULL && points > equals ? spread(equals + 1, points, s)
                                              : list(equals + 1, s)) ||
           refuse(text, error);
}

void strip_clear(struct strip *s)
{
    g_free(s->name);
    g_strfreev(s->values);
    *s = (struct strip){0};
}

char *strip_label(const struct strip *s, int i)
{
    return g_strdup_printf("%s %s", s->label != NULL ? s->label : s->name, s->values[i]);
}
