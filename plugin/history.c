/* Pictures that were made; see history.h. */
#include "plugin/history.h"

#include "plugin/folder.h"
#include "plugin/pixbuf.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define ENDING        ".png"
#define MASK_ENDING   ".mask.png"
#define INDEX_LENGTH  5 // "-0000"
#define SETTINGS_KEY  "svdiff-settings"
#define PROMPT_KEY    "Description"  // which other programs show, too
#define PLACE_KEY     "svdiff-place" // "X Y WIDTH HEIGHT", and " mask"
#define GRACE_SECONDS 3600           // until what has no picture was left by a killed process
#define SIDE_MAX      1000000        // pixels, of places

/* ---- the folder and its names ---- */

char *history_folder(GError **error)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "svdiff", "history", NULL);

    if (folder_make_private(folder, true)) {
        return g_steal_pointer(&folder);
    }
    error_failed(error, _("The folder %s, for what was made, cannot be used: %s."), folder,
                 g_strerror(errno));
    return NULL;
}

/* The time sorts; the random part tells runs of two GIMPs apart that end in the same microsecond.
 * In UTC, as clocks are set back. */
char *history_run(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y%m%d-%H%M%S");

    return g_strdup_printf("%s-%06d-%08x", time, g_date_time_get_microsecond(now), g_random_int());
}

// of "RUN-0000.png" the length of RUN; 0: no such name
static size_t run_length(const char *name)
{
    const size_t length = strlen(name);

    return length > strlen(ENDING) + INDEX_LENGTH ? length - strlen(ENDING) - INDEX_LENGTH : 0;
}

// whether history_add gives such a name
static bool is_name(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && strchr(name, '/') == NULL && run_length(name) > 0 &&
           g_str_has_suffix(name, ENDING) && !g_str_has_suffix(name, MASK_ENDING);
}

bool history_same_run(const char *a, const char *b)
{
    const size_t n = run_length(a);

    return n == run_length(b) && strncmp(a, b, n) == 0;
}

// the newest run first, and each run in the order of its seeds
static int compare(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;

    return history_same_run(left, right) ? strcmp(left, right) : strcmp(right, left);
}

static char *take_name(const char *name)
{
    return is_name(name) ? g_strdup(name) : NULL;
}

char **history_list(const char *folder)
{
    return folder_names(folder, take_name, compare);
}

// of the mask that belongs to a picture
static char *mask_path(const char *folder, const char *name)
{
    g_autofree char *base = g_strndup(name, strlen(name) - strlen(ENDING));
    g_autofree char *file = g_strconcat(base, MASK_ENDING, NULL);

    return g_build_filename(folder, file, NULL);
}

/* ---- keeping ---- */

// grey, as the eye sees it; [height, width] in 8 bits, which is what a selection mostly has
static bool write_mask(const char *path, const float *mask, const struct host_area *area,
                       GError **error)
{
    g_autoptr(picture) p = picture_create(area->width, area->height, 3, error);

    for (size_t i = 0; p != NULL && i < (size_t)area->width * area->height; i++) {
        p->pixels[3 * i] = p->pixels[3 * i + 1] = p->pixels[3 * i + 2] = mask[i];
    }
    g_autoptr(GdkPixbuf) pixbuf = p != NULL ? pixbuf_of(p) : NULL;
    return pixbuf != NULL && pixbuf_write(path, pixbuf, NULL, 0, error);
}

char *history_add(const char *folder, const char *run, int index, const picture *p,
                  const float *mask, const struct history_entry *entry, GError **error)
{
    const struct host_area *a = &entry->area;
    g_autofree char *place = g_strdup_printf("%d %d %d %d%s", a->x, a->y, a->width, a->height,
                                             mask != NULL ? " mask" : "");
    const struct pixbuf_text texts[] = {
        {PROMPT_KEY, entry->prompt}, {SETTINGS_KEY, entry->settings}, {PLACE_KEY, place}};
    g_autofree char *name = g_strdup_printf("%s-%04d" ENDING, run, index);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *masked = mask_path(folder, name);

    g_autoptr(GdkPixbuf) pixbuf = pixbuf_of(p);
    if ((mask == NULL || write_mask(masked, mask, a, error)) &&
        // the mask first: a picture that is there has its mask
        pixbuf_write(path, pixbuf, texts, G_N_ELEMENTS(texts), error)) {
        return g_steal_pointer(&name);
    }
    g_unlink(masked);
    return NULL;
}

/* ---- throwing away ---- */

// a dialog of another GIMP that shows it finds out when it reads it
void history_remove(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *mask = mask_path(folder, name);

    g_unlink(path);
    g_unlink(mask);
}

static int64_t file_size(const char *path)
{
    GStatBuf info;

    // 0 for a mask that there is not
    return g_lstat(path, &info) == 0 ? info.st_size : 0;
}

// whether a file is of one of the pictures, or none of ours
static bool belongs(const char *folder, const char *name)
{
    if (g_str_has_suffix(name, MASK_ENDING)) {
        g_autofree char *base = g_strndup(name, strlen(name) - strlen(MASK_ENDING));
        g_autofree char *file = g_strconcat(base, ENDING, NULL);
        g_autofree char *path = g_build_filename(folder, file, NULL);
        return g_file_test(path, G_FILE_TEST_EXISTS);
    }
    return name[0] != '.' || strstr(name, ENDING ".") == NULL; // hidden until it is whole
}

static void remove_left(const char *folder)
{
    g_auto(GStrv) names = folder_names(folder, NULL, NULL);

    for (char **name = names; *name != NULL; name++) {
        g_autofree char *path = g_build_filename(folder, *name, NULL);
        // a mask whose picture is just being written has none yet
        if (!belongs(folder, *name) && folder_is_old(path, GRACE_SECONDS)) {
            g_unlink(path);
        }
    }
}

// the newest always stays, however large it is
void history_tidy(const char *folder)
{
    g_auto(GStrv) names = history_list(folder);
    int64_t bytes = 0;

    for (int i = 0; names[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *mask = mask_path(folder, names[i]);
        bytes += file_size(path) + file_size(mask);
        if (i >= HISTORY_MAX || (bytes > HISTORY_BYTES_MAX && i > 0)) {
            history_remove(folder, names[i]);
        }
    }
    remove_left(folder);
}

/* ---- reading ---- */

void history_entry_clear(struct history_entry *entry)
{
    g_free(entry->settings);
    g_free(entry->prompt);
    *entry = (struct history_entry){0};
}

// of a stranger's file, too
static bool parse_place(const char *text, struct history_entry *entry)
{
    struct host_area *a = &entry->area;
    char mask[8] = "";
    const int n = sscanf(text, "%9d %9d %9d %9d %7s", &a->x, &a->y, &a->width, &a->height, mask);

    entry->masked = strcmp(mask, "mask") == 0;
    return n >= 4 && ABS(a->x) < SIDE_MAX && ABS(a->y) < SIDE_MAX && a->width > 0 &&
           a->width < SIDE_MAX && a->height > 0 && a->height < SIDE_MAX;
}

bool history_read(const char *folder, const char *name, struct history_entry *entry, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) problem = NULL;
    g_autoptr(GdkPixbuf) pixbuf = pixbuf_read(path, &problem);
    const char *place = pixbuf != NULL ? pixbuf_text(pixbuf, PLACE_KEY) : NULL;

    *entry = (struct history_entry){0};
    if (place != NULL && parse_place(place, entry)) {
        entry->settings = g_strdup(pixbuf_text(pixbuf, SETTINGS_KEY));
        entry->prompt = g_strdup(pixbuf_text(pixbuf, PROMPT_KEY));
    }
    if (entry->settings == NULL || entry->prompt == NULL) {
        history_entry_clear(entry);
        error_failed(error, _("This picture is not kept any more: %s"),
                     problem != NULL ? problem->message : _("it says nothing of its settings."));
    }
    return entry->settings != NULL;
}

static picture *read_picture(const char *path, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = pixbuf_read(path, error);

    return pixbuf != NULL ? pixbuf_picture(pixbuf, error) : NULL;
}

// values as they are stored; NULL with a sentence
static float *read_mask(const char *path, const struct host_area *area, GError **error)
{
    g_autoptr(picture) p = read_picture(path, error);
    const size_t n = (size_t)area->width * area->height;

    if (p == NULL || p->width != area->width || p->height != area->height) {
        if (p != NULL) {
            error_failed(error, _("%s is no mask of its picture."), path);
        }
        return NULL;
    }
    float *mask = g_new(float, n);
    for (size_t i = 0; i < n; i++) {
        // grey: each channel has it
        mask[i] = p->pixels[p->channels * i];
    }
    return mask;
}

picture *history_picture(const char *folder, const char *name, const struct history_entry *entry,
                         float **mask, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *masked = mask_path(folder, name);
    g_autoptr(picture) p = read_picture(path, error);

    *mask = NULL;
    if (p != NULL && entry->masked) {
        *mask = read_mask(masked, &entry->area, error);
    }
    return p != NULL && (!entry->masked || *mask != NULL) ? g_steal_pointer(&p) : NULL;
}
