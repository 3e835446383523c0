/* Subjects as a LoRA file; see lora_export.h. */
#include "engine/subject/lora_export.h"

#include "engine/base/channels.h"
#include "engine/base/error.h"
#include "engine/network/text_encoder.h"
#include "engine/subject/adapter_export.h"
#include "engine/subject/shift_set.h"

#include <math.h>
#include <string.h>

// a weight with its shift and its factors
struct change {
    const struct model_tensor *tensor;
    struct weight w; // it is
    int r, rank;     // all parts, and those that are kept
    char *module;    // in the file; NULL: no place
    double *d;       // [r]
    float *u, *s, *vt;
};

struct exporter {
    const struct merge *m;
    const struct lora_options *o;
    struct safetensors_writer *writer;
    int modules;
    double all, placed, kept; // squared norms of changes
};

// what the parts of a module are called; alpha NULL: it stands in the header
static const struct {
    const char *up, *down, *alpha;
} leaves[] = {
    [LORA_KEYS_KOHYA] = {".lora_up.weight", ".lora_down.weight", ".alpha"},
    [LORA_KEYS_DIFFUSERS] = {".lora_B.weight", ".lora_A.weight", NULL},
};

/* ---- names ---- */

// kernels of 1x1 are linear weights, whatever their shape says
static bool is_kernel(const struct model_tensor *t)
{
    return t->n_dims == 4 && t->shape[2] * t->shape[3] > 1;
}

// diffusers' word for the network that a tensor is of
static const char *component_of(const struct model_tensor *t)
{
    return t->component == MODEL_TEXT_ENCODER ? "text_encoder" : "unet";
}

/* Whether it is what kohya's scripts learn without a rank for kernels, what they call so by classes shows in
 * the modules' names; or what they learn with one. diffusers has a name for every weight. */
static bool has_place(const struct model_tensor *t, const struct lora_options *o)
{
    const bool text = t->component == MODEL_TEXT_ENCODER;
    const char *name = t->name;

    if (text) {
        return strstr(name, ".self_attn.") != NULL || strstr(name, ".mlp.") != NULL;
    }
    return strstr(name, ".attentions.") != NULL ||
           (o->rank_conv > 0 &&
            (o->keys == LORA_KEYS_DIFFUSERS || strstr(name, ".resnets.") != NULL ||
             strstr(name, "samplers.") != NULL));
}

char *lora_module(const struct model_tensor *t, const struct lora_options *o, int *rank)
{
    if (t->n_dims < 2 || !g_str_has_suffix(t->name, ".weight") || !has_place(t, o)) {
        return NULL;
    }
    // of a block without --rank-conv nothing gets here
    *rank = is_kernel(t) ? o->rank_conv : o->rank;
    if (o->keys == LORA_KEYS_KOHYA) {
        return adapter_export_module(t);
    }
    return g_strconcat(component_of(t), ".", t->module, NULL);
}

/* ---- one weight ---- */

static void change_finish(struct change *c)
{
    g_free(c->module);
    g_free(c->d);
    g_free(c->u);
    g_free(c->s);
    g_free(c->vt);
}

/* The shift of a matrix; false when there is none or it is zero. To be finished in any case. */
static bool change_begin(const struct exporter *e, const struct model_tensor *t, struct change *c)
{
    double sum = 0;

    *c = (struct change){.tensor = t};
    if (!t->shifts || t->n_dims < 2) {
        return false;
    }
    c->w = model_tensor_weight(t);
    c->r = weight_full_rank(&c->w);
    c->d = g_new(double, c->r);
    g_autofree char *shift = shift_name(&c->w);
    bake_shift(&e->m->bake, shift, c->r, c->d);
    for (int i = 0; i < c->r; i++) {
        sum += c->d[i] * c->d[i];
    }
    // NULL: the change is counted, and has no place
    c->module = lora_module(t, e->o, &c->rank);
    c->rank = MIN(c->rank, c->r);
    return sum > 0;
}

// the factors, and d becomes the change of the singular values
static bool change_read(const struct exporter *e, struct change *c, GError **error)
{
    const struct spectrum_provider provider = model_spectrum_provider(e->m->spectrum);
    const int64_t columns = weight_columns(&c->w);

    c->u = g_try_new(float, (gsize)c->w.out * c->r);
    c->s = g_try_new(float, c->r);
    c->vt = g_try_new(float, (gsize)(c->r * columns));
    if (c->u == NULL || c->s == NULL || c->vt == NULL) {
        return error_failed(
            error, "There is no memory for the factors of %s; close other programs.", c->w.name);
    }
    if (!provider.get(provider.user, &c->w, c->u, c->s, c->vt, error)) {
        return false;
    }
    for (int i = 0; i < c->r; i++) {
        c->d[i] = MAX(0.0, c->s[i] + c->d[i]) - c->s[i];
    }
    return true;
}

static int compare_parts(const void *a, const void *b, void *user)
{
    const double *d = user;
    const int i = *(const int *)a, j = *(const int *)b;
    // of equal parts the first, so that every sort gives the same file
    const double x = fabs(d[i]), y = fabs(d[j]);

    return x != y ? (x < y ? 1 : -1) : i - j;
}

// the parts by falling |d|, [r]; owned by the caller
static int *change_order(const struct change *c)
{
    int *order = g_new(int, c->r);

    for (int i = 0; i < c->r; i++) {
        order[i] = i;
    }
    g_qsort_with_data(order, c->r, sizeof *order, compare_parts, c->d);
    return order;
}

/* ---- tensors of the file ---- */

static bool put(const struct exporter *e, const struct change *c, const char *leaf,
                const float *values, GError **error)
{
    g_autofree char *name = g_strconcat(c->module, leaf, NULL);

    return safetensors_writer_put(e->writer, name, values, error);
}

// [out, k], times the inverse of the scale that readers multiply by
static float *make_up(const struct change *c, const int *order, double scale)
{
    float *up = g_new(float, (gsize)c->w.out * c->rank);

    for (int o = 0; o < c->w.out; o++) {
        for (int i = 0; i < c->rank; i++) {
            up[(size_t)o * c->rank + i] =
                (float)(c->u[(size_t)o * c->r + order[i]] * c->d[order[i]] / scale);
        }
    }
    return up;
}

// [k, in, kh, kw] from rows in the engine's order [kh, kw, in]
static float *make_down(const struct change *c, const int *order)
{
    const int area = c->w.kh * c->w.kw, in = c->w.in;
    float *down = g_new(float, (gsize)c->rank *in *area);

    for (int k = 0; k < c->rank; k++) {
        channels_to_planes(c->vt + (size_t)order[k] * in * area, 1, area, in,
                           down + (size_t)k * in * area);
    }
    return down;
}

static bool write_module(struct exporter *e, const struct change *c, const int *order,
                         GError **error)
{
    // of every module, so that a program that reads one alpha for all is right
    const float alpha = (float)e->o->rank;
    const char *alpha_leaf = leaves[e->o->keys].alpha;
    // without one each module's alpha is its rank
    const double scale = alpha_leaf != NULL ? (double)alpha / c->rank : 1;
    g_autofree float *up = make_up(c, order, scale), *down = make_down(c, order);

    e->modules++;
    return put(e, c, leaves[e->o->keys].up, up, error) &&
           put(e, c, leaves[e->o->keys].down, down, error) &&
           (alpha_leaf == NULL || put(e, c, alpha_leaf, &alpha, error));
}

static bool export_matrix(struct exporter *e, const struct model_tensor *t, GError **error)
{
    struct change c;
    bool done = true;

    // squares of the parts are those of the change: they are orthogonal
    if (change_begin(e, t, &c) && (done = change_read(e, &c, error))) {
        g_autofree int *order = change_order(&c);
        for (int i = 0; i < c.r; i++) {
            const double square = c.d[order[i]] * c.d[order[i]];
            e->all += square;
            e->placed += c.module != NULL ? square : 0;
            e->kept += c.module != NULL && i < c.rank ? square : 0;
        }
        done = c.module == NULL || write_module(e, &c, order, error);
    }
    change_finish(&c);
    return done;
}

// what rows of an embedding learned for themselves has no place
static void count_rows(struct exporter *e, const struct model_tensor *t)
{
    const struct weight w = model_tensor_weight(t);

    e->all += t->shifts && w.kind == WEIGHT_EMBEDDING ? bake_rows(&e->m->bake, &w, NULL) : 0;
}

// norms that some subject shifts, in either form
static bool is_norm(const struct exporter *e, const struct model_tensor *t)
{
    const struct weight w = model_tensor_weight(t);
    g_autofree double *sum = g_new(double, MAX(w.out, 1));
    g_autofree char *shift = shift_name(&w);

    return t->shifts && t->n_dims == 1 &&
           (bake_shift(&e->m->bake, shift, w.out, sum) || bake_shift(&e->m->bake, shift, 1, sum));
}

// a gain's change is written as it is, where it is asked for
static bool export_norm(struct exporter *e, size_t index, GError **error)
{
    const struct model_tensor *t = checkpoint_at(e->m->session->checkpoint, index);
    g_autofree float *change = adapter_export_change(e->m, index, error);
    double square = 0;

    for (int64_t i = 0; change != NULL && i < t->shape[0]; i++) {
        square += (double)change[i] * change[i];
    }
    e->all += square;
    if (change == NULL || !e->o->norms) {
        return change != NULL;
    }
    e->placed += square;
    e->kept += square;
    e->modules++;
    return adapter_export_put_norm(e->writer, t, change, error);
}

/* ---- the file ---- */

static void plan_module(const struct exporter *e, const struct change *c, GArray *entries)
{
    const int n_dims = c->tensor->n_dims;

    adapter_entries_add(entries, c->module, leaves[e->o->keys].up, n_dims,
                        (const int64_t[4]){c->w.out, c->rank, 1, 1});
    adapter_entries_add(entries, c->module, leaves[e->o->keys].down, n_dims,
                        (const int64_t[4]){c->rank, c->w.in, c->w.kh, c->w.kw});
    if (leaves[e->o->keys].alpha != NULL) {
        adapter_entries_add(entries, c->module, leaves[e->o->keys].alpha, 0, NULL);
    }
}

/* PEFT's settings of what is in the file (diffusers' lora_adapter_metadata): for each network r, lora_alpha, the
 * modules, and those whose rank, which is their alpha, is another. */
static void plan_settings(JsonObject *settings, const struct exporter *e, const struct change *c)
{
    const char *component = component_of(c->tensor), *path = c->tensor->module;
    // names are found by their ends; transformers' models have no text_model. any more
    path += g_str_has_prefix(path, TEXT_ENCODER_MODULE) ? strlen(TEXT_ENCODER_MODULE) : 0;
    g_autofree char *modules = g_strconcat(component, ".target_modules", NULL);
    g_autofree char *r = g_strconcat(component, ".r", NULL);
    g_autofree char *alpha = g_strconcat(component, ".lora_alpha", NULL);
    const char *const patterns[] = {".rank_pattern", ".alpha_pattern"};

    if (!json_object_has_member(settings, modules)) {
        json_object_set_array_member(settings, modules, json_array_new());
        json_object_set_int_member(settings, r, e->o->rank);
        json_object_set_int_member(settings, alpha, e->o->rank);
    }
    json_array_add_string_element(json_object_get_array_member(settings, modules), path);
    for (size_t i = 0; i < G_N_ELEMENTS(patterns) && c->rank != e->o->rank; i++) {
        g_autofree char *key = g_strconcat(component, patterns[i], NULL);
        if (!json_object_has_member(settings, key)) {
            json_object_set_object_member(settings, key, json_object_new());
        }
        json_object_set_int_member(json_object_get_object_member(settings, key), path, c->rank);
    }
}

static GArray *plan(const struct exporter *e, JsonObject *settings)
{
    const struct checkpoint *c = e->m->session->checkpoint;
    // header first: the writer has to know all names and shapes, so ranks are found before
    GArray *entries = adapter_entries_create();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        struct change change;
        if (change_begin(e, t, &change) && change.module != NULL) {
            plan_module(e, &change, entries);
            plan_settings(settings, e, &change);
        }
        change_finish(&change);
        if (e->o->norms && is_norm(e, t)) {
            adapter_entries_add_norm(entries, t);
        }
    }
    return entries;
}

static void add_network(struct adapter_header *h, const struct lora_options *o,
                        JsonObject *settings)
{
    g_autofree char *rank = g_strdup_printf("%d", o->rank);
    // as LyCORIS and kohya's scripts write it
    g_autofree char *conv =
        g_strdup_printf("{\"conv_dim\": \"%d\", \"conv_alpha\": \"%d\"%s}", o->rank_conv, o->rank,
                        o->norms ? ", \"train_norm\": \"True\"" : "");

    adapter_header_add(h, "ss_network_dim", rank);
    adapter_header_add(h, "ss_network_alpha", rank);
    // norms are LyCORIS' own
    adapter_header_add(h, "ss_network_module", o->norms ? "lycoris.kohya" : "networks.lora");
    if (o->rank_conv > 0 || o->norms) {
        adapter_header_add(h, "ss_network_args", conv);
    }
    if (o->keys == LORA_KEYS_DIFFUSERS) {
        g_autofree char *text = adapter_export_print(settings);
        adapter_header_add(h, "lora_adapter_metadata", text);
    }
}

static bool begin_file(struct exporter *e, const GArray *entries, JsonObject *settings,
                       GError **error)
{
    g_autoptr(adapter_header) header =
        adapter_header_create(e->m, e->o->base, "the largest parts of an SVDiff subject");

    add_network(header, e->o, settings);
    e->writer = adapter_header_begin(header, e->o->output, entries, error);
    return e->writer != NULL;
}

static bool export_all(struct exporter *e, GError **error)
{
    const struct checkpoint *c = e->m->session->checkpoint;

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        count_rows(e, t);
        if (!(is_norm(e, t) ? export_norm(e, i, error) : export_matrix(e, t, error)) ||
            !merge_go_on(e->m, (int)i + 1, (int)checkpoint_count(c), error)) {
            return false;
        }
    }
    return safetensors_writer_commit(e->writer, error);
}

bool lora_export(const struct merge *m, const struct lora_options *o, struct lora_kept *kept,
                 GError **error)
{
    struct exporter e = {.m = m, .o = o};
    g_autoptr(JsonObject) settings = json_object_new();
    g_autoptr(GArray) entries = plan(&e, settings);

    if (entries->len == 0) {
        return error_failed(error, "The subject changes no weight that has a place in a LoRA file; "
                                   "convert it to a folder or a checkpoint.");
    }
    const bool done = begin_file(&e, entries, settings, error) && export_all(&e, error);
    safetensors_writer_close(e.writer);
    if (done && kept != NULL) {
        // of a subject that changes nothing the shares are 0
        const double all = MAX(e.all, 1e-300);
        *kept = (struct lora_kept){
            .modules = e.modules, .share = e.kept / all, .without_place = (e.all - e.placed) / all};
    }
    return done;
}
