/* Subsets and spectral weights; see shift_set.h. */
#include "engine/subject/shift_set.h"

#include "engine/base/error.h"
#include "engine/tape/transfer.h"

#include <math.h>
#include <string.h>

/* ---- subsets ---- */

/* A weight belongs to a subset when its name begins with `block`, holds `part`, and its kind is in
 * `kinds` (bit per kind). */
// a set of kinds is a word of bits
#define KIND(kind) (1u << (kind))
#define ANY        (KIND(WEIGHT_LINEAR) | KIND(WEIGHT_CONV) | KIND(WEIGHT_EMBEDDING) | KIND(WEIGHT_NORM))

static const struct {
    const char *block, *part;
    unsigned kinds;
} subsets[] = {
    [SUBSET_UNET] = {"", "", ANY},
    [SUBSET_UNET_CA] = {"", ".attn2.", ANY},
    [SUBSET_UNET_CA_KV] = {"", ".attn2.to_", ANY},
    [SUBSET_UNET_1D] = {"", "", KIND(WEIGHT_NORM)},
    [SUBSET_UNET_2D] = {"", "", KIND(WEIGHT_LINEAR) | KIND(WEIGHT_EMBEDDING)},
    [SUBSET_UNET_4D] = {"", "", KIND(WEIGHT_CONV)},
    [SUBSET_UP] = {"up_blocks.", "", ANY},
    [SUBSET_DOWN] = {"down_blocks.", "", ANY},
    [SUBSET_MID] = {"mid_block.", "", ANY},
    [SUBSET_UP_CA] = {"up_blocks.", ".attn2.", ANY},
    [SUBSET_DOWN_CA] = {"down_blocks.", ".attn2.", ANY},
    [SUBSET_MID_CA] = {"mid_block.", ".attn2.", ANY},
};

bool shift_subset_has(enum shift_subset s, const struct weight *w)
{
    // keys and values, but not queries
    if (s == SUBSET_UNET_CA_KV &&
        !(g_str_has_suffix(w->name, ".to_k") || g_str_has_suffix(w->name, ".to_v"))) {
        return false;
    }
    return (subsets[s].kinds & KIND(w->kind)) != 0 && g_str_has_prefix(w->name, subsets[s].block) &&
           strstr(w->name, subsets[s].part) != NULL;
}

char *shift_name(const struct weight *w)
{
    return g_strconcat(w->name, ".delta", NULL);
}

char *shift_row_name(const struct weight *w, int32_t id)
{
    return g_strdup_printf("%s.row.%d.delta", w->name, id);
}

int32_t shift_row_parse(const struct weight *w, const char *name)
{
    guint64 id;

    if (w->kind != WEIGHT_EMBEDDING) {
        return -1;
    }
    g_autofree char *begin = g_strconcat(w->name, ".row.", NULL);
    if (!g_str_has_prefix(name, begin)) {
        return -1;
    }
    // what stands between ".row." and ".delta" is the id, and nothing else
    g_autofree char *number = g_strdup(name + strlen(begin));
    char *dot = strchr(number, '.');
    if (dot == NULL || strcmp(dot, ".delta") != 0) {
        return -1;
    }
    *dot = '\0';
    return g_ascii_string_to_unsigned(number, 10, 0, w->out - 1, &id, NULL) ? (int32_t)id : -1;
}

/* ---- turning weights spectral ---- */

// the network owns it, as all of its memory
static real *upload_new(struct network *net, const float *values, int64_t count, GError **error)
{
    real *device = network_alloc(net, (size_t)count * sizeof(real), error);

    if (device != NULL) {
        transfer_upload(net->k, device, values, count);
    }
    return device;
}

/* sigma of a norm: element-wise the gain itself; scalar the unit direction and then the length. */
static bool attach_norm(struct network *net, struct weight *w, bool scalar, GError **error)
{
    g_autofree float *gain = network_values(net, w, error);
    double square = 0;

    if (gain == NULL) {
        return false;
    }
    // y = relu(length + shift) * direction, where element-wise is relu(sigma + shift)
    w->scalar = scalar;
    if (!scalar) {
        w->sigma = upload_new(net, gain, w->out, error);
        return w->sigma != NULL;
    }
    for (int i = 0; i < w->out; i++) {
        square += (double)gain[i] * gain[i];
    }
    const double length = sqrt(square);
    g_autofree float *sigma = g_new(float, w->out + 1);
    for (int i = 0; i < w->out; i++) {
        sigma[i] = length > 0 ? (float)(gain[i] / length) : 0;
    }
    sigma[w->out] = (float)length;
    w->sigma = upload_new(net, sigma, w->out + 1, error);
    w->gain = network_alloc(net, sizeof(real), error);
    return w->sigma != NULL && w->gain != NULL;
}

/* One factor on the device, of the type that it is used in. */
static bool attach_factor(struct network *net, enum kernels_type type, struct kernels_weight *f,
                          const float *values, int64_t count, GError **error)
{
    real *full = upload_new(net, values, count, error);

    f->data = full;
    if (full == NULL || type == KERNELS_F32) {
        return full != NULL;
    }
    void *rounded = network_alloc(net, (size_t)count * kernels_size(type), error);
    if (rounded != NULL) {
        net->k->convert(net->k, count, KERNELS_F32, full, type, rounded);
    }
    // both at once only for one factor
    network_release(net, full);
    *f = (struct kernels_weight){.data = rounded, .type = type};
    return rounded != NULL;
}

// u [out, r], s [r], vt [r, columns] on the host only until they are on the device
static bool attach_matrix(struct network *net, struct weight *w, struct spectrum_provider provider,
                          GError **error)
{
    const int64_t columns = weight_columns(w);
    const int r = weight_full_rank(w);
    g_autofree float *u = g_try_new(float, (size_t)w->out *r);
    g_autofree float *s = g_try_new(float, r);
    g_autofree float *vt = g_try_new(float, r *columns);

    if (u == NULL || s == NULL || vt == NULL) {
        return error_failed(
            error, "There is no memory for the spectrum of %s; close other programs.", w->name);
    }
    if (!provider.get(provider.user, w, u, s, vt, error)) {
        return false;
    }
    w->rank = r;
    w->sigma = upload_new(net, s, r, error);
    w->gain = network_alloc(net, (size_t)r * sizeof(real), error);
    // an embedding's U is read row by row, as its table is; all else is multiplied
    if (w->sigma == NULL || w->gain == NULL ||
        !attach_factor(net, w->dense.type, &w->u, u, (int64_t)w->out * r, error) ||
        !attach_factor(net, net->k->weight, &w->vt, vt, r * columns, error)) {
        return false;
    }
    // W is U diag(s) Vt from here on; nobody needs it as it was
    network_release(net, w->dense.data);
    w->dense = (struct kernels_weight){.data = NULL};
    return true;
}

bool shift_attach(struct network *net, struct weight *w, bool scalar,
                  struct spectrum_provider provider, struct parameters *p, GError **error)
{
    g_autofree char *name = shift_name(w);
    const bool norm = w->kind == WEIGHT_NORM;

    if (!(norm ? attach_norm(net, w, scalar, error) : attach_matrix(net, w, provider, error))) {
        return false;
    }
    // the tape's operations do the rest
    w->form = WEIGHT_SPECTRAL;
    parameters_add(p, name, weight_shift_count(w, scalar), norm ? SHIFT_RATE_1D : SHIFT_RATE,
                   &w->shift, &w->dshift);
    return true;
}

/* ---- rows of an embedding ---- */

bool shift_attach_rows(struct network *net, struct weight *w, const int32_t *ids, int n,
                       char *const *names, int rate, struct parameters *p, GError **error)
{
    // the ids are on the device, where rows are gathered and added
    const size_t bytes = (size_t)n * sizeof *ids;

    w->row_ids = network_alloc(net, bytes, error);
    if (w->row_ids == NULL) {
        return false;
    }
    net->k->upload(net->k, w->row_ids, ids, bytes);
    w->rows = n;
    for (int i = 0; i < n; i++) {
        g_autofree char *name = names != NULL ? g_strdup(names[i]) : shift_row_name(w, ids[i]);
        // each a tensor of the file; side by side in memory, so that the first is where all begin
        parameters_add(p, name, w->in, rate, i == 0 ? &w->row : NULL, i == 0 ? &w->drow : NULL);
    }
    return true;
}
