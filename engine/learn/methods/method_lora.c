/* LoRA (Hu and others 2021): y = W x + b + alpha / r B (A x), A [r, in] and B [out, r] learn.
 *
 * Which weights: as diffusers' DreamBooth for PEFT has them, those of the attentions; or all that
 * kohya's scripts learn, without or with convolutions. A begins as PEFT's, uniform within
 * 1 / sqrt(columns) (Kaiming's with a = sqrt(5)), B with zeros, so that the model begins as it is.
 * Tensors that learn: MODULE.lora_A.weight, MODULE.lora_B.weight. */
#include "engine/learn/methods/method.h"

#include "engine/base/noise.h"
#include "engine/subject/lora_file.h"
#include "engine/subject/shift_set.h"

#include <math.h>

#define DOWN ".lora_A.weight"
#define UP   ".lora_B.weight"

/* ---- which weights ---- */

static bool is_attention(bool text, const char *name)
{
    static const char *const of_unet[] = {".to_q", ".to_k", ".to_v", ".to_out.0"};
    static const char *const of_text[] = {".q_proj", ".k_proj", ".v_proj", ".out_proj"};

    for (size_t i = 0; i < G_N_ELEMENTS(of_unet); i++) {
        if (g_str_has_suffix(name, text ? of_text[i] : of_unet[i])) {
            return true;
        }
    }
    return false;
}

static bool has(const struct svdiff_learn_options *o, bool text, const struct weight *w)
{
    // a kernel of 1x1 is a linear weight
    const bool multiplied = w->kind == WEIGHT_LINEAR || w->kind == WEIGHT_CONV;
    const bool conv = o->modules == LORA_MODULES_ALL;

    if (o->modules == LORA_MODULES_ATTENTION) {
        return is_attention(text, w->name);
    }
    return multiplied && (conv || w->kh * w->kw == 1) && lora_has_place(text, w->name, conv);
}

/* ---- their form ---- */

// memory for values in the type that is multiplied, where that is not theirs
static bool make_used(struct network *net, int64_t count, struct kernels_weight *used,
                      GError **error)
{
    used->type = net->k->weight;
    if (used->type != KERNELS_F32) {
        used->data = network_alloc(net, (size_t)count * kernels_size(used->type), error);
    }
    return used->type == KERNELS_F32 || used->data != NULL;
}

static bool attach(struct learner *l, const struct svdiff_learn_options *o, struct network *net,
                   struct weight *w, struct model_spectrum *spectrum, GError **error)
{
    g_autofree char *down = g_strconcat(w->name, DOWN, NULL);
    g_autofree char *up = g_strconcat(w->name, UP, NULL);
    const int64_t downs = o->rank * weight_columns(w), ups = (int64_t)w->out * o->rank;

    if (!make_used(net, downs, &w->down_used, error) || !make_used(net, ups, &w->up_used, error)) {
        return false;
    }
    w->form = WEIGHT_LOW_RANK;
    w->rank = o->rank;
    w->strength = o->alpha > 0 ? o->alpha / o->rank : 1;
    parameters_add(l->parameters, down, downs, SHIFT_RATE, &w->down, &w->ddown);
    parameters_add_kernel(l->parameters, w->kh * w->kw, w->in);
    parameters_add(l->parameters, up, ups, SHIFT_RATE, &w->up, &w->dup);
    return true;
}

// number: of the weights that have the form
static void begin_weight(const struct learner *l, const struct lesson *lesson,
                         const struct weight *w, uint64_t number)
{
    const int64_t count = w->rank * weight_columns(w);
    const double bound = 1 / sqrt((double)weight_columns(w));
    g_autofree float *values = g_new(float, count);

    for (int64_t i = 0; i < count; i++) {
        const double u = noise_uniform(lesson->options->seed, NOISE_LOW_RANK, number, (uint64_t)i);
        values[i] = (float)((2 * u - 1) * bound);
    }
    parameters_upload_part(l->parameters, w->down, values, count);
}

static uint64_t begin_network(const struct learner *l, const struct lesson *lesson,
                              const struct network *net, uint64_t number)
{
    for (guint i = 0; i < net->weights->len; i++) {
        const struct weight *w = net->weights->pdata[i];
        if (w->form == WEIGHT_LOW_RANK) {
            begin_weight(l, lesson, w, number++);
        }
    }
    return number;
}

static void begin(struct learner *l, const struct lesson *lesson)
{
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);
    uint64_t number = begin_network(l, lesson, unet_network(l->unet), 0);

    for (guint i = 0; i < encoders->len; i++) {
        number = begin_network(l, lesson, text_encoder_network(encoders->pdata[i]), number);
    }
}

/* ---- the file ---- */

static struct lora_options file_options(const struct svdiff_learn_options *o)
{
    return (struct lora_options){.output = o->output,
                                 .rank = o->rank,
                                 .rank_conv = o->modules == LORA_MODULES_ALL ? o->rank : 0,
                                 .alpha = o->alpha,
                                 .keys = o->keys};
}

// the weights of the model that have learned: const struct model_tensor *
static GPtrArray *list_tensors(const struct method_result *r)
{
    const struct svdiff_learn_options *o = r->lesson->options;
    const struct checkpoint *c = r->lesson->session->checkpoint;
    GPtrArray *all = g_ptr_array_new();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        struct weight w = model_tensor_weight(t);
        const bool text = t->component == MODEL_TEXT_ENCODER;
        if (t->shifts && (!text || o->text_encoder) && has(o, text, &w)) {
            g_ptr_array_add(all, (void *)t);
        }
    }
    return all;
}

// the header, owned by the caller, and the tensors behind it
static struct adapter_header *plan(const struct method_result *r, const struct lora_options *file,
                                   const GPtrArray *tensors, GArray *entries)
{
    g_autoptr(JsonObject) settings = json_object_new();
    g_autoptr(subject_file) notes = method_notes(r);
    struct adapter_header *header =
        method_header(r, notes, "lora", "LoRA", "a LoRA by SVDiff for GIMP");

    for (guint i = 0; i < tensors->len; i++) {
        lora_plan(file, tensors->pdata[i], file->rank, entries, settings);
    }
    lora_header(header, file, settings);
    return header;
}

static bool write_one(const struct method_result *r, const struct lora_options *file,
                      const struct model_tensor *t, struct safetensors_writer *writer,
                      GError **error)
{
    const struct weight w = model_tensor_weight(t);
    const double strength = file->alpha > 0 ? file->alpha / file->rank : 1;
    // of names without an alpha it is in up
    const double factor = strength / lora_scale(file, file->rank);
    g_autofree float *down = method_values(r, w.name, DOWN), *up = method_values(r, w.name, UP);

    for (int64_t i = 0; i < (int64_t)w.out * file->rank; i++) {
        up[i] = (float)(up[i] * factor);
    }
    return lora_put(writer, file, t, up, down, error);
}

static bool write_file(const struct method_result *r, GError **error)
{
    const struct lora_options file = file_options(r->lesson->options);
    g_autoptr(GPtrArray) tensors = list_tensors(r);
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, &file, tensors, entries);
    g_autoptr(safetensors_writer) writer =
        adapter_header_begin(header, file.output, entries, error);

    for (guint i = 0; i < tensors->len && writer != NULL; i++) {
        if (!write_one(r, &file, tensors->pdata[i], writer, error)) {
            return false;
        }
    }
    return writer != NULL && safetensors_writer_commit(writer, error);
}

static uint64_t measure(const struct method_result *r)
{
    const struct lora_options file = file_options(r->lesson->options);
    g_autoptr(GPtrArray) tensors = list_tensors(r);
    g_autoptr(GArray) entries = adapter_entries_create();
    g_autoptr(adapter_header) header = plan(r, &file, tensors, entries);

    return adapter_header_measure(header, entries);
}

const struct method method_lora = {.text = true,
                                   .keeps_class = true,
                                   .has = has,
                                   .attach = attach,
                                   .begin = begin,
                                   .chosen = true,
                                   .write = write_file,
                                   .measure = measure};
