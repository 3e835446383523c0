/* told.h: what the command tells, as JSON. It may be of another version, and a settings text may
 * be a stranger's: what is missing, or of another kind, is as good as not told. */
#pragma once

#include <json-glib/json-glib.h>

/* The object that a text is, owned by the parser; NULL: it is none. */
JsonObject *told_object(JsonParser *parser, const char *text);

/* Of an object, which may be NULL, by a path such as "defaults.generate.width": an object or NULL;
 * a text or NULL; a number, or `standard`; a list, or NULL. All borrowed. */
JsonObject *told_part(JsonObject *o, const char *path);
const char *told_text(JsonObject *o, const char *path);
double told_number(JsonObject *o, const char *path, double standard);
JsonArray *told_list(JsonObject *o, const char *path);

/* The texts of such a list, "" for what is none; g_strfreev it. */
char **told_texts(JsonObject *o, const char *path);

/* The last line of what was written for people; cuts the text. */
const char *told_last_line(char *text);
