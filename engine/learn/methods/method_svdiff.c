/* SVDiff: singular values of the weights learn, all or the largest of each, and where it is asked for the rows of the words for [V];
 * the file is a subject. */
#include "engine/learn/methods/method.h"

#include "engine/spectrum/model_spectrum.h"
#include "engine/subject/shift_set.h"

// the UNet as the subset says, text encoders all or not at all
static bool has(const struct svdiff_learn_options *o, bool text, const struct weight *w)
{
    return text || shift_subset_has(o->subset, w);
}

static bool attach(struct learner *l, const struct svdiff_learn_options *o, struct network *net,
                   struct weight *w, struct model_spectrum *spectrum, GError **error)
{
    if (!shift_attach(net, w, o->scalar_norms, model_spectrum_provider(spectrum), l->parameters,
                      error)) {
        return false;
    }
    // values come from the largest to the smallest; a vector has one
    w->moves = w->kind != WEIGHT_NORM && o->top < w->rank ? o->top : 0;
    return true;
}

/* Only the words that were chosen for [V], since no other text should mean something else
 * afterwards. */
static bool attach_words(struct learner *l, const struct lesson *lesson, bool *any, GError **error)
{
    g_autofree int32_t *ids = g_new(int32_t, lesson_subjects(lesson));
    const int n = lesson->options->placeholder_rate > 0 ? lesson_placeholders(lesson, ids) : 0;
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);

    for (guint i = 0; i < encoders->len && n > 0; i++) {
        struct text_encoder *e = encoders->pdata[i];
        if (!shift_attach_rows(text_encoder_network(e), text_encoder_words(e), ids, n, NULL,
                               SHIFT_RATE_ROWS, l->parameters, error)) {
            return false;
        }
    }
    *any = n > 0;
    return true;
}

// owned by the caller
static struct subject *make_subject(const struct method_result *r, const float *values)
{
    const GArray *list = r->learner->parameters->list;
    struct subject *s = method_notes(r);

    for (guint i = 0; i < list->len; i++) {
        const struct parameter *p = &g_array_index(list, struct parameter, i);
        subject_set_shift(s, p->name, values + p->offset, (int)p->count);
    }
    return s;
}

static bool write_file(const struct method_result *r, GError **error)
{
    g_autoptr(subject_file) s = make_subject(r, r->values);

    return subject_write(s, r->lesson->options->output, error);
}

static uint64_t measure(const struct method_result *r)
{
    g_autofree float *none = g_new0(float, r->learner->parameters->count);
    g_autoptr(subject_file) s = make_subject(r, none);

    return subject_measure(s);
}

const struct method method_svdiff = {.spectra = true,
                                     .text = true,
                                     .keeps_class = true,
                                     .has = has,
                                     .attach = attach,
                                     .attach_words = attach_words,
                                     .write = write_file,
                                     .measure = measure};
