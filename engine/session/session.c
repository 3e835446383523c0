/* An opened model; see session.h. */
#include "engine/session/session.h"

#include "engine/base/error.h"
#include "engine/model/default_model.h"

#include <stdarg.h>

// a person who says another thing than the file is believed, and told so where the file was
// explicit
static void set_prediction(svdiff *s)
{
    static const char *const words[] = {"epsilon", "v", "samples"};
    const enum prediction_type said = checkpoint_schedule_config(s->checkpoint)->prediction_type;
    const enum prediction_type type =
        s->options.prediction == SVDIFF_PREDICTION_V ? PREDICTION_V : PREDICTION_EPSILON;

    if (s->options.prediction == SVDIFF_PREDICTION_MODEL) {
        return;
    }
    if (type != said && checkpoint_says_prediction(s->checkpoint)) {
        session_warn(s,
                     "%s: its scheduler_config.json says that the model predicts %s; it is taken "
                     "to predict %s, as --prediction says.",
                     s->options.model, words[said], words[type]);
    }
    checkpoint_set_prediction(s->checkpoint, type);
}

svdiff *svdiff_open(const struct svdiff_options *options, GError **error)
{
    static const struct svdiff_options usual = {0};
    svdiff *s = g_new0(svdiff, 1);

    options = options != NULL ? options : &usual;
    s->options = *options;
    // strings of the caller may be gone tomorrow
    s->options.model = model_place(options->model, error);
    s->options.cache = g_strdup(options->cache);
    s->options.vae = g_strdup(options->vae);
    s->options.more_devices = g_memdup2(options->more_devices, (gsize)options->n_more_devices *
                                                                   sizeof *options->more_devices);
    if (s->options.model != NULL) {
        s->checkpoint = checkpoint_open_with(s->options.model, options->vae, error);
    }
    s->options.tokenizer = g_strdup(options->tokenizer);
    if (s->checkpoint != NULL &&
        tokenizer_place_find(s->checkpoint, s->options.tokenizer, &s->vocabulary, error)) {
        s->tokenizer = tokenizer_open(s->vocabulary.folder, s->vocabulary.pad,
                                      s->vocabulary.pad_counts, error);
    }
    // each part needs the one before; what is missing at the end says that something failed
    kernels *k = s->tokenizer != NULL ? session_device(options, error) : NULL;
    // whatever failed before left it so
    if (k == NULL) {
        svdiff_close(s);
        return NULL;
    }
    s->asked = options->precision;
    session_use_device(s, k);
    // what is odd about the files and no reason to stop
    for (const char *const *notice = checkpoint_notices(s->checkpoint); *notice != NULL; notice++) {
        session_warn(s, "%s", *notice);
    }
    set_prediction(s);
    return s;
}

// one word for fingerprints, files and people
const char *session_precision(const svdiff *s)
{
    return kernels_precision_word(s->k->precision);
}

enum svdiff_precision session_precision_named(const char *word)
{
    double value = SVDIFF_PRECISION_F32;

    if (word != NULL) {
        option_word_value(option_find(&options_of_session, "precision"), word, &value);
    }
    return (enum svdiff_precision)value;
}

void session_drop_networks(svdiff *s)
{
    unet_free(s->kept.unet);
    autoencoder_free(s->kept.autoencoder);
    g_free(s->kept.key);
    // nothing is kept is also what a new session begins with
    s->kept = (struct session_networks){0};
}

bool session_keep_begin(svdiff *s, bool wanted)
{
    const bool before = s->keeps;

    s->keeps = before || wanted;
    return before;
}

void session_keep_end(svdiff *s, bool before)
{
    if (!before) {
        session_drop_networks(s);
    }
    s->keeps = before;
}

// in the order of what needs what: networks hold memory of the device
void svdiff_close(svdiff *s)
{
    if (s == NULL) {
        return;
    }
    session_drop_networks(s);
    checkpoint_close(s->checkpoint);
    tokenizer_free(s->tokenizer);
    kernels_destroy(s->k);
    g_free((char *)s->options.model);
    g_free((char *)s->options.tokenizer);
    g_free((char *)s->options.cache);
    g_free((char *)s->options.vae);
    g_free((int *)s->options.more_devices);
    g_free(s->vocabulary.folder);
    g_free(s);
}

const struct model_hashes *session_hashes(svdiff *s, unsigned wanted, progress_function progress,
                                          void *user, GError **error)
{
    // an estimate writes nothing that would have to name the model
    const bool known = s->dry || model_hashes(s->checkpoint, wanted, s->options.threads, progress,
                                              user, &s->hashes, error);

    return known ? &s->hashes : NULL;
}

static bool read_component(void *user, const char *name, const int64_t *shape, int n_dims,
                           float *out, GError **error)
{
    const struct session_component *c = user;

    return checkpoint_read(c->session->checkpoint, c->component, name, shape, n_dims, out, error);
}

static bool read_component_part(void *user, const char *name, const int64_t *shape, int n_dims,
                                int64_t first, int64_t n, float *out, GError **error)
{
    const struct session_component *c = user;

    return checkpoint_read_values(c->session->checkpoint, c->component, name, shape, n_dims, first,
                                  n, out, error);
}

struct weight_source session_source(svdiff *s, enum model_component component)
{
    struct session_component *c = &s->components[component];

    // in the session, so that the source outlives this call
    *c = (struct session_component){s, component};
    return (struct weight_source){
        .read = s->dry ? NULL : read_component, .read_part = read_component_part, .user = c};
}

struct autoencoder *session_autoencoder(svdiff *s, unsigned halves, GError **error)
{
    return autoencoder_create(s->k, checkpoint_vae_config(s->checkpoint), halves,
                              session_source(s, MODEL_VAE), error);
}

// values of a tensor [m, n]: itself, or U [m, r] and Vt [r, n]
static uint64_t values_of(const struct model_tensor *t, bool factored)
{
    const uint64_t values = (uint64_t)model_tensor_values(t);

    if (!factored || !t->shifts || t->n_dims < 2) {
        return values;
    }
    const uint64_t rows = (uint64_t)t->shape[0], columns = values / rows;
    return MIN(rows, columns) * (rows + columns);
}

uint64_t session_values(const svdiff *s, unsigned components, bool factored)
{
    uint64_t values = 0;

    for (size_t i = 0; i < checkpoint_count(s->checkpoint); i++) {
        const struct model_tensor *t = checkpoint_at(s->checkpoint, i);
        if (components & (1u << t->component)) {
            values += values_of(t, factored);
        }
    }
    return values;
}

uint64_t session_weight_bytes(const svdiff *s, unsigned components, bool factored)
{
    // but for norms, biases and embeddings, a hundredth, which are always reals
    return session_values(s, components, factored) * kernels_size(s->k->weight);
}

bool session_check_unets(const svdiff *s, int n, GError **error)
{
    const uint64_t bytes = (uint64_t)n * session_weight_bytes(s, 1u << MODEL_UNET, false);

    // of one alone session_check_memory has told
    return n == 1 || s->dry || session_has_memory(s, bytes, error);
}

bool session_check_memory(const svdiff *s, unsigned components, bool factored, GError **error)
{
    // the kept networks' memory is what this run will use
    return s->kept.key != NULL || s->dry ||
           session_has_memory(s, session_weight_bytes(s, components, factored), error);
}

bool session_check_plain(const svdiff *s, GError **error)
{
    // further channels are the mask and the latents of what is below it
    if (checkpoint_unet_config(s->checkpoint)->in_channels ==
        checkpoint_vae_config(s->checkpoint)->latent_channels) {
        return true;
    }
    return error_failed(
        error,
        "%s is an inpainting model, which only paints; learn and edit with the model that it "
        "was made from.",
        s->options.model);
}

static void tell(const svdiff *s, void (*told)(void *user, const char *sentence),
                 const char *format, va_list arguments) G_GNUC_PRINTF(3, 0);
static void tell(const svdiff *s, void (*told)(void *user, const char *sentence),
                 const char *format, va_list arguments)
{
    // nobody listens: nothing is put together
    g_autofree char *sentence = told != NULL ? g_strdup_vprintf(format, arguments) : NULL;

    if (told != NULL) {
        told(s->options.user, sentence);
    }
}

void session_warn(const svdiff *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(s, s->options.warn, format, arguments);
    va_end(arguments);
}

void session_note(const svdiff *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(s, s->options.note, format, arguments);
    va_end(arguments);
}
