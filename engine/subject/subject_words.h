/* subject_words.h: what subject files call their subjects: the words that stand for [V1], [V2] ...
 * in the order of the files, and the classes they belong to. */
#pragma once

#include "engine/svdiff.h"

// of one subject; NULL where its file does not say
struct subject_word {
    char *word;         // that stands for its [V]
    char *class_prompt; // "a photo of a dog"
    char *prompt;       // "a photo of a [V] dog"
    char *name;         // of the file, "rex"; NULL where that has several subjects
    int file;           // which of the files it is in
};

struct subject_words {
    GArray *list; // struct subject_word
};

/* Reads the words of all files; subjects that do not say how they are called have none. To be
 * closed in any case. */
bool subject_words_open(struct subject_words *w, const struct svdiff_scaled_subject *files, int n,
                        GError **error);
void subject_words_close(struct subject_words *w); // accepts a zeroed one

/* text with its [V]s replaced; owned by the caller. */
char *subject_words_put(const struct subject_words *w, const char *text);

/* text with a [V1], [V2] ... before what it calls the subjects by name or kind, if it has no [V] or
 * word of theirs: "rex at sea" becomes "[V1] dog at sea". Owned by the caller. */
char *subject_words_mark(const struct subject_words *w, const char *text);

/* Bits 1 << i of the files whose subjects a text names, by [Vk] or by word. */
uint64_t subject_words_files(const struct subject_words *w, const char *text);

/* "a dog and a cat", what the picture would be of without the subjects' own words: the negative
 * prompt that takes seams away (Han et al. 2023, section 4.2). swapped: in the other order. NULL
 * when fewer than two say their class; owned by the caller. */
char *subject_words_classes(const struct subject_words *w, bool swapped);
