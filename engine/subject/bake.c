/* Shifts into weights; see bake.h. The spectrum's columns are in the engine's order [kh, kw, in],
 * the tensor being read in PyTorch's [in, kh, kw], so the change is added through that map. */
#include "engine/subject/bake.h"

#include "engine/base/error.h"
#include "engine/subject/shift_set.h"
#include "engine/tape/transfer.h"

#include <math.h>
#include <string.h>

// summed in double, so that what one subject says is not lost beside another
bool bake_shift(const struct bake *b, const char *name, int count, double *sum)
{
    bool found = false;

    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int i = 0; i < b->n_subjects; i++) {
        const struct bake_subject *one = &b->subjects[i];
        int n = 0;
        const float *values = subject_shift(one->subject, name, &n);
        // a norm has two kinds of shifts of one name, told apart by their lengths
        if (values == NULL || n != count || !subject_part_has(&one->part, name)) {
            continue;
        }
        found = true;
        subject_part_add(&one->part, values, count, one->scale, sum);
    }
    return found;
}

/* gain [c]: scalar shifts move the length of the whole gain, which cannot fall below 0; element-
 * wise ones are added to what that gives. */
static void bake_norm(const struct bake *b, const char *name, int c, float *gain)
{
    g_autofree double *sum = g_new(double, c);
    double square = 0, scalar = 0;

    for (int i = 0; i < c; i++) {
        square += (double)gain[i] * gain[i];
    }
    const double length = sqrt(square);
    // a norm of one channel has no direction of its own: its one value is element-wise
    if (c > 1 && length > 0 && bake_shift(b, name, 1, &scalar)) {
        const double factor = MAX(0.0, length + scalar) / length;
        for (int i = 0; i < c; i++) {
            gain[i] = (float)(gain[i] * factor);
        }
    }
    if (bake_shift(b, name, c, sum)) {
        for (int i = 0; i < c; i++) {
            gain[i] = (float)(gain[i] + sum[i]);
        }
    }
}

// adds the rows of one subject; sums: row number to double [in]
static void add_rows(const struct bake *b, const struct bake_subject *one, const struct weight *w,
                     GHashTable *sums)
{
    g_autofree const char **names = subject_names(one->subject);

    for (const char **name = names; *name != NULL; name++) {
        const int32_t id = shift_row_parse(w, *name);
        int count = 0;
        const float *values = id >= 0 ? subject_shift(one->subject, *name, &count) : NULL;
        if (values == NULL || count != w->in || !subject_part_has(&one->part, *name)) {
            continue;
        }
        double *sum = g_hash_table_lookup(sums, GINT_TO_POINTER(id));
        if (sum == NULL) {
            sum = g_new0(double, count);
            g_hash_table_insert(sums, GINT_TO_POINTER(id), sum);
        }
        for (int i = 0; i < count; i++) {
            sum[i] += one->scale * values[i];
        }
    }
}

double bake_rows(const struct bake *b, const struct weight *w, float *table)
{
    g_autoptr(GHashTable) sums = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    GHashTableIter iter;
    void *id, *sum;
    double square = 0;

    for (int i = 0; i < b->n_subjects; i++) {
        add_rows(b, &b->subjects[i], w, sums);
    }
    // rows in any order: each is its own place of the table
    g_hash_table_iter_init(&iter, sums);
    while (g_hash_table_iter_next(&iter, &id, &sum)) {
        for (int i = 0; i < w->in; i++) {
            const double d = ((double *)sum)[i];
            square += d * d;
            // of an export only the norm is wanted
            if (table != NULL) {
                table[(size_t)GPOINTER_TO_INT(id) * w->in + i] += (float)d;
            }
        }
    }
    return square;
}

/* change [m, n] = (U * d) Vt on the device, to the host */
static bool multiply(const struct bake *b, const struct weight *w, const float *u, const double *d,
                     const float *vt, float *change, GError **error)
{
    const kernels *k = b->session->k;
    const int m = w->out, r = weight_full_rank(w);
    const int64_t n = weight_columns(w);
    // U scaled, Vt, and their product
    const size_t bytes[] = {sizeof(real) * m * r, sizeof(real) * r * n, sizeof(real) * m * n};
    g_autofree float *scaled = g_new(float, (size_t)m *r);
    real *buffer[3];
    bool done = true;

    for (int i = 0; i < m * r; i++) {
        // columns of U are the singular vectors
        scaled[i] = (float)(u[i] * d[i % r]);
    }
    for (int i = 0; i < 3; i++) {
        buffer[i] = k->alloc(k, bytes[i]);
        done = done && buffer[i] != NULL;
    }
    if (done) {
        transfer_upload(k, buffer[0], scaled, (int64_t)m * r);
        transfer_upload(k, buffer[1], vt, r * n);
        k->gemm(k, (struct gemm_shape){.m = m, .n = n, .k = r}, buffer[0], buffer[1], buffer[2]);
        transfer_download(k, change, buffer[2], m * n);
        done = transfer_sync(k, error);
    } else {
        error_failed(error, "There is no memory to put the subject into %s; close other programs.",
                     w->name);
    }
    for (int i = 0; i < 3; i++) {
        if (buffer[i] != NULL) {
            k->release(k, buffer[i], bytes[i]);
        }
    }
    return done;
}

// adds change [out, kh, kw, in] to values [out, in, kh, kw]
// the spectrum's columns are in the engine's order, values in PyTorch's
static void add_change(const struct weight *w, const float *change, float *values)
{
    const int area = w->kh * w->kw;

    for (int o = 0; o < w->out; o++) {
        for (int a = 0; a < area; a++) {
            for (int i = 0; i < w->in; i++) {
                values[((size_t)o * w->in + i) * area + a] +=
                    change[((size_t)o * area + a) * w->in + i];
            }
        }
    }
}

/* values [out, in, kh, kw] += (U d) Vt; nothing where no subject shifts this weight, whose spectrum
 * is then not read at all. */
static bool bake_matrix(const struct bake *b, const struct weight *w, const char *name,
                        float *values, GError **error)
{
    const int r = weight_full_rank(w);
    const int64_t n = weight_columns(w);
    const struct spectrum_provider provider = model_spectrum_provider(b->spectrum);
    g_autofree double *d = g_new(double, r);

    if (!bake_shift(b, name, r, d)) {
        return true;
    }
    g_autofree float *u = g_new(float, (size_t)w->out *r);
    g_autofree float *s = g_new(float, r);
    g_autofree float *vt = g_new(float, r *n);
    g_autofree float *change = g_new(float, w->out *n);
    if (!provider.get(provider.user, w, u, s, vt, error)) {
        return false;
    }
    for (int i = 0; i < r; i++) {
        // relu: no singular value becomes negative
        d[i] = MAX(0.0, s[i] + d[i]) - s[i];
    }
    if (!multiply(b, w, u, d, vt, change, error)) {
        return false;
    }
    add_change(w, change, values);
    return true;
}

bool bake_add(const struct bake *b, const struct model_tensor *t, float *values, GError **error)
{
    const struct weight w = model_tensor_weight(t);
    g_autofree char *shift = shift_name(&w);

    if (b->adapters != NULL && !adapter_list_add(b->adapters, t, values, error)) {
        return false;
    }
    // subjects leave biases and the autoencoder as they are
    if (!t->shifts || b->n_subjects == 0) {
        return true;
    }
    if (w.kind == WEIGHT_NORM) {
        bake_norm(b, shift, w.out, values);
        return true;
    }
    if (!bake_matrix(b, &w, shift, values, error)) {
        return false;
    }
    if (w.kind == WEIGHT_EMBEDDING) {
        // a word that learned its row has its share of the table's shift, too
        bake_rows(b, &w, values);
    }
    return true;
}

// a weight_source: the model's tensor with the subjects put into it
static bool read_baked(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                       GError **error)
{
    const struct bake_component *c = user;
    const struct checkpoint *model = c->bake->session->checkpoint;

    return checkpoint_read(model, c->component, name, shape, n_dims, out, error) &&
           bake_add(c->bake, checkpoint_find(model, c->component, name), out, error);
}

struct weight_source bake_source(struct bake *b, enum model_component component)
{
    struct bake_component *c = &b->components[component];

    *c = (struct bake_component){b, component};
    if ((b->n_subjects == 0 && (b->adapters == NULL || b->adapters->n == 0)) || b->session->dry) {
        return session_source(b->session, component);
    }
    // products of a subject are the device's, those of adapters each thread's own
    return (struct weight_source){.read = read_baked, .user = c, .serial = b->n_subjects > 0};
}

/* ---- does a subject fit ---- */

// whether the model has a place for a shift of this name and length
static bool has_place(const struct checkpoint *model, const char *shift, int count)
{
    for (size_t i = 0; i < checkpoint_count(model); i++) {
        const struct model_tensor *t = checkpoint_at(model, i);
        const struct weight w = model_tensor_weight(t);
        g_autofree char *name = t->shifts ? shift_name(&w) : NULL;
        if (name != NULL && strcmp(name, shift) == 0) {
            return count == weight_shift_count(&w, false) || count == weight_shift_count(&w, true);
        }
        // rows are named after the table that they are in
        if (name != NULL && shift_row_parse(&w, shift) >= 0) {
            return count == w.in;
        }
    }
    return false;
}

bool bake_check(const struct bake_subject *subjects, int n_subjects, const struct checkpoint *model,
                GError **error)
{
    for (int i = 0; i < n_subjects; i++) {
        // all of them, since a subject of which a part is left out would be another one
        g_autofree const char **names = subject_names(subjects[i].subject);
        for (const char **name = names; *name != NULL; name++) {
            int count = 0;
            subject_shift(subjects[i].subject, *name, &count);
            if (!has_place(model, *name, count)) {
                return error_failed(error,
                                    "The subject's shift %s with %d values has no place in this "
                                    "model; use the model it was learned with.",
                                    *name, count);
            }
        }
    }
    return true;
}
