/* learn_subjects.h: the options of `svdiff learn` that belong to a subject, in their order: each
 * --prompt begins one; the --class-prompt, --image, --mask and --region that follow are its. An
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

/* GOptionArgFunc; data: struct learn_subjects. */
gboolean learn_subjects_on_prompt(const char *option, const char *value, void *data,
                                  GError **error);
gboolean learn_subjects_on_class_prompt(const char *option, const char *value, void *data,
                                        GError **error);
gboolean learn_subjects_on_image(const char *option, const char *value, void *data, GError **error);
gboolean learn_subjects_on_more(const char *option, const char *value, void *data, GError **error);
gboolean learn_subjects_on_mask(const char *option, const char *value, void *data, GError **error);
gboolean learn_subjects_on_region(const char *option, const char *value, void *data,
                                  GError **error);
