/* complete.h: what a text is completed to where its cursor stands. */
#pragma once

#include <stdbool.h>

/* Whether the words before the cursor (a character's number) begin this name: "a photo of a re" and
 * "a photo of a red f" that of "red fox"; at least two of its characters, or a bracket "[", which
 * begins all names. *from receives where in the text, in bytes, they begin. */
bool complete_finds(const char *text, int cursor, const char *name, int *from);

/* The text with the name in the place of these words; *end receives the number of the character
 * after it. A text that names subjects by [V] already gets "[V2] name" for the second of those that
 * are used (number: from 0). g_free it. */
char *complete_put(const char *text, int from, int cursor, const char *name, int number, int *end);

/* Whether a prompt of before begins with all of the text, and says more. */
bool complete_continues(const char *text, const char *before);
