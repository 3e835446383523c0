/* Subjects as a LoRA file; see lora_export.h. */
#include "engine/subject/lora_export.h"

#include "engine/base/channels.h"
#include "engine/base/error.h"
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
    double all, placed, kept; // squared norms of changes
};

/* ---- names ---- */

// kernels of 1x1 are linear weights, whatever their shape says
static bool is_kernel(const struct model_tensor *t)
{
    return t->n_dims == 4 && t->shape[2] * t->shape[3] > 1;
}

char *lora_module(const struct model_tensor *t, const struct lora_options *o, int *rank)
{
    const bool text = t->component == MODEL_TEXT_ENCODER;
    const char *name = t->name;

    if (t->n_dims < 2 || !g_str_has_suffix(name, ".weight")) {
        return NULL;
    }
    // what kohya's scripts call so by their classes shows in the modules' names
    const bool attention =
        text ? strstr(name, ".self_attn.") != NULL || strstr(name, ".mlp.") != NULL
             : strstr(name, ".attentions.") != NULL;
    const bool block =
        !text && (strstr(name, ".resnets.") != NULL || strstr(name, "samplers.") != NULL);
    if (!attention && !(block && o->rank_conv > 0)) {
        return NULL;
    }
    // of a block without --rank-conv nothing gets here
    *rank = is_kernel(t) ? o->rank_conv : o->rank;
    return g_strdelimit(g_strconcat(text ? "lora_te_" : "lora_unet_", t->module, NULL), ".", '_');
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

// [out, k], times the inverse of the scale alpha / k
static float *make_up(const struct change *c, const int *order, double alpha)
{
    // readers multiply by alpha / k
    const double factor = c->rank / alpha;
    float *up = g_new(float, (gsize)c->w.out * c->rank);

    for (int o = 0; o < c->w.out; o++) {
        for (int i = 0; i < c->rank; i++) {
            up[(size_t)o * c->rank + i] =
                (float)(c->u[(size_t)o * c->r + order[i]] * c->d[order[i]] * factor);
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
    g_autofree float *up = make_up(c, order, alpha), *down = make_down(c, order);

    return put(e, c, ".lora_up.weight", up, error) && put(e, c, ".lora_down.weight", down, error) &&
           put(e, c, ".alpha", &alpha, error);
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

// nor has the change of a norm's gain
static bool count_norm(struct exporter *e, size_t index, GError **error)
{
    const struct model_tensor *t = checkpoint_at(e->m->session->checkpoint, index);
    const int64_t n = t->shape[0];
    g_autofree float *before = g_new(float, n), *after = g_new(float, n);

    // the gain as the model has it, and with the subjects
    if (!checkpoint_read_part(e->m->session->checkpoint, index, 0, n, before, error) ||
        !merge_read(e->m, index, after, error)) {
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)after[i] - before[i];
        e->all += d * d;
    }
    return true;
}

/* ---- the file ---- */

static void add_entry(GArray *entries, const struct change *c, const char *leaf, int n_dims,
                      const int64_t shape[4])
{
    struct safetensors_entry entry = {
        .name = g_strconcat(c->module, leaf, NULL), .dtype = DTYPE_F32, .n_dims = n_dims};

    memcpy(entry.shape, shape, 4 * sizeof *shape);
    g_array_append_val(entries, entry);
}

static void clear_entry(void *data)
{
    g_free((char *)((struct safetensors_entry *)data)->name);
}

static void plan_module(const struct change *c, GArray *entries)
{
    const int n_dims = c->tensor->n_dims;

    add_entry(entries, c, ".lora_up.weight", n_dims, (const int64_t[4]){c->w.out, c->rank, 1, 1});
    add_entry(entries, c, ".lora_down.weight", n_dims,
              (const int64_t[4]){c->rank, c->w.in, c->w.kh, c->w.kw});
    add_entry(entries, c, ".alpha", 0, (const int64_t[4]){0});
}

static GArray *plan(const struct exporter *e)
{
    const struct checkpoint *c = e->m->session->checkpoint;
    // header first: the writer has to know all names and shapes, so ranks are found before
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(struct safetensors_entry));

    g_array_set_clear_func(entries, clear_entry);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        struct change change;
        if (change_begin(e, checkpoint_at(c, i), &change) && change.module != NULL) {
            plan_module(&change, entries);
        }
        change_finish(&change);
    }
    return entries;
}

static bool begin_file(struct exporter *e, const GArray *entries, GError **error)
{
    const struct checkpoint *c = e->m->session->checkpoint;
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;
    g_autofree char *rank = g_strdup_printf("%d", e->o->rank);
    // as LyCORIS and kohya's scripts write it
    g_autofree char *conv = g_strdup_printf("{\"conv_dim\": \"%d\", \"conv_alpha\": \"%d\"}",
                                            e->o->rank_conv, e->o->rank);
    g_autofree char *base = g_utf8_make_valid(e->o->base, -1);
    g_autofree char *architecture = g_strconcat(merge_architecture(c), "/lora", NULL);
    // conv_dim is last: where there is none the list ends before it
    const char *const keys[] = {"format",
                                "modelspec.architecture",
                                "modelspec.prediction_type",
                                "modelspec.sai_model_spec",
                                "ss_base_model_version",
                                "ss_network_alpha",
                                "ss_network_dim",
                                "ss_network_module",
                                "ss_sd_model_name",
                                "ss_training_comment",
                                e->o->rank_conv > 0 ? "ss_network_args" : NULL,
                                NULL};
    const char *const texts[] = {
        "pt", architecture, v ? "v" : "epsilon", "1.0.0", merge_base_version(c),
        rank, rank,         "networks.lora",     base,    "the largest parts of an SVDiff subject",
        conv, NULL};

    e->writer = safetensors_writer_create(
        e->o->output, (const struct safetensors_entry *)(const void *)entries->data, entries->len,
        keys, texts, error);
    return e->writer != NULL;
}

static bool export_all(struct exporter *e, GError **error)
{
    const struct checkpoint *c = e->m->session->checkpoint;

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        // counted, though it has no place
        const bool norm = t->shifts && t->n_dims == 1;
        count_rows(e, t);
        if (!(norm ? count_norm(e, i, error) : export_matrix(e, t, error)) ||
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
    g_autoptr(GArray) entries = plan(&e);

    if (entries->len == 0) {
        return error_failed(error, "The subject changes no weight that has a place in a LoRA file; "
                                   "convert it to a folder or a checkpoint.");
    }
    const bool done = begin_file(&e, entries, error) && export_all(&e, error);
    safetensors_writer_close(e.writer);
    if (done && kept != NULL) {
        // of a subject that changes nothing the shares are 0
        const double all = MAX(e.all, 1e-300);
        *kept = (struct lora_kept){.modules = (int)entries->len / 3,
                                   .share = e.kept / all,
                                   .without_place = (e.all - e.placed) / all};
    }
    return done;
}
