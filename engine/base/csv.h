/* csv.h: texts in files of comma-separated values (RFC 4180). */
#pragma once

#include <glib.h>

/* Appends a field: in quotes where it has commas, quotes or ends of lines. */
void csv_append(GString *s, const char *text);

/* The same of a number, printed by a format in every locale; nothing for what is no number. */
void csv_append_number(GString *s, const char *format, double value);
