/* learn_subjects.h: the options of `svdiff learn` that belong to a subject, in their order: each
 * --prompt begins one; the --class-prompt, --image, --mask, --caption and --region that follow are its. An
 * --image is a picture, several (those behind the first come as --image+) or a folder of them; the
 * --mask behind it is that of its one picture, or a folder of masks with the pictures' names. */
#pragma once

#include "engine/svdiff.h"

struct learn_subjects {
    GArray *all;      // struct learn_subject
    GPtrArray *notes; // char *: sentences on what was found in folders
};

struct learn_subjects learn_subjects_create(void);
void learn_subjects_finish(struct learn_subjects *l);

/* What was given, for as long as l is; the list itself is the caller's (g_free). Once. */
struct svdiff_subject *learn_subjects_take(struct learn_subjects *l);

/* Takes captions of images that have none from the .txt files beside them, NAME.txt for NAME.png; before
 * learn_subjects_take. False with a sentence where one is missing. */
bool learn_subjects_read_captions(struct learn_subjects *l, GError **error);

/* Takes one of these options, as GOption's callbacks get it: `option` with its "--". False with a
 * sentence where it stands at a wrong place or names what cannot be read. */
bool learn_subjects_option(struct learn_subjects *l, const char *option, const char *value,
                           GError **error);
