/* plug-in-svdiff-convert: subjects to files that other programs read. */
#include "plugin/call.h"
#include "plugin/paths.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

static char *find_output(const values *v, GError **error)
{
    const char *output = values_text(v, "output");

    return output[0] != '\0'
               ? g_strdup(output)
               : paths_converted(values_text(v, "input"), values_text(v, "to"), error);
}

static GPtrArray *make_arguments(const values *v, const char *output)
{
    GPtrArray *a = g_ptr_array_new_with_free_func(g_free);

    call_add_subjects(a, values_text(v, "input"));
    call_add_text(a, "--to", values_text(v, "to"));
    call_add_text(a, "--output", output);
    call_add_text(a, "--model", values_text(v, "model"));
    call_add_int(a, "--rank", values_int(v, "rank"));
    return a;
}

bool call_convert(const struct call *c, task *t, GError **error)
{
    if (values_text(c->values, "input")[0] == '\0') {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    _("input is empty; name a learned subject or its file."));
        return false;
    }
    if (c->estimate != NULL) { // it takes no time worth telling
        return true;
    }
    t->file = find_output(c->values, error);
    t->folder = t->file != NULL ? scratch_create(error) : NULL;
    if (t->folder != NULL) {
        task_add(t, "convert", make_arguments(c->values, t->file), NULL);
    }
    return t->folder != NULL;
}
