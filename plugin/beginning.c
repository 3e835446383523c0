/* The beginning of painting; see beginning.h. */
#include "plugin/beginning.h"

#include "plugin/brought.h"
#include "plugin/folder.h"
#include "plugin/info.h"
#include "plugin/paths.h"
#include "plugin/scenes.h"
#include "plugin/thing.h"
#include "plugin/told.h"

#include "engine/svdiff.h"

#include <string.h>

#define GROUP "beginning"
#define KEY   "subject" // the one that was begun with: its name, and when it was written

/* ---- plain words ---- */

/* By name or by path; NULL: neither. One with a slash is a path; so may one without be, of a file in
 * the current folder. */
static char *file_of(const char *name)
{
    g_autofree char *own = strchr(name, '/') == NULL ? paths_subject(name, NULL) : NULL;

    return own != NULL && g_file_test(own, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&own)
           : g_file_test(name, G_FILE_TEST_IS_REGULAR)             ? g_strdup(name)
                                                                   : NULL;
}

// of the texts of a file, by a key with points in it; NULL: it is not there. Borrowed
static const char *text_of(JsonObject *info, const char *key)
{
    JsonObject *all = told_part(info, "metadata");
    JsonNode *node = all != NULL ? json_object_get_member(all, key) : NULL;

    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* What was learned here as a LoRA or an embedding is called by its words, "a wet fox"; those of other programs
 * say what they please. */
static void add_brought(GStrvBuilder *to, GStrvBuilder *files, const char *file)
{
    JsonObject *info = info_of(file);
    const char *words = text_of(info, "modelspec.trigger_phrase");

    if (words != NULL && words[0] != '\0' && text_of(info, "svdiff.prompt") != NULL) {
        g_autofree char *thing = thing_named(words);
        g_strv_builder_add(to, thing);
        g_strv_builder_add(files, file);
    }
}

static void add_things(GStrvBuilder *to, GStrvBuilder *files, const char *name)
{
    g_autofree char *brought = brought_file(name);
    g_autofree char *file = brought == NULL ? file_of(name) : NULL;
    g_autofree char *called = paths_subject_name(name);
    g_auto(GStrv) things = file != NULL ? told_texts(info_of(file), "things") : NULL;

    if (brought != NULL) {
        add_brought(to, files, brought);
    }
    for (char **thing = things; things != NULL && *thing != NULL; thing++) {
        // a subject of another program says nothing of what it is: its name has to do
        g_strv_builder_add(to, (*thing)[0] != '\0' ? *thing : called);
        g_strv_builder_add(files, file);
    }
}

char **beginning_list(const char *subjects, char ***files)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);
    g_autoptr(GStrvBuilder) things = g_strv_builder_new(), of = g_strv_builder_new();

    for (char **subject = list; *subject != NULL; subject++) {
        double strength;
        g_autofree char *name = svdiff_subject_split(*subject, &strength);
        add_things(things, of, name);
    }
    *files = g_strv_builder_end(of);
    return g_strv_builder_end(things);
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
    const char *last = NULL;
    gint64 newest = -1;

    for (char **name = names; *name != NULL; name++) {
        g_autofree char *file = paths_subject(*name, NULL);
        const gint64 time = file != NULL ? folder_written(file) : -1;
        if (time > newest) {
            newest = time;
            last = *name;
        }
    }
    *stamp = last != NULL ? g_strdup_printf("%s %" G_GINT64_FORMAT, last, newest) : NULL;
    return g_strdup(last);
}

// a model that learning was told for this subject; NULL: not known
static char *model_of(GKeyFile *file, const char *name)
{
    static const char learn[] = "plug-in-svdiff-learn";
    g_autofree char *learned = g_key_file_get_string(file, learn, "name", NULL);

    return g_strcmp0(learned, name) == 0 ? g_key_file_get_string(file, learn, "model", NULL) : NULL;
}

// model first: prompts suit the model
static void begin_with(values *v, const char *name, GKeyFile *file)
{
    g_autofree char *model = model_of(file, name);
    g_autofree char *subjects = svdiff_subject_join(name, 1);

    if (model != NULL) {
        values_put(v, "model", model);
    }
    values_put(v, "subjects", subjects);
    g_auto(GStrv) prompts = beginning_prompts(subjects, values_text(v, "model"));
    values_put(v, "prompt", prompts[0]);
}

void beginning_fill(values *v, const char *file)
{
    g_autoptr(GKeyFile) kept = values_file(file);
    g_autofree char *stamp = NULL;
    g_autofree char *last = find_last(&stamp);

    g_autofree char *before = g_key_file_get_string(kept, GROUP, KEY, NULL);
    // begun with once: what the person wrote since counts more
    if (last == NULL || g_strcmp0(before, stamp) == 0) {
        return;
    }
    begin_with(v, last, kept);
    g_key_file_set_string(kept, GROUP, KEY, stamp);
    if (g_key_file_save_to_file(kept, file, NULL)) { // if not, it begins so again
        values_store(v, file, NULL);
    }
}
