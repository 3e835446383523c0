/* What is learned, and where it lies; see learned.h. */
#include "plugin/learned.h"

#include "plugin/brought.h"
#include "plugin/paths.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <string.h>

#define PLAIN "svdiff"

// a name that was given together with a method is a name and nothing else
const char *learned_method(const values *v, const char **name)
{
    const char *chosen = values_text(v, "method");
    const char *given = values_text(v, "name"), *rest;
    const char *said = strcmp(chosen, PLAIN) == 0 ? brought_method(given, &rest) : NULL;

    *name = said != NULL ? rest : given;
    return said != NULL ? said : chosen;
}

char *learned_file(const values *v, GError **error)
{
    const char *output = values_text(v, "output"), *name, *folder;
    const char *method = learned_method(v, &name);

    if (output[0] != '\0') {
        return g_strdup(output);
    }
    if (brought_of_method(method, &folder) == NULL) {
        return paths_subject(name, error);
    }
    // lists of them have these between their parts
    if (strpbrk(name, ";:") != NULL) {
        error_usage(error, _("name is “%s”; give it a name without ; and :, or an output file."),
                    name);
        return NULL;
    }
    return paths_named(folder, name, error);
}

char *learned_part(const values *v)
{
    const char *output = values_text(v, "output"), *name, *folder;
    const char *word = brought_of_method(learned_method(v, &name), &folder);

    return g_strconcat(word != NULL ? word : "", output[0] != '\0' ? output : name, NULL);
}
