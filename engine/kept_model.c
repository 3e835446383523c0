/* The model that a worker keeps between its jobs; see kept_model.h. */
#include "engine/kept_model.h"

#include "engine/default_model.h"
#include "engine/session.h"

#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 2 // of a model's folders

/* The one that is kept: commands are called with their words only and have no context to hand it
 * in. */
static struct {
    bool enabled;
    svdiff *session;
    char *stamp; // what it was opened from
} kept;

/* ---- what a model is ---- */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void stamp_file(GString *stamp, const char *path, const struct stat *info)
{
    g_string_append_printf(stamp, "%s %lu %lu %ld %ld.%09ld\n", path, (unsigned long)info->st_dev,
                           (unsigned long)info->st_ino, (long)info->st_size,
                           (long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
}

// all files below the path, in the order of their names
static void stamp_path(GString *stamp, const char *path, int depth)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = depth < DEPTH_MAX ? g_dir_open(path, 0, NULL) : NULL;
    struct stat info;

    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        stamp_file(stamp, path, &info);
    }
    for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        stamp_path(stamp, names->pdata[i], depth + 1);
    }
}

// NULL with an error when there is no model that ships
static char *make_stamp(const struct svdiff_options *o, GError **error)
{
    g_autofree char *model = o->model != NULL ? g_strdup(o->model) : default_model_folder(error);
    GString *stamp = g_string_new(NULL);

    if (model == NULL) {
        g_string_free(stamp, TRUE);
        return NULL;
    }
    g_string_printf(stamp, "%d %d %d %s\n", (int)o->device, (int)o->precision, o->threads,
                    o->cache != NULL ? o->cache : "");
    stamp_path(stamp, model, 0);
    return g_string_free(stamp, FALSE);
}

/* ---- keeping ---- */

svdiff *kept_model_open(const struct svdiff_options *options, GError **error)
{
    if (!kept.enabled) {
        return svdiff_open(options, error);
    }
    g_autofree char *stamp = make_stamp(options, error);
    if (stamp == NULL) {
        return NULL;
    }
    if (g_strcmp0(stamp, kept.stamp) != 0) {
        kept_model_drop();
        kept.session = svdiff_open(options, error);
        kept.stamp = kept.session != NULL ? g_steal_pointer(&stamp) : NULL;
    }
    if (kept.session != NULL) { // who is told is another at every job
        kept.session->options.warn = options->warn;
        kept.session->options.note = options->note;
        kept.session->options.user = options->user;
    }
    return kept.session;
}

void kept_model_close(svdiff *s)
{
    if (s == NULL || s != kept.session) {
        svdiff_close(s);
    }
}

void kept_model_enable(void)
{
    kept.enabled = true;
}

bool kept_model_any(void)
{
    return kept.session != NULL;
}

void kept_model_drop(void)
{
    g_clear_pointer(&kept.session, svdiff_close);
    g_clear_pointer(&kept.stamp, g_free);
}

bool kept_model_is_for(const char *command)
{
    return strcmp(command, "generate") == 0 || strcmp(command, "edit") == 0;
}
