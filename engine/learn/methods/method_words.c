/* New words that stand for [V], whose vectors learn.
 *
 * The vocabulary's table has further rows for them (conditioner.h), of zeros, so that what learns beside
 * them (weight.h) is the vector itself, as in diffusers' script: AdamW's decay pulls the vector, and not
 * what it learned, to zero. They begin as those of a word that is there, or in turn of several: of
 * --start-word, else the last one of the class prompt. Tensors that learn: TABLE.row.I, I from 0. */
#include "engine/learn/methods/method.h"

#include "engine/base/error.h"
#include "engine/options/option.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"
#include "engine/text/prompt.h"

#include <string.h>

static char *row_leaf(int i)
{
    return g_strdup_printf(".row.%d", i);
}

bool method_check_words(const struct svdiff_learn_options *o, GError **error)
{
    for (int i = 0; i < o->n_subjects; i++) {
        if (!prompt_has_placeholder(o->subjects[i].prompt)) {
            const char *method = option_word(option_method(&options_of_learn), (int)o->method);
            return error_usage(
                error,
                "--method %s learns a word for [V], which the --prompt '%s' does not "
                "have; write [V] in it.",
                method, o->subjects[i].prompt);
        }
    }
    return true;
}

bool method_attach_vectors(struct learner *l, const struct lesson *lesson, bool *any,
                           GError **error)
{
    struct text_encoder *e = conditioner_encoders(l->conditioner)->pdata[0];
    struct weight *w = text_encoder_words(e);
    const int n = embedding_list_count(&lesson->words);
    g_autofree int32_t *ids = g_new(int32_t, n);
    g_auto(GStrv) names = g_new0(char *, n + 1);

    for (int i = 0; i < n; i++) {
        g_autofree char *leaf = row_leaf(i);
        ids[i] = lesson->words.first + i;
        names[i] = g_strconcat(w->name, leaf, NULL);
    }
    *any = true;
    return shift_attach_rows(text_encoder_network(e), w, ids, n, names, SHIFT_RATE, l->parameters,
                             error);
}

// each vector as the table has that of its word
void method_begin_vectors(struct learner *l, const struct lesson *lesson)
{
    struct text_encoder *e = conditioner_encoders(l->conditioner)->pdata[0];
    const struct weight *w = text_encoder_words(e);
    const int width = w->in;
    g_autofree float *vector = g_new0(float, width);

    for (int i = 0; i < w->rows; i++) {
        const int32_t id = g_array_index(lesson->start, int32_t, (guint)i);
        const real *table = w->dense.data;
        transfer_download(l->session->k, vector, table + (int64_t)id * width, width);
        parameters_upload_part(l->parameters, w->row + (int64_t)i * width, vector, width);
    }
}

float *method_vectors(const struct method_result *r, int first, int n)
{
    const struct text_encoder *e = conditioner_encoders(r->learner->conditioner)->pdata[0];
    const int width = r->lesson->words.width;
    float *all = g_new(float, (size_t)n *width);

    for (int i = 0; i < n; i++) {
        g_autofree char *leaf = row_leaf(first + i);
        g_autofree float *one =
            method_values(r, text_encoder_words((struct text_encoder *)e)->name, leaf);
        memcpy(all + (size_t)i * width, one, (size_t)width * sizeof *all);
    }
    return all;
}
