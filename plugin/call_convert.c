/* plug-in-svdiff-convert: subjects to files that other programs read. */
#include "plugin/call.h"
#include "plugin/paths.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/base/error.h"

static char *find_output(const values *v, GError **error)
{
    const char *output = values_text(v, "output");

    return output[0] != '\0'
               ? g_strdup(output)
               : paths_converted(values_text(v, "input"), values_text(v, "to"), error);
}

bool call_convert(const struct call *c, task *t, GError **error)
{
    if (values_text(c->values, "input")[0] == '\0') {
        return error_usage(error, _("input is empty; name a learned subject or its file."));
    }
    if (c->estimate != NULL) { // it takes no time worth telling
        return true;
    }
    t->file = find_output(c->values, error);
    GPtrArray *a = t->file != NULL ? task_add(t, "convert", NULL, error) : NULL;
    if (a == NULL) {
        return false;
    }
    call_add_subjects(a, values_text(c->values, "input"));
    call_add_values(a, c->values, "to", "model", "rank", NULL);
    call_add_text(a, "--output", t->file);
    return true;
}
