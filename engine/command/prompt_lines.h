/* prompt_lines.h: the file of --prompts: a prompt a line, and behind it options that are its own.
 *
 *   a fox in the snow
 *   a fox on the beach --steps 20 --seed 7 --negative "people, text"
 *   # a line that is left out, as empty ones are
 *
 * Options begin at the first " --" with a letter behind it; quotes and backslashes in them are those of a
 * shell. They may be the ones of `generate` that are numbers, words, switches or the seed, and the
 * negative prompt. */
#pragma once

#include "engine/options/option.h"

struct prompt_line {
    int number;     // in the file, from 1
    char *prompt;   // owned
    char *negative; // the same; NULL: none of its own
    GArray *values; // struct line_value
};

/* The file's lines, struct prompt_line *; to be freed with g_ptr_array_unref. NULL with a sentence that
 * names the file and, of what is wrong in it, the line: SVDIFF_ERROR_USAGE. */
GPtrArray *prompt_lines_read(const char *path, GError **error);

/* Sets the line's own options in those of generate. */
void prompt_line_apply(const struct prompt_line *l, void *options);

/* Puts "FILE, line N: " before a sentence. */
void prompt_line_blame(const struct prompt_line *l, const char *path, GError **error);
