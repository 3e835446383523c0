/* Subjects as a LoRA file; see lora_export.h. */
#include "engine/subject/lora_export.h"

#include "engine/base/channels.h"
#include "engine/base/error.h"
#include "engine/subject/shift_set.h"

#include <math.h>

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
    const double scale = lora_scale(e->o, c->rank);
    g_autofree float *up = make_up(c, order, scale), *down = make_down(c, order);

    e->modules++;
    return lora_put(e->writer, e->o, c->tensor, up, down, error);
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

// norms that some subject shifts
static bool is_norm(const struct exporter *e, const struct model_tensor *t)
{
    return t->n_dims == 1 && adapter_export_changes(e->m, t);
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

static GArray *plan(const struct exporter *e, JsonObject *settings)
{
    const struct checkpoint *c = e->m->session->checkpoint;
    // header first: the writer has to know all names and shapes, so ranks are found before
    GArray *entries = adapter_entries_create();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        struct change change;
        if (change_begin(e, t, &change) && change.module != NULL) {
            lora_plan(e->o, t, change.rank, entries, settings);
        }
        change_finish(&change);
        if (e->o->norms && is_norm(e, t)) {
            adapter_entries_add_norm(entries, t);
        }
    }
    return entries;
}

static bool begin_file(struct exporter *e, const GArray *entries, JsonObject *settings,
                       GError **error)
{
    g_autoptr(adapter_header) header =
        adapter_header_of_merge(e->m, e->o->base, "the largest parts of an SVDiff subject");

    lora_header(header, e->o, settings);
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
