/* Textual inversion (Gal and others 2022): nothing of the model learns but the vectors of a new word,
 * which stands for [V].
 *
 * Tensors that learn are method_words.c's. The file has emb_params, or in diffusers' names <NAME>, NAME
 * being the file's, all [n, width]. */
#include "engine/learn/methods/method.h"

#include "engine/adapter/adapter_lookup.h"
#include "engine/base/error.h"
#include "engine/subject/adapter_export.h"

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

// the header, owned by the caller, and the tensor behind it
static struct adapter_header *plan(const struct method_result *r, const char *name,
                                   const char *word, GArray *entries)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    g_autoptr(subject_file) notes = method_notes(r);

    // what stood for it meanwhile is of no use; a file that is called by its own name may get another one
    subject_set_metadata(notes, "placeholder", o->keys == LORA_KEYS_KOHYA ? NULL : word);
    adapter_entries_add(entries, name, "", 2,
                        (const int64_t[]){o->vectors, r->lesson->words.width});
    return method_header(r, notes, "textual-inversion", "textual inversion",
                         "a textual inversion by SVDiff for GIMP");
}

static uint64_t measure(const struct method_result *r)
{
    g_autofree char *word = NULL, *name = tensor_name(r->lesson->options, &word);
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, name, word, entries);

    return adapter_header_measure(header, entries);
}

static bool write_file(const struct method_result *r, GError **error)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    g_autofree char *word = NULL, *name = tensor_name(o, &word);
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, name, word, entries);
    g_autofree float *values = method_vectors(r, 0, o->vectors);

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
                                        .write = write_file,
                                        .measure = measure};
