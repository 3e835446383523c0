/* Comma-separated values; see csv.h. */
#include "engine/base/csv.h"

#include <math.h>
#include <string.h>

void csv_append(GString *s, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        g_string_append(s, text);
        return;
    }
    g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", parts);
    g_string_append_printf(s, "\"%s\"", doubled);
}

void csv_append_number(GString *s, const char *format, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(value)) {
        g_string_append(s, g_ascii_formatd(number, sizeof number, format, value));
    }
}
