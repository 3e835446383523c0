/* Files for programs that read LoRA files; see adapter_export.h. */
#include "engine/subject/adapter_export.h"

#include "engine/base/error.h"
#include "engine/subject/shift_set.h"
#include "engine/subject/thumbnail.h"
#include "engine/text/prompt.h"

/* ---- tensors ---- */

char *adapter_export_module(const struct model_tensor *t)
{
    const char *start = t->component == MODEL_TEXT_ENCODER ? "lora_te_" : "lora_unet_";

    return g_strdelimit(g_strconcat(start, t->module, NULL), ".", '_');
}

static void clear_entry(void *entry)
{
    g_free((char *)((struct safetensors_entry *)entry)->name);
}

GArray *adapter_entries_create(void)
{
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(struct safetensors_entry));

    g_array_set_clear_func(entries, clear_entry);
    return entries;
}

void adapter_entries_add(GArray *entries, const char *module, const char *leaf, int n_dims,
                         const int64_t *shape)
{
    struct safetensors_entry entry = {
        .name = g_strconcat(module, leaf, NULL), .dtype = DTYPE_F32, .n_dims = n_dims};

    // a scalar has no shape at all
    for (int i = 0; i < n_dims; i++) {
        entry.shape[i] = shape[i];
    }
    g_array_append_val(entries, entry);
}

static const char *const norm_leaves[] = {".w_norm", ".b_norm"};

void adapter_entries_add_norm(GArray *entries, const struct model_tensor *t)
{
    g_autofree char *module = adapter_export_module(t);

    for (size_t i = 0; i < G_N_ELEMENTS(norm_leaves); i++) {
        adapter_entries_add(entries, module, norm_leaves[i], 1, t->shape);
    }
}

bool adapter_export_put_norm(struct safetensors_writer *writer, const struct model_tensor *t,
                             const float *change, GError **error)
{
    g_autofree char *module = adapter_export_module(t);
    g_autofree float *none = g_new0(float, model_tensor_values(t));
    const float *const values[] = {change, none};
    bool good = true;

    for (size_t i = 0; i < G_N_ELEMENTS(norm_leaves) && good; i++) {
        g_autofree char *name = g_strconcat(module, norm_leaves[i], NULL);
        good = safetensors_writer_put(writer, name, values[i], error);
    }
    return good;
}

bool adapter_export_changes(const struct merge *m, const struct model_tensor *t)
{
    const struct weight w = model_tensor_weight(t);

    if (!t->shifts) {
        return false;
    }
    const int count = (int)weight_shift_count(&w, false);
    g_autofree double *sum = g_new(double, MAX(count, 1));
    g_autofree char *shift = shift_name(&w);
    // a norm's may be as long as it, or one value for all of it
    return bake_shift(&m->bake, shift, count, sum) || bake_shift(&m->bake, shift, 1, sum) ||
           (w.kind == WEIGHT_EMBEDDING && bake_rows(&m->bake, &w, NULL) > 0);
}

float *adapter_export_change(const struct merge *m, size_t index, GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    const struct model_tensor *t = checkpoint_at(c, index);
    const int64_t n = model_tensor_values(t);
    g_autofree float *before = g_try_new(float, n), *after = g_try_new(float, n);

    if (before == NULL || after == NULL) {
        error_failed(error, "There is no memory for the tensor %s; close other programs.", t->name);
        return NULL;
    }
    if (!checkpoint_read_part(c, index, 0, n, before, error) ||
        !merge_read(m, index, after, error)) {
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) {
        after[i] -= before[i];
    }
    return g_steal_pointer(&after);
}

/* ---- the header ---- */

struct adapter_header {
    GPtrArray *keys, *texts; // owned
};

void adapter_header_add(struct adapter_header *h, const char *key, const char *text)
{
    g_ptr_array_add(h->keys, g_strdup(key));
    g_ptr_array_add(h->texts, g_utf8_make_valid(text, -1));
}

void adapter_header_free(struct adapter_header *h)
{
    if (h != NULL) {
        g_ptr_array_unref(h->keys);
        g_ptr_array_unref(h->texts);
        g_free(h);
    }
}

static void add_model(struct adapter_header *h, const svdiff *s, const struct adapter_about *about)
{
    const struct checkpoint *c = s->checkpoint;
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;
    const int size = svdiff_generate_defaults(s).width;
    g_autofree char *architecture = g_strconcat(merge_architecture(c), "/", about->kind, NULL);
    g_autofree char *resolution = g_strdup_printf("%dx%d", size, size);
    g_autofree char *pair = g_strdup_printf("(%d, %d)", size, size); // as Python prints it

    adapter_header_add(h, "format", "pt");
    adapter_header_add(h, "modelspec.sai_model_spec", "1.0.0");
    adapter_header_add(h, "modelspec.architecture", architecture);
    adapter_header_add(h, "modelspec.implementation", "diffusers");
    adapter_header_add(h, "modelspec.prediction_type", v ? "v" : "epsilon");
    adapter_header_add(h, "modelspec.resolution", resolution);
    adapter_header_add(h, "ss_resolution", pair);
    adapter_header_add(h, "ss_base_model_version", merge_base_version(c));
    adapter_header_add(h, "ss_v2",
                       g_str_has_prefix(merge_base_version(c), "sd_v2") ? "True" : "False");
    adapter_header_add(h, "ss_sd_model_name", about->base);
}

char *adapter_export_print(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, object);
    return json_to_string(node, FALSE);
}

/* The words that call it, "sks dog" of "a photo of [V] dog" and the word sks: what comes from the mark on. NULL
 * where the file does not say them. */
static char *trigger_of(const struct subject *s)
{
    const char *prompt = subject_metadata(s, "prompt"), *word = subject_metadata(s, "placeholder");
    const char *mark = prompt;

    while (mark != NULL && *mark != '\0' && prompt_mark_length(mark) == 0) {
        mark++;
    }
    return mark != NULL && *mark != '\0' && word != NULL ? prompt_with(mark, word) : NULL;
}

// of one subject alone: of several each was learned in another way
static void add_subject(struct adapter_header *h, const struct subject *s, const char *trigger)
{
    static const char *const pairs[][2] = {
        {"steps", "ss_steps"},           {"learning_rate", "ss_learning_rate"},
        {"learning_rate", "ss_unet_lr"}, {"learning_rate", "ss_text_encoder_lr"},
        {"schedule", "ss_lr_scheduler"}, {"seed", "ss_seed"},
    };
    const char *preview = subject_metadata(s, THUMBNAIL_KEY);

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        const char *text = subject_metadata(s, pairs[i][0]);
        if (text != NULL) {
            adapter_header_add(h, pairs[i][1], text);
        }
    }
    if (trigger != NULL) {
        // {folder of pictures: {words: how often}}, from which A1111 offers words
        JsonObject *tags = json_object_new();
        g_autoptr(JsonObject) all = json_object_new();
        json_object_set_int_member(tags, trigger, 1);
        json_object_set_object_member(all, "svdiff", tags);
        g_autofree char *text = adapter_export_print(all);
        adapter_header_add(h, "modelspec.trigger_phrase", trigger);
        adapter_header_add(h, "ss_tag_frequency", text);
    }
    if (preview != NULL) {
        g_autofree char *url = g_strconcat("data:image/png;base64,", preview, NULL);
        adapter_header_add(h, "modelspec.thumbnail", url);
    }
}

struct adapter_header *adapter_header_create(const svdiff *s, const struct adapter_about *about)
{
    struct adapter_header *h = g_new0(struct adapter_header, 1);
    const struct subject *one = about->subject;
    g_autofree char *trigger = one != NULL ? trigger_of(one) : NULL;

    h->keys = g_ptr_array_new_with_free_func(g_free);
    h->texts = g_ptr_array_new_with_free_func(g_free);
    add_model(h, s, about);
    // not by the names of files: the same change is the same file, whatever both are called
    adapter_header_add(h, "modelspec.title", trigger != NULL ? trigger : about->title);
    adapter_header_add(h, "modelspec.description", about->comment);
    adapter_header_add(h, "ss_training_comment", about->comment);
    if (one != NULL) {
        add_subject(h, one, trigger);
    }
    // known when all values are
    adapter_header_add(h, "sshs_model_hash", SAFETENSORS_SHA256);
    adapter_header_add(h, "modelspec.hash_sha256", "0x" SAFETENSORS_SHA256);
    return h;
}

struct adapter_header *adapter_header_of_merge(const struct merge *m, const char *base,
                                               const char *comment)
{
    const struct adapter_about about = {
        .subject = m->bake.n_subjects == 1 ? m->bake.subjects[0].subject : NULL,
        .base = base,
        .kind = "lora",
        .title = "SVDiff subject",
        .comment = comment};

    return adapter_header_create(m->session, &about);
}

// nothing is added behind it
static void end_lists(struct adapter_header *h)
{
    g_ptr_array_add(h->keys, NULL);
    g_ptr_array_add(h->texts, NULL);
}

struct safetensors_writer *adapter_header_begin(struct adapter_header *h, const char *output,
                                                const GArray *entries, GError **error)
{
    end_lists(h);
    return safetensors_writer_create(
        output, (const struct safetensors_entry *)(const void *)entries->data, entries->len,
        (const char *const *)h->keys->pdata, (const char *const *)h->texts->pdata, error);
}

uint64_t adapter_header_measure(struct adapter_header *h, const GArray *entries)
{
    end_lists(h);
    return safetensors_writer_measure((const struct safetensors_entry *)(const void *)entries->data,
                                      entries->len, (const char *const *)h->keys->pdata,
                                      (const char *const *)h->texts->pdata);
}
