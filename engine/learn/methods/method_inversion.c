/* Textual inversion (Gal and others 2022): nothing of the model learns but the vectors of a new word,
 * which stands for [V].
 *
 * The vocabulary's table has further rows for them (conditioner.h), of zeros, so that what learns beside
 * them (weight.h) is the vector itself, as in diffusers' script: AdamW's decay pulls the vector, and not
 * what it learned, to zero. They begin as those of a word that is there, or in turn of several: of
 * --start-word, else the last one of the class prompt. Tensors that learn: TABLE.row.I, I from 0. The file
 * has emb_params, or in diffusers' names <NAME>, NAME being the file's, all [n, width]. */
#include "engine/learn/methods/method.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/base/error.h"
#include "engine/options/option.h"
#include "engine/subject/adapter_export.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"
#include "engine/text/prompt.h"

#include <string.h>

static bool check(const struct svdiff_learn_options *o, GError **error)
{
    if (o->n_subjects > 1) {
        return error_usage(error, "--method textual-inversion learns one word; give one --prompt, "
                                  "or learn each subject by itself.");
    }
    return method_check_words(o, error);
}

static bool has(const struct svdiff_learn_options *o, bool text, const struct weight *w)
{
    return false;
}

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

/* ---- the file ---- */

// what the vectors are called there, and in prompts; owned by the caller
static char *tensor_name(const struct svdiff_learn_options *o, char **word)
{
    g_autofree char *name = adapter_lookup_name(o->output);

    if (o->keys == LORA_KEYS_KOHYA) {
        // called by the file's name
        *word = g_steal_pointer(&name);
        return g_strdup("emb_params");
    }
    *word = g_strdup_printf("<%s>", name);
    return g_strdup(*word);
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

static bool write_file(const struct method_result *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const int n = o->vectors, width = r->lesson->words.width;
    g_autofree char *word = NULL, *name = tensor_name(o, &word);
    g_autoptr(subject_file) notes = method_notes(r);
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autofree float *values = method_vectors(r, 0, n);

    // what stood for it meanwhile is of no use; a file that is called by its own name may get another one
    subject_set_metadata(notes, "placeholder", o->keys == LORA_KEYS_KOHYA ? NULL : word);
    g_autoptr(adapter_header) header =
        method_header(r, notes, "textual-inversion", "textual inversion",
                      "a textual inversion by SVDiff for GIMP");
    adapter_entries_add(entries, name, "", 2, (const int64_t[]){n, width});
    g_autoptr(safetensors_writer) writer = adapter_header_begin(header, o->output, entries, error);
    if (writer == NULL || !safetensors_writer_put(writer, name, values, error) ||
        !safetensors_writer_commit(writer, error)) {
        return false;
    }
    session_note(r->lesson->session, "In prompts it is called \"%s\", with --embedding.", word);
    return true;
}

const struct method method_inversion = {.own_words = true,
                                        .check = check,
                                        .has = has,
                                        .attach_words = method_attach_vectors,
                                        .begin = method_begin_vectors,
                                        .chosen = true,
                                        .write = write_file};
