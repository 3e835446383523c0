/* What subjects were learned on; see subject_basis.h. */
#include "engine/subject/subject_basis.h"

#include "engine/base/error.h"

#include <string.h>

static const char *name_of(const struct bake_subject *s)
{
    return s->file != NULL ? s->file : "The subject";
}

static const char *text_of(const struct bake_subject *s)
{
    const char *text = subject_metadata(s->subject, SUBJECT_KEY_ADAPTERS);

    return text != NULL ? text : "";
}

// "style.safetensors:0.8" of "DIGEST 0.8 style.safetensors"
static char *given_as(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 3);

    return g_strv_length(words) < 3 ? g_strdup(line) : g_strdup_printf("%s:%s", words[2], words[1]);
}

// cannot: nobody can give it
static bool fail_missing(const struct bake_subject *s, const char *line, bool cannot,
                         GError **error)
{
    g_autofree char *wanted = given_as(line);

    if (cannot) {
        return error_failed(error,
                            "%s was learned on top of the adapter %s, which is in no model that "
                            "could be written; learn it without to convert it.",
                            name_of(s), wanted);
    }
    return error_failed(error,
                        "%s was learned on top of the adapter %s and is nothing without it; give "
                        "that file at that strength with --lora %s, or --force.",
                        name_of(s), wanted, wanted);
}

// the adapters of a text, in its order
static bool find_all(const struct bake_subject *s, const struct adapter_list *given, bool force,
                     struct adapter_list *basis, GError **error)
{
    static const struct adapter_list none = {0};
    g_auto(GStrv) lines = g_strsplit(text_of(s), "\n", -1);

    basis->items = g_new0(struct adapter_item, g_strv_length(lines) + 1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        struct adapter_item found;
        if (!adapter_list_find(given != NULL ? given : &none, *line, &found, error)) {
            return false;
        }
        if (found.adapter == NULL && !force) {
            return fail_missing(s, *line, given == NULL, error);
        }
        if (found.adapter != NULL) {
            basis->items[basis->n++] = found;
        }
    }
    return true;
}

bool subject_basis(const struct bake_subject *subjects, int n_subjects,
                   const struct adapter_list *given, bool force, struct adapter_list *basis,
                   GError **error)
{
    *basis = (struct adapter_list){0};
    for (int i = 1; i < n_subjects && !force; i++) {
        // one spectrum serves all of them
        if (strcmp(text_of(&subjects[i]), text_of(&subjects[0])) != 0) {
            return error_failed(error,
                                "%s and %s were not learned on top of the same adapters and cannot "
                                "be drawn together; learn one of them anew, or --force.",
                                name_of(&subjects[0]), name_of(&subjects[i]));
        }
    }
    return n_subjects == 0 || find_all(&subjects[0], given, force, basis, error);
}
