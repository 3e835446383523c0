/* Prompts, pictures and masks of subjects; see learn_subjects.h. */
#include "engine/command/learn_subjects.h"

struct learn_subject {
    char *prompt, *class_prompt, *region;
    GPtrArray *images, *masks; // as many of each; NULL-terminated when taken
};

struct learn_subjects learn_subjects_create(void)
{
    return (struct learn_subjects){.all = g_array_new(FALSE, TRUE, sizeof(struct learn_subject))};
}

void learn_subjects_finish(struct learn_subjects *l)
{
    for (guint i = 0; i < l->all->len; i++) {
        const struct learn_subject *s = &g_array_index(l->all, struct learn_subject, i);
        g_free(s->prompt);
        g_free(s->class_prompt);
        g_free(s->region);
        g_ptr_array_unref(s->images);
        g_ptr_array_unref(s->masks);
    }
    g_array_unref(l->all);
}

struct svdiff_subject *learn_subjects_take(struct learn_subjects *l)
{
    struct svdiff_subject *subjects = g_new0(struct svdiff_subject, l->all->len + 1);

    for (guint i = 0; i < l->all->len; i++) {
        struct learn_subject *s = &g_array_index(l->all, struct learn_subject, i);
        g_ptr_array_add(s->images, NULL);
        g_ptr_array_add(s->masks, NULL);
        subjects[i] = (struct svdiff_subject){.prompt = s->prompt,
                                              .class_prompt = s->class_prompt,
                                              .region = s->region,
                                              .images = (const char *const *)s->images->pdata,
                                              .masks = (const char *const *)s->masks->pdata};
    }
    return subjects;
}

/* ---- options ---- */

static bool current(struct learn_subjects *l, const char *option, struct learn_subject **s,
                    GError **error)
{
    if (l->all->len == 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s comes before any --prompt; begin each subject with its --prompt.", option);
        return false;
    }
    *s = &g_array_index(l->all, struct learn_subject, l->all->len - 1);
    return true;
}

gboolean learn_subjects_on_prompt(const char *option, const char *value, void *data, GError **error)
{
    struct learn_subjects *l = data;
    const struct learn_subject s = {.prompt = g_strdup(value),
                                    .images = g_ptr_array_new_with_free_func(g_free),
                                    .masks = g_ptr_array_new_with_free_func(g_free)};

    g_array_append_val(l->all, s);
    return TRUE;
}

gboolean learn_subjects_on_class_prompt(const char *option, const char *value, void *data,
                                        GError **error)
{
    struct learn_subject *s;

    if (!current(data, option, &s, error)) {
        return FALSE;
    }
    g_free(s->class_prompt);
    s->class_prompt = g_strdup(value);
    return TRUE;
}

gboolean learn_subjects_on_image(const char *option, const char *value, void *data, GError **error)
{
    struct learn_subject *s;

    if (!current(data, option, &s, error)) {
        return FALSE;
    }
    g_ptr_array_add(s->images, g_strdup(value));
    g_ptr_array_add(s->masks, NULL);
    return TRUE;
}

gboolean learn_subjects_on_mask(const char *option, const char *value, void *data, GError **error)
{
    struct learn_subject *s;

    if (!current(data, option, &s, error)) {
        return FALSE;
    }
    if (s->images->len == 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--mask %s comes before any --image; it belongs to the --image before it.",
                    value);
        return FALSE;
    }
    void **place = &s->masks->pdata[s->masks->len - 1];
    if (*place != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--image %s has two masks, %s and %s; give it one.",
                    (char *)s->images->pdata[s->images->len - 1], (char *)*place, value);
        return FALSE;
    }
    *place = g_strdup(value);
    return TRUE;
}

gboolean learn_subjects_on_region(const char *option, const char *value, void *data, GError **error)
{
    struct learn_subject *s;

    if (!current(data, option, &s, error)) {
        return FALSE;
    }
    if (s->region != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "The subject '%s' has two regions, %s and %s; give it one.", s->prompt,
                    s->region, value);
        return FALSE;
    }
    s->region = g_strdup(value);
    return TRUE;
}
