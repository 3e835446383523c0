/* settings_text.h: a text that says how a picture was drawn (picture_settings.h), taken apart. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct settings_text {
    char *prompt, *negative;
    GPtrArray *keys, *values; // as many of both; owned texts
    int regions;              // lines that name a mask
};

/* False with a sentence for what are no settings. path: of the picture, for the sentence. Nothing is to be cleared
 * then. */
bool settings_text_parse(struct settings_text *s, const char *text, const char *path,
                         GError **error);
void settings_text_clear(struct settings_text *s);

/* A value in quotes where it has characters that divide values. Takes the text; owned by the caller. */
char *settings_text_quote(char *text);
