/* named_word.h: words of a command line that give what they name a name: "fox-2.safetensors=fox". Several with one
 * name are of one thing. */
#pragma once

/* Where the name of a word would begin, at its last "="; NULL: none is there, or a folder's name goes on behind it.
 * What exists comes before any reading of signs: the caller asks. */
const char *named_word_sign(const char *word);
