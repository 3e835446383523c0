/* Custom Diffusion (Kumari and others 2023): keys and values of the cross-attentions learn, and the vector of a
 * new word for each [V].
 *
 * As diffusers' processor has it, what the first token of a text becomes does not learn. The files are what
 * diffusers' script leaves: OUTPUT with MODULE.processor.to_k_custom_diffusion.weight and to_v, W itself, and
 * for each word NAME.word.safetensors (of several NAME.word-1 ...) with its vector, called <NAME> (<NAME-1>
 * ...), NAME being OUTPUT's. Tensors that learn: MODULE.weight, and TABLE.row.I as of textual inversion. */
#include "engine/learn/methods/method.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/subject/adapter_export.h"

#include <string.h>

#define ENDING ".safetensors"

static bool has(const struct svdiff_learn_options *o, bool text, const struct weight *w)
{
    return g_str_has_suffix(w->name, ".attn2.to_k") || g_str_has_suffix(w->name, ".attn2.to_v");
}

static bool attach(struct learner *l, const struct svdiff_learn_options *o, struct network *net,
                   struct weight *w, struct model_spectrum *spectrum, GError **error)
{
    w->first_stays = true;
    return method_attach_whole(l, o, net, w, spectrum, error);
}

static void begin(struct learner *l, const struct lesson *lesson)
{
    method_begin_whole(l, lesson);
    method_begin_vectors(l, lesson);
}

/* ---- the files ---- */

// of word i of n: "-2", or nothing of one alone; owned by the caller
static char *number_of(const struct svdiff_learn_options *o, int i)
{
    return o->n_subjects > 1 ? g_strdup_printf("-%d", i + 1) : g_strdup("");
}

static char *file_of(const struct svdiff_learn_options *o, int i)
{
    g_autofree char *number = number_of(o, i), *stem = g_strdup(o->output);

    if (g_str_has_suffix(stem, ENDING)) {
        stem[strlen(stem) - strlen(ENDING)] = '\0';
    }
    return g_strconcat(stem, ".word", number, ENDING, NULL);
}

static void beside(const struct svdiff_learn_options *o, GPtrArray *files)
{
    for (int i = 0; i < o->n_subjects; i++) {
        g_ptr_array_add(files, file_of(o, i));
    }
}

static bool write_word(const struct method_result *r, int i, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    g_autofree char *path = file_of(o, i), *number = number_of(o, i);
    g_autofree char *name = adapter_lookup_name(o->output);
    g_autofree char *word = g_strdup_printf("<%s%s>", name, number);
    g_autofree float *vector = method_vectors(r, i, 1);
    const struct safetensors_entry entry = {
        .name = word, .dtype = DTYPE_F32, .n_dims = 1, .shape = {r->lesson->words.width}};

    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, &entry, 1, NULL, NULL, error);
    if (writer == NULL || !safetensors_writer_put(writer, word, vector, error) ||
        !safetensors_writer_commit(writer, error)) {
        return false;
    }
    session_note(r->lesson->session,
                 "[V] of \"%s\" is called \"%s\" in prompts, with --lora %s --embedding %s.",
                 o->subjects[i].prompt, word, o->output, path);
    return true;
}

// ".attn2.to_k" becomes ".attn2.processor.to_k_custom_diffusion.weight"; owned by the caller
static char *tensor_name(const struct model_tensor *t)
{
    const char *leaf = strrchr(t->module, '.');
    g_autofree char *attention = g_strndup(t->module, (gsize)(leaf - t->module));

    return g_strconcat(attention, ".processor", leaf, "_custom_diffusion.weight", NULL);
}

// the weights of the model that have learned: const struct model_tensor *
static GPtrArray *list_tensors(const struct checkpoint *c, GArray *entries)
{
    GPtrArray *all = g_ptr_array_new();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        const struct weight w = model_tensor_weight(t);
        if (t->component == MODEL_UNET && t->shifts && has(NULL, false, &w)) {
            g_autofree char *name = tensor_name(t);
            adapter_entries_add(entries, name, "", t->n_dims, t->shape);
            g_ptr_array_add(all, (void *)t);
        }
    }
    return all;
}

// owned by the caller
static struct adapter_header *make_header(const struct method_result *r)
{
    g_autoptr(subject_file) notes = method_notes(r);

    // the words are in files of their own
    subject_set_metadata(notes, "placeholder", NULL);
    return method_header(r, notes, "custom-diffusion", "Custom Diffusion",
                         "a Custom Diffusion by SVDiff for GIMP");
}

static uint64_t measure(const struct method_result *r)
{
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(GPtrArray) tensors = list_tensors(r->lesson->session->checkpoint, entries);
    g_autoptr(adapter_header) header = make_header(r);

    return adapter_header_measure(header, entries);
}

static bool write_file(const struct method_result *r, GError **error)
{
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(GPtrArray) tensors = list_tensors(r->lesson->session->checkpoint, entries);
    g_autoptr(adapter_header) header = make_header(r);
    g_autoptr(safetensors_writer) writer =
        adapter_header_begin(header, r->lesson->options->output, entries, error);
    bool good = writer != NULL;

    for (guint i = 0; i < tensors->len && good; i++) {
        const struct model_tensor *t = tensors->pdata[i];
        g_autofree char *name = tensor_name(t);
        g_autofree float *values = method_values(r, t->module, ".weight");
        good = safetensors_writer_put(writer, name, values, error);
    }
    // words first: without its file a word means nothing
    for (int i = 0; i < lesson_subjects(r->lesson) && good; i++) {
        good = write_word(r, i, error);
    }
    return good && safetensors_writer_commit(writer, error);
}

const struct method method_custom = {.own_words = true,
                                     .keeps_class = true,
                                     .check = method_check_words,
                                     .has = has,
                                     .attach = attach,
                                     .attach_words = method_attach_vectors,
                                     .begin = begin,
                                     .write = write_file,
                                     .measure = measure,
                                     .beside = beside};
