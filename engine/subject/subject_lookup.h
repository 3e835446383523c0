/* subject_lookup.h: what people call a subject: its file, or the name under which it was learned,
 * with a strength behind a colon.
 *
 *   fox             a file or folder of this name, else svdiff/subjects/fox.safetensors in the
 *                   user's data folder
 *   fox:0.8         the same with a strength
 *   fox:keep=40     a part of it (subject_part.h)
 *   portrait 16:9   where there is a subject of just this name it is that one: what exists comes
 *                   before any reading of colons and endings
 *
 * The functions of people's texts are in svdiff.h, because the plug-in reads them too. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Where a subject of this name or file is, or would have to be; of one with a part behind it that of
 * the subject. Owned by the caller. */
char *subject_path(const char *name);

/* ":keep=40" of "fox:keep=40" (subject_part.h), inside of name; NULL where all of it is a subject. */
const char *subject_part_of(const char *name);

/* Whether all of a text, separators and all, is one subject that exists, with or without a strength. */
bool subject_is_one(const char *text);

/* "fox" of "/home/me/fox.safetensors": what the subject in a file is called. Owned by the caller. */
char *subject_name_of(const char *path);

/* Whether the subject that `option` says is to be written to this path can be called by its name
 * later. False with a sentence. */
bool subject_check_output(const char *option, const char *path, GError **error);
