/* Methods of learning, and what their files have in common; see method.h. */
#include "engine/learn/methods/method.h"

#include "engine/options/option.h"
#include "engine/subject/adapter_export.h"
#include "engine/subject/thumbnail.h"

#include <string.h>

static const struct method *const methods[] = {
    [SVDIFF_METHOD_SVDIFF] = &method_svdiff,
    [SVDIFF_METHOD_LORA] = &method_lora,
    [SVDIFF_METHOD_TEXTUAL_INVERSION] = &method_inversion,
    [SVDIFF_METHOD_FULL] = &method_full,
    [SVDIFF_METHOD_CUSTOM_DIFFUSION] = &method_custom,
};

const struct method *method_of(const struct svdiff_learn_options *o)
{
    return methods[o->method];
}

/* ---- notes ---- */

// takes the text
static void note(struct subject *s, const char *key, char *value)
{
    subject_set_metadata(s, key, value);
    g_free(value);
}

static void note_prompts(const struct lesson *l, struct subject *s)
{
    for (int i = 0; i < l->options->n_subjects; i++) {
        const struct lesson_subject *kept = lesson_subject(l, i);
        // with its [V], and the word that stood for it; a NULL is no text
        subject_set_numbered(s, "prompt", i + 1, l->options->subjects[i].prompt);
        subject_set_numbered(s, "class_prompt", i + 1, kept->class_prompt);
        subject_set_numbered(s, "placeholder", i + 1, kept->placeholder);
    }
}

static void note_options(const struct svdiff_learn_options *options, struct subject *s)
{
    for (size_t i = 0; i < options_of_learn.n; i++) {
        const struct option *o = &options_of_learn.rows[i];
        if (option_applies(&options_of_learn, o, options, OPTION_KEPT)) {
            g_autofree char *key = option_key(o);
            note(s, key, option_text(o, options));
        }
    }
}

struct subject *method_notes(const struct method_result *r)
{
    const struct lesson *l = r->lesson;
    struct subject *s = subject_create();

    note_prompts(l, s);
    subject_set_metadata(s, THUMBNAIL_KEY, l->thumbnail);
    subject_set_metadata(s, "base_hash", l->session->hashes.base);
    subject_set_metadata(s, SUBJECT_KEY_ADAPTERS, l->on);
    note(s, "steps", g_strdup_printf("%d", r->steps));
    subject_set_metadata(s, "precision", session_precision(l->session));
    subject_set_metadata(s, "device", l->session->device);
    note_options(l->options, s);
    return s;
}

/* ---- files that other programs read ---- */

// under names that are nobody else's
static void add_notes(struct adapter_header *h, const struct subject *notes)
{
    g_autofree const char **keys = subject_metadata_keys(notes);

    for (const char **key = keys; *key != NULL; key++) {
        // the small picture stands in the header as readers of ModelSpec look for it
        if (strcmp(*key, THUMBNAIL_KEY) != 0) {
            g_autofree char *name = g_strconcat("svdiff.", *key, NULL);
            adapter_header_add(h, name, subject_metadata(notes, *key));
        }
    }
}

struct adapter_header *method_header(const struct method_result *r, const struct subject *notes,
                                     const char *kind, const char *title, const char *comment)
{
    const svdiff *s = r->lesson->session;
    g_autofree char *base = g_path_get_basename(checkpoint_path(s->checkpoint));
    const bool one = lesson_subjects(r->lesson) == 1;
    const struct adapter_about about = {.subject = one ? notes : NULL,
                                        .base = base,
                                        .kind = kind,
                                        .title = title,
                                        .comment = comment};
    struct adapter_header *h = adapter_header_create(s, &about);

    add_notes(h, notes);
    return h;
}

float *method_values(const struct method_result *r, const char *module, const char *leaf)
{
    const GArray *list = r->learner->parameters->list;
    g_autofree char *name = g_strconcat(module, leaf, NULL);

    for (guint i = 0; i < list->len; i++) {
        const struct parameter *p = &g_array_index(list, struct parameter, i);
        if (strcmp(p->name, name) == 0) {
            float *values = g_new(float, p->count);
            parameter_in_planes(p, r->values + p->offset, values);
            return values;
        }
    }
    return NULL;
}
