/* Weights become spectral; see spectral.h. */
#include "engine/network/spectral.h"

#include "engine/base/error.h"
#include "engine/tape/transfer.h"

#include <math.h>

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

bool spectral_attach(struct network *net, struct weight *w, bool scalar,
                     struct spectrum_provider provider, GError **error)
{
    const bool norm = w->kind == WEIGHT_NORM;

    if (!(norm ? attach_norm(net, w, scalar, error) : attach_matrix(net, w, provider, error))) {
        return false;
    }
    // the tape's operations do the rest
    w->form = WEIGHT_SPECTRAL;
    return true;
}
