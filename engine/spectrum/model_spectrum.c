/* The spectra of a session's model; see model_spectrum.h. Weights are decomposed in the engine's
 * order of columns, [out, kh, kw, in], in which the factors are used. */
#include "engine/spectrum/model_spectrum.h"

#include "engine/base/error.h"
#include "engine/spectrum/spectrum.h"
#include "engine/spectrum/svd.h"

#include <glib/gstdio.h>
#include <errno.h>
#include <string.h>

struct model_spectrum {
    svdiff *session;
    const struct adapter_list *adapters; // in the weights; NULL: none
    char *key;                           // of the cache, where there are some
    GPtrArray *tensors;                  // const struct model_tensor, of the checkpoint
    GArray *weights;   // struct spectrum_weight, of these; their names are the tensors'
    GHashTable *index; // name -> position + 1
    struct spectrum_store *spectrum;
    struct spectrum_source source; // borrowed by the store
    progress_function progress;
    void *user;
    struct progress_clock clock;
};

static void add_weight(struct model_spectrum *m, const struct model_tensor *t)
{
    struct spectrum_weight w = {.name = t->module, .m = (int)t->shape[0], .n = 1};

    for (int i = 1; i < t->n_dims; i++) {
        w.n *= (int)t->shape[i];
    }
    // the two lists run side by side
    g_ptr_array_add(m->tensors, (void *)t);
    g_array_append_val(m->weights, w);
    g_hash_table_insert(m->index, (char *)w.name, GUINT_TO_POINTER(m->weights->len));
}

static void list_weights(struct model_spectrum *m)
{
    const struct checkpoint *c = m->session->checkpoint;

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        // a vector is its own singular value: its shift is kept as it is
        if (t->shifts && t->n_dims >= 2) {
            add_weight(m, t);
        }
    }
}

static bool read_weight(void *user, size_t index, float *values, GError **error)
{
    const struct model_spectrum *m = user;
    const struct model_tensor *t = m->tensors->pdata[index];
    const struct weight w = model_tensor_weight(t);

    if (!checkpoint_read(m->session->checkpoint, t->component, t->name, t->shape, t->n_dims, values,
                         error) ||
        (m->adapters != NULL && !adapter_list_add(m->adapters, t, values, error))) {
        return false;
    }
    // files have [out, in, kh, kw]; only the order of columns differs, which V follows
    weight_to_engine_order(&w, values, w.out);
    return true;
}

static bool on_progress(void *user, enum spectrum_phase phase, double done)
{
    struct model_spectrum *m = user;
    // costs are no steps: what is done is told in thousandths
    const int steps = 1000, step = (int)(done * steps);
    const struct progress p = {.phase = "spectrum",
                               .step = step,
                               .steps = steps,
                               .loss = -1,
                               .seconds_left = phase == SPECTRUM_PHASE_COMPUTE
                                                   ? progress_clock_left(&m->clock, step, steps)
                                                   : -1};

    return m->progress == NULL || m->progress(m->user, &p);
}

static bool on_announce(void *user, uint64_t bytes, const char *folder)
{
    const struct model_spectrum *m = user;
    g_autofree char *size = g_format_size(bytes);

    // small ones are not worth a word
    if (bytes > ((uint64_t)1 << 28)) {
        session_warn(m->session, "The spectra of this model are kept in %s: %s.", folder, size);
    }
    return true;
}

static void on_warn(void *user, const char *sentence)
{
    const struct model_spectrum *m = user;

    session_warn(m->session, "%s", sentence);
}

static kernels *on_open(void *user, int i, GError **error)
{
    const struct model_spectrum *m = user;
    const struct svdiff_options other = session_other(m->session, i);

    return session_device(&other, error);
}

enum manner {
    WHOLE, // all are there when it returns
    BEGUN, // they come
    KEPT,  // nothing is computed
};

// of the model's own key and what was added to its weights
static char *make_key(const char *own, const struct adapter_list *adapters, GError **error)
{
    g_autofree char *added = adapters != NULL ? adapter_list_key(adapters, error) : g_strdup("");

    if (added == NULL || added[0] == '\0') {
        return added != NULL ? g_strdup(own) : NULL;
    }
    g_autofree char *text = g_strconcat(own, "\n", added, NULL);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

static struct model_spectrum *open_spectrum(svdiff *s, const struct adapter_list *adapters,
                                            enum manner manner, progress_function progress,
                                            void *user, GError **error)
{
    g_autoptr(model_spectrum) m = g_new0(struct model_spectrum, 1);

    m->session = s;
    m->adapters = adapters;
    m->progress = progress;
    m->user = user;
    m->tensors = g_ptr_array_new();
    m->weights = g_array_new(FALSE, FALSE, sizeof(struct spectrum_weight));
    m->index = g_hash_table_new(g_str_hash, g_str_equal);
    list_weights(m);
    // sizes are all that a dry session needs: its weights were never read
    if (s->dry) {
        return g_steal_pointer(&m);
    }
    // the key is of the values, so that a file under another name is the same model; the other one
    // in the same pass, for who will ask what the model is
    const struct model_hashes *hashes = session_hashes(s, MODEL_HASHES, progress, user, error);
    m->key = hashes != NULL ? make_key(hashes->spectra, adapters, error) : NULL;
    if (m->key == NULL) {
        return NULL;
    }
    m->source = (struct spectrum_source){.weights = (struct spectrum_weight *)m->weights->data,
                                         .count = m->weights->len,
                                         .read = read_weight,
                                         .user = m,
                                         .key = m->key};
    const struct spectrum_options options = {
        .folder = s->options.cache,
        .limit = s->options.cache_limit,
        .never_keep = manner == KEPT,
        .threads = s->options.threads,
        .k = s->k,
        // who shares pictures has others that do this, too
        .n_more = session_shares(s) > 1 ? 0 : s->options.n_more_devices,
        .open = on_open,
        .progress = on_progress,
        .announce = on_announce,
        .warn = on_warn,
        .user = m};
    m->spectrum = manner == BEGUN ? spectrum_begin(&m->source, &options)
                                  : spectrum_open(&m->source, &options, error);
    return m->spectrum != NULL ? g_steal_pointer(&m) : NULL;
}

struct model_spectrum *model_spectrum_open(svdiff *s, const struct adapter_list *adapters,
                                           progress_function progress, void *user, GError **error)
{
    return open_spectrum(s, adapters, WHOLE, progress, user, error);
}

struct model_spectrum *model_spectrum_begin(svdiff *s, const struct adapter_list *adapters,
                                            progress_function progress, void *user, GError **error)
{
    return open_spectrum(s, adapters, BEGUN, progress, user, error);
}

bool model_spectrum_finish(struct model_spectrum *m, GError **error)
{
    // a dry one has none
    return m->spectrum == NULL || spectrum_finish(m->spectrum, error);
}

bool model_spectrum_remove(svdiff *s, progress_function progress, void *user, GError **error)
{
    struct model_spectrum *m = open_spectrum(s, NULL, KEPT, progress, user, error);

    if (m == NULL) {
        return false;
    }
    // kept beyond m, which has to let go of the file first
    g_autofree char *path = g_strdup(model_spectrum_path(m));
    model_spectrum_close(m);
    if (path != NULL && g_unlink(path) != 0) {
        return error_failed(error, "%s cannot be removed: %s.", path, g_strerror(errno));
    }
    return true;
}

void model_spectrum_close(struct model_spectrum *m)
{
    if (m == NULL) {
        return;
    }
    spectrum_close(m->spectrum);
    g_hash_table_unref(m->index);
    g_ptr_array_unref(m->tensors);
    g_array_unref(m->weights);
    g_free(m->key);
    g_free(m);
}

uint64_t model_spectrum_bytes(const struct model_spectrum *m, const kernels *k)
{
    const guint count = m->weights->len;
    g_autofree int(*sizes)[2] = g_malloc0_n(count, sizeof *sizes);

    if (k->spectra == NULL) {
        return 0;
    }
    for (guint i = 0; i < count; i++) {
        const struct spectrum_weight *w = &g_array_index(m->weights, struct spectrum_weight, i);
        sizes[i][0] = w->m;
        sizes[i][1] = w->n;
    }
    // a worker a thread, each for the largest in the end
    const int workers = MIN(svd_threads(k, m->session->options.threads), (int)count);
    return (uint64_t)workers * k->spectra->bytes(count, (const int(*)[2])sizes);
}

static bool get(void *user, const struct weight *w, float *u, float *s, float *vt, GError **error)
{
    struct model_spectrum *m = user;
    // positions begin at 1, because 0 is what is not found
    const guint found = GPOINTER_TO_UINT(g_hash_table_lookup(m->index, w->name));

    if (found == 0) {
        return error_failed(
            error,
            "The model has no weight %s to shift; use the model the subject was learned with.",
            w->name);
    }
    // nothing is written then: whoever counts memory looks at no value
    return m->session->dry || spectrum_get(m->spectrum, found - 1, u, s, vt, error);
}

struct spectrum_provider model_spectrum_provider(struct model_spectrum *m)
{
    return (struct spectrum_provider){.get = get, .user = m};
}

bool model_spectrum_check(struct model_spectrum *m, model_spectrum_report report, void *user,
                          GError **error)
{
    g_autofree struct svd_accuracy *accuracy = g_new0(struct svd_accuracy, m->weights->len);

    if (!spectrum_check(m->spectrum, accuracy, error)) {
        return false;
    }
    for (guint i = 0; i < m->weights->len; i++) {
        // after all are measured, in the model's order
        report(user, m->source.weights[i].name, &accuracy[i]);
    }
    return true;
}

const char *model_spectrum_path(const struct model_spectrum *m)
{
    return spectrum_path(m->spectrum);
}
