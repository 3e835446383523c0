/* Full fine-tuning (DreamBooth, Ruiz and others 2023): W itself learns, of all weights of the UNet or of a
 * --subset, with their biases, and all of the text encoder where that is asked for.
 *
 * Tensors that learn are method_whole.c's. The file has the differences, in the names of LyCORIS' full:
 * MODULE.diff and MODULE.diff_b, of norms MODULE.w_norm and MODULE.b_norm. */
#include "engine/learn/methods/method.h"

#include "engine/base/channels.h"
#include "engine/subject/adapter_export.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"

#include <string.h>

static bool has(const struct svdiff_learn_options *o, bool text, const struct weight *w)
{
    return text || shift_subset_has(o->subset, w);
}

/* ---- the file ---- */

// a weight that learned, and the model's tensors of it
struct change {
    const struct weight *w;
    const struct model_tensor *tensor;
};

static const struct weight *find(const struct network *net, const char *name)
{
    for (guint i = 0; i < net->weights->len; i++) {
        const struct weight *w = net->weights->pdata[i];
        if (strcmp(w->name, name) == 0 && w->form == WEIGHT_FULL) {
            return w;
        }
    }
    return NULL;
}

// struct change, in the order of the model's tensors
static GArray *list_changes(const struct method_result *r)
{
    const struct checkpoint *c = r->lesson->session->checkpoint;
    const GPtrArray *encoders = conditioner_encoders(r->learner->conditioner);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct change));

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        const struct network *net = t->component == MODEL_UNET
                                        ? unet_network(r->learner->unet)
                                        : text_encoder_network(encoders->pdata[0]);
        const struct change one = {.w = t->shifts ? find(net, t->module) : NULL, .tensor = t};
        if (one.w != NULL) {
            g_array_append_val(all, one);
        }
    }
    return all;
}

static const char *leaf_of(const struct change *c, bool bias)
{
    return c->w->kind == WEIGHT_NORM ? (bias ? ".b_norm" : ".w_norm")
                                     : (bias ? ".diff_b" : ".diff");
}

static void add_change(const struct change *c, GArray *entries)
{
    const struct model_tensor *t = c->tensor;
    g_autofree char *module = adapter_export_module(t);

    adapter_entries_add(entries, module, leaf_of(c, false), t->n_dims, t->shape);
    if (c->w->dbias != NULL) {
        adapter_entries_add(entries, module, leaf_of(c, true), 1, t->shape);
    }
}

/* What was learned of one tensor: `values` less what lies at `base` of the device, both in the engine's order; of a
 * kernel in PyTorch's. */
static bool put(const struct method_result *r, const struct change *c, bool bias, const real *base,
                const float *values, struct safetensors_writer *writer, GError **error)
{
    const struct weight *w = c->w;
    const int64_t count = bias ? w->out : weight_count(w);
    g_autofree char *module = adapter_export_module(c->tensor);
    g_autofree char *name = g_strconcat(module, leaf_of(c, bias), NULL);
    g_autofree float *change = g_new(float, count), *ordered = g_new(float, count);

    transfer_download(r->lesson->session->k, change, base, count);
    for (int64_t i = 0; i < count; i++) {
        change[i] = values[i] - change[i];
    }
    if (!bias && w->kind == WEIGHT_CONV) {
        channels_to_planes(change, w->out, (int64_t)w->kh * w->kw, w->in, ordered);
    }
    return safetensors_writer_put(writer, name, !bias && w->kind == WEIGHT_CONV ? ordered : change,
                                  error);
}

static bool write_one(const struct method_result *r, const struct change *c,
                      struct safetensors_writer *writer, GError **error)
{
    const struct weight *w = c->w;
    const real *start = r->learner->parameters->value;

    // the run is over: gradients have no use any more
    method_put_base(r->lesson->session->k, w, w->dvalue, w->dbias);
    return put(r, c, false, w->dvalue, r->values + (w->value - start), writer, error) &&
           (w->dbias == NULL ||
            put(r, c, true, w->dbias, r->values + (w->bias_value - start), writer, error));
}

// the header, owned by the caller, and the tensors behind it
static struct adapter_header *plan(const struct method_result *r, const GArray *changes,
                                   GArray *entries)
{
    g_autoptr(subject_file) notes = method_notes(r);
    struct adapter_header *header = method_header(r, notes, "lora", "fine-tuned weights",
                                                  "all of a fine-tuning by SVDiff for GIMP");

    for (guint i = 0; i < changes->len; i++) {
        add_change(&g_array_index(changes, struct change, i), entries);
    }
    adapter_header_add(header, "ss_network_module", "lycoris.kohya");
    adapter_header_add(header, "ss_network_args", "{\"algo\": \"full\", \"train_norm\": \"True\"}");
    return header;
}

static uint64_t measure(const struct method_result *r)
{
    g_autoptr(GArray) changes = list_changes(r), entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, changes, entries);

    return adapter_header_measure(header, entries);
}

static bool write_file(const struct method_result *r, GError **error)
{
    g_autoptr(GArray) changes = list_changes(r), entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, changes, entries);
    g_autoptr(safetensors_writer) writer =
        adapter_header_begin(header, r->lesson->options->output, entries, error);
    for (guint i = 0; i < changes->len && writer != NULL; i++) {
        if (!write_one(r, &g_array_index(changes, struct change, i), writer, error)) {
            return false;
        }
    }
    return writer != NULL && safetensors_writer_commit(writer, error);
}

const struct method method_full = {.text = true,
                                   .keeps_class = true,
                                   .has = has,
                                   .attach = method_attach_whole,
                                   .begin = method_begin_whole,
                                   .write = write_file,
                                   .measure = measure};
