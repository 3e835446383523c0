/* The beginning of painting; see beginning.h. */
#include "plugin/beginning.h"

#include "plugin/info.h"
#include "plugin/paths.h"
#include "plugin/scenes.h"
#include "plugin/thing.h"

#include "engine/svdiff.h"

#include <glib/gstdio.h>
#include <string.h>

#define GROUP "beginning"
#define KEY   "subject" // the one that was begun with: its name, and when it was written

/* ---- plain words ---- */

// by name or by path; NULL: neither
static char *file_of(const char *name)
{
    g_autofree char *own = strchr(name, '/') == NULL ? paths_subject(name, NULL) : NULL;

    return own != NULL && g_file_test(own, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&own)
           : g_file_test(name, G_FILE_TEST_IS_REGULAR)             ? g_strdup(name)
                                                                   : NULL;
}

// "fox" of "/home/me/fox.safetensors"
static char *bare_name(const char *name)
{
    char *base = g_path_get_basename(name);

    if (g_str_has_suffix(base, ".safetensors")) {
        base[strlen(base) - strlen(".safetensors")] = '\0';
    }
    return base;
}

static void add_things(GPtrArray *to, GPtrArray *files, const char *name)
{
    g_autofree char *file = file_of(name);
    g_auto(GStrv) things = file != NULL ? info_things(info_of(file)) : NULL;

    for (char **thing = things; things != NULL && *thing != NULL; thing++) {
        g_ptr_array_add(to, (*thing)[0] != '\0' ? g_strdup(*thing) : bare_name(name));
        g_ptr_array_add(files, g_strdup(file));
    }
}

char **beginning_list(const char *subjects, char ***files)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);
    GPtrArray *things = g_ptr_array_new(), *of = g_ptr_array_new();

    for (char **subject = list; *subject != NULL; subject++) {
        double strength;
        g_autofree char *name = svdiff_subject_split(*subject, &strength);
        add_things(things, of, name);
    }
    g_ptr_array_add(things, NULL);
    g_ptr_array_add(of, NULL);
    *files = (char **)g_ptr_array_free(of, FALSE);
    return (char **)g_ptr_array_free(things, FALSE);
}

char *beginning_things(const char *subjects)
{
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) things = beginning_list(subjects, &files);

    return thing_list(things);
}

char **beginning_prompts(const char *subjects, const char *model)
{
    g_autofree char *things = beginning_things(subjects);

    return scenes_of(things[0] != '\0' ? things : "a cat", model[0] == '\0');
}

/* ---- the last one ---- */

// the name of the subject that was written last, or NULL; *stamp (g_free): of this very writing
static char *find_last(char **stamp)
{
    g_auto(GStrv) names = paths_subjects();
    char *last = NULL;
    gint64 newest = 0;

    for (char **name = names; *name != NULL; name++) {
        g_autofree char *file = paths_subject(*name, NULL);
        GStatBuf status;
        if (file == NULL || g_stat(file, &status) != 0) {
            continue;
        }
        const gint64 time = (gint64)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        if (last == NULL || time > newest) {
            newest = time;
            g_free(last);
            last = g_strdup(*name);
        }
    }
    *stamp = last != NULL ? g_strdup_printf("%s %" G_GINT64_FORMAT, last, newest) : NULL;
    return last;
}

// a model that learning was told for this subject; NULL: not known
static char *model_of(GKeyFile *file, const char *name)
{
    static const char learn[] = "plug-in-svdiff-learn";
    g_autofree char *learned = g_key_file_get_string(file, learn, "name", NULL);

    return g_strcmp0(learned, name) == 0 ? g_key_file_get_string(file, learn, "model", NULL) : NULL;
}

static void set(values *v, const char *name, const char *text)
{
    values_set_text(v, procedure_index(v->procedure, name), text);
}

static void begin_with(values *v, const char *name, GKeyFile *file)
{
    g_autofree char *model = model_of(file, name);
    g_autofree char *subjects = svdiff_subject_join(name, 1);

    if (model != NULL) {
        set(v, "model", model);
    }
    set(v, "subjects", subjects);
    g_auto(GStrv) prompts = beginning_prompts(subjects, values_text(v, "model"));
    set(v, "prompt", prompts[0]);
}

void beginning_fill(values *v, const char *file)
{
    g_autoptr(GKeyFile) kept = g_key_file_new();
    g_autofree char *stamp = NULL;
    g_autofree char *last = find_last(&stamp);

    g_key_file_load_from_file(kept, file, G_KEY_FILE_KEEP_COMMENTS, NULL); // none yet: an empty one
    g_autofree char *before = g_key_file_get_string(kept, GROUP, KEY, NULL);
    if (last == NULL || g_strcmp0(before, stamp) == 0) {
        return;
    }
    begin_with(v, last, kept);
    g_key_file_set_string(kept, GROUP, KEY, stamp);
    if (g_key_file_save_to_file(kept, file, NULL)) { // if not, it begins so again
        values_store(v, file, NULL);
    }
}
