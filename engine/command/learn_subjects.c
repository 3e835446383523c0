/* Prompts, pictures and masks of subjects; see learn_subjects.h. */
#include "engine/command/learn_subjects.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"
#include "engine/picture/picture_folder.h"

#include <string.h>

#define CAPTION_BYTES (1 << 16)

struct learn_subject {
    char *prompt, *class_prompt, *region;
    GPtrArray *images, *masks, *captions; // as many of each; NULL-terminated when taken
    guint group;                          // where the images of the last --image begin
};

struct learn_subjects learn_subjects_create(void)
{
    return (struct learn_subjects){.all = g_array_new(FALSE, TRUE, sizeof(struct learn_subject)),
                                   .notes = g_ptr_array_new_with_free_func(g_free)};
}

// strings of what learn_subjects_take gave are gone with it
void learn_subjects_finish(struct learn_subjects *l)
{
    for (guint i = 0; i < l->all->len; i++) {
        const struct learn_subject *s = &g_array_index(l->all, struct learn_subject, i);
        g_free(s->prompt);
        g_free(s->class_prompt);
        g_free(s->region);
        g_ptr_array_unref(s->images);
        g_ptr_array_unref(s->masks);
        g_ptr_array_unref(s->captions);
    }
    g_array_unref(l->all);
    g_ptr_array_unref(l->notes);
}

struct svdiff_subject *learn_subjects_take(struct learn_subjects *l)
{
    struct svdiff_subject *subjects = g_new0(struct svdiff_subject, l->all->len + 1);

    for (guint i = 0; i < l->all->len; i++) {
        struct learn_subject *s = &g_array_index(l->all, struct learn_subject, i);
        // the lists end here, so nothing can be added any more
        g_ptr_array_add(s->images, NULL);
        g_ptr_array_add(s->masks, NULL);
        g_ptr_array_add(s->captions, NULL);
        subjects[i] = (struct svdiff_subject){.prompt = s->prompt,
                                              .class_prompt = s->class_prompt,
                                              .region = s->region,
                                              .images = (const char *const *)s->images->pdata,
                                              .masks = (const char *const *)s->masks->pdata,
                                              .captions = (const char *const *)s->captions->pdata};
    }
    return subjects;
}

/* ---- captions in files ---- */

// a .txt beside the picture, in one line; NULL with an error
static char *read_caption(const char *image, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(image), *stem = picture_folder_stem(image);
    g_autofree char *name = g_strconcat(stem, ".txt", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    size_t length;
    g_autofree char *text = regular_file_load(path, CAPTION_BYTES, &length, error);

    if (text != NULL && (strlen(text) != length || !g_utf8_validate(text, -1, NULL))) {
        error_failed(error, "%s is no text in UTF-8; write what %s shows in it.", path, image);
        return NULL;
    }
    return text != NULL ? g_strdup(g_strstrip(g_strdelimit(text, "\r\n\t", ' '))) : NULL;
}

static bool read_captions(struct learn_subject *s, GError **error)
{
    for (guint i = 0; i < s->images->len; i++) {
        void **place = &s->captions->pdata[i];
        // what was given with --caption counts
        if (*place == NULL) {
            *place = read_caption(s->images->pdata[i], error);
        }
        if (*place == NULL) {
            return false;
        }
    }
    return true;
}

bool learn_subjects_read_captions(struct learn_subjects *l, GError **error)
{
    for (guint i = 0; i < l->all->len; i++) {
        if (!read_captions(&g_array_index(l->all, struct learn_subject, i), error)) {
            return false;
        }
    }
    return true;
}

/* ---- options ---- */

// what follows on the command line belongs to it
static void begin_subject(struct learn_subjects *l, const char *prompt)
{
    const struct learn_subject s = {.prompt = g_strdup(prompt),
                                    .images = g_ptr_array_new_with_free_func(g_free),
                                    .masks = g_ptr_array_new_with_free_func(g_free),
                                    .captions = g_ptr_array_new_with_free_func(g_free)};

    g_array_append_val(l->all, s);
}

// the last one counts, as of every option that is there twice
static bool take_class_prompt(struct learn_subjects *l, struct learn_subject *s, const char *value,
                              GError **error)
{
    g_free(s->class_prompt);
    s->class_prompt = g_strdup(value);
    return true;
}

// a mask and a caption may still come; until then there is a NULL in their places
static void add_image(struct learn_subject *s, const char *path)
{
    g_ptr_array_add(s->images, g_strdup(path));
    g_ptr_array_add(s->masks, NULL);
    g_ptr_array_add(s->captions, NULL);
}

// all pictures of a folder in the order of their names; what else is in it is told
static bool add_folder(struct learn_subjects *l, struct learn_subject *s, const char *folder,
                       GError **error)
{
    int others;
    g_auto(GStrv) paths = picture_folder_list(folder, &others, error);

    for (char **path = paths; path != NULL && *path != NULL; path++) {
        add_image(s, *path);
    }
    if (paths != NULL) {
        const int n = (int)g_strv_length(paths);
        g_ptr_array_add(l->notes, others == 0
                                      ? g_strdup_printf("%s: pictures: %d", folder, n)
                                      : g_strdup_printf("%s: pictures: %d, and %d that are none",
                                                        folder, n, others));
    }
    return paths != NULL;
}

// those behind the first of an --image, as --image+
static bool take_more(struct learn_subjects *l, struct learn_subject *s, const char *path,
                      GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return add_folder(l, s, path, error);
    }
    add_image(s, path);
    return true;
}

static bool take_image(struct learn_subjects *l, struct learn_subject *s, const char *path,
                       GError **error)
{
    // a folder of masks is for the pictures from here on
    s->group = s->images->len;
    return take_more(l, s, path, error);
}

// of image number `image` of the subject
static bool add_mask(struct learn_subject *s, guint image, const char *mask, GError **error)
{
    void **place = &s->masks->pdata[image];

    if (*place != NULL) {
        return error_usage(error, "--image %s has two masks, %s and %s; give it one.",
                           (char *)s->images->pdata[image], (char *)*place, mask);
    }
    *place = g_strdup(mask);
    return true;
}

// the one with the picture's name, or NULL
static const char *mask_of(const char *image, char **masks)
{
    g_autofree char *stem = picture_folder_stem(image);

    for (; *masks != NULL; masks++) {
        g_autofree char *other = picture_folder_stem(*masks);
        if (strcmp(stem, other) == 0) {
            return *masks;
        }
    }
    return NULL;
}

// each picture of the last --image has one in the folder
static bool add_masks(struct learn_subject *s, const char *folder, GError **error)
{
    int others;
    g_auto(GStrv) masks = picture_folder_list(folder, &others, error);

    // those before the last --image may have masks of their own
    for (guint i = s->group; masks != NULL && i < s->images->len; i++) {
        const char *mask = mask_of(s->images->pdata[i], masks);
        if (mask == NULL) {
            return error_failed(error, "The folder of masks %s has none with the name of %s.",
                                folder, (char *)s->images->pdata[i]);
        }
        if (!add_mask(s, i, mask, error)) {
            return false;
        }
    }
    return masks != NULL;
}

static bool take_mask(struct learn_subjects *l, struct learn_subject *s, const char *value,
                      GError **error)
{
    if (s->images->len == 0) {
        return error_usage(
            error, "--mask %s comes before any --image; it belongs to the --image before it.",
            value);
    }
    if (g_file_test(value, G_FILE_TEST_IS_DIR)) {
        return add_masks(s, value, error);
    }
    // which of several it is for nobody could tell
    if (s->images->len - s->group > 1) {
        return error_usage(
            error,
            "--mask %s comes after %u images; put it behind the --image that it belongs "
            "to, or name a folder of masks that are called as the images.",
            value, s->images->len - s->group);
    }
    return add_mask(s, s->images->len - 1, value, error);
}

static bool take_caption(struct learn_subjects *l, struct learn_subject *s, const char *value,
                         GError **error)
{
    if (s->images->len - s->group != 1) {
        return error_usage(
            error,
            "--caption '%s' comes after %u images; put it behind the one --image that "
            "it describes, or write a .txt beside each and say --caption-files.",
            value, s->images->len - s->group);
    }
    void **place = &s->captions->pdata[s->captions->len - 1];
    // the last one counts
    g_free(*place);
    *place = g_strdup(value);
    return true;
}

static bool take_region(struct learn_subjects *l, struct learn_subject *s, const char *value,
                        GError **error)
{
    if (s->region != NULL) {
        return error_usage(error, "The subject '%s' has two regions, %s and %s; give it one.",
                           s->prompt, s->region, value);
    }
    s->region = g_strdup(value);
    return true;
}

// what belongs to the subject that the last --prompt began
static const struct {
    const char *option;
    bool (*take)(struct learn_subjects *l, struct learn_subject *s, const char *value,
                 GError **error);
} parts[] = {
    {"--class-prompt", take_class_prompt},
    {"--image", take_image},
    {"--image+", take_more},
    {"--mask", take_mask},
    {"--caption", take_caption},
    {"--region", take_region},
};

bool learn_subjects_option(struct learn_subjects *l, const char *option, const char *value,
                           GError **error)
{
    if (strcmp(option, "--prompt") == 0) {
        begin_subject(l, value);
        return true;
    }
    if (l->all->len == 0) {
        return error_usage(
            error, "%s comes before any --prompt; begin each subject with its --prompt.", option);
    }
    struct learn_subject *s = &g_array_index(l->all, struct learn_subject, l->all->len - 1);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strcmp(option, parts[i].option) == 0) {
            return parts[i].take(l, s, value, error);
        }
    }
    // GOption knows no other option that ends here
    g_assert_not_reached();
}
