/* Named values; see presets.h. A group of the file is a preset: groups are numbered, because a name
 * can be any text. */
#include "plugin/presets.h"

#include "plugin/folder.h"

#include "plugin/settings.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME_KEY     "name"
#define SETTINGS_KEY "settings"
#define CHARACTERS   80 // characters

char *presets_file(const struct procedure *p, GError **error)
{
    g_autofree char *folder =
        folder_make(g_get_user_data_dir(), "presets",
                    _("The folder %s, for presets, cannot be made: %s."), error);
    g_autofree char *name = g_strconcat(p->name, ".ini", NULL);

    return folder != NULL ? g_build_filename(folder, name, NULL) : NULL;
}

/* ---- the file ---- */

// an empty one where there is none; NULL with a sentence: it is damaged
static GKeyFile *load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;

    if (g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_COMMENTS, &problem) ||
        g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        return g_steal_pointer(&file);
    }
    error_failed(error, _("The presets in %s cannot be read: %s; mend the file or take it away."),
                 path, problem->message);
    return NULL;
}

// the group of this name, or NULL; g_free it
static char *find(GKeyFile *file, const char *name)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (char **group = groups; *group != NULL; group++) {
        g_autofree char *its = g_key_file_get_string(file, *group, NAME_KEY, NULL);
        if (g_strcmp0(its, name) == 0) {
            return g_strdup(*group);
        }
    }
    return NULL;
}

// the first number that is free
static char *new_group(GKeyFile *file)
{
    for (int i = 1;; i++) {
        g_autofree char *group = g_strdup_printf("preset %d", i);
        if (!g_key_file_has_group(file, group)) {
            return g_steal_pointer(&group);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

// sorted as people of this language sort
char **presets_names(const char *path)
{
    g_autoptr(GKeyFile) file = load(path, NULL);
    g_auto(GStrv) groups = file != NULL ? g_key_file_get_groups(file, NULL) : g_new0(char *, 1);
    GPtrArray *names = g_ptr_array_new();

    for (char **group = groups; *group != NULL; group++) {
        char *name = g_key_file_get_string(file, *group, NAME_KEY, NULL);
        if (name != NULL) {
            g_ptr_array_add(names, name);
        }
    }
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

// a preset that another dialog has just deleted is told of, too
bool presets_read(const char *path, const char *name, values *v, GError **error)
{
    g_autoptr(GKeyFile) file = load(path, error);
    g_autofree char *group = file != NULL ? find(file, name) : NULL;
    g_autofree char *text =
        group != NULL ? g_key_file_get_string(file, group, SETTINGS_KEY, NULL) : NULL;

    if (file != NULL && (text == NULL || !settings_read(v, text))) {
        return error_usage(
            error, _("There is no preset “%s”; type a name and press Save to make it."), name);
    }
    return file != NULL;
}

/* ---- changing it ---- */

static bool check_name(const char *name, GError **error)
{
    const bool good =
        name[0] != '\0' && g_utf8_validate(name, -1, NULL) && g_utf8_strlen(name, -1) <= CHARACTERS;

    return good || error_usage(error, _("Type a name for the preset, of at most %d characters."),
                               CHARACTERS);
}

// values NULL: the preset is forgotten
static bool change(const char *path, const char *name, const values *v, GError **error)
{
    g_autoptr(GKeyFile) file = load(path, error);
    g_autofree char *group = file != NULL ? find(file, name) : NULL;

    if (file == NULL) {
        return false;
    }
    if (v == NULL && group == NULL) {
        return true;
    }
    if (v == NULL) {
        g_key_file_remove_group(file, group, NULL);
    } else {
        g_autofree char *text = settings_of_values(v);
        group = group != NULL ? group : new_group(file);
        g_key_file_set_string(file, group, NAME_KEY, name);
        g_key_file_set_string(file, group, SETTINGS_KEY, text);
    }
    return g_key_file_save_to_file(file, path, error);
}

// without the lock two writers may lose one's change, but never the file
static bool change_locked(const char *path, const char *name, const values *v, GError **error)
{
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);
    const int held = folder_lock(lock, O_CREAT, true);
    // read, changed and written under the lock: another dialog's preset is not lost
    const bool done = change(path, name, v, error);

    if (held >= 0) {
        close(held);
    }
    return done;
}

bool presets_save(const char *path, const char *name, const values *v, GError **error)
{
    return check_name(name, error) && change_locked(path, name, v, error);
}

bool presets_delete(const char *path, const char *name, GError **error)
{
    return change_locked(path, name, NULL, error);
}
