/* words.h: the languages of people.
 *
 * _() gives a text in the language of the user, N_() marks one in a table that is translated where
 * it is shown. Translations are in plugin/po. */
#pragma once

#include <libintl.h>

#define WORDS_DOMAIN "svdiff"
#define _(text)      dgettext(WORDS_DOMAIN, text)
#define N_(text)     text

/* Takes the user's language; once, when the program begins. */
void words_begin(void);
