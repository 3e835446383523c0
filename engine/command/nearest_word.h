/* nearest_word.h: which word was meant by one that is misspelt. */
#pragma once

#include <glib.h>

/* The word of the list that takes the fewest letters inserted, left out or replaced, when these are
 * at most a third of what was typed, or one that begins with it; NULL when none is near. Upper and
 * lower case are alike. */
const char *nearest_word(const char *typed, const char *const *words);
