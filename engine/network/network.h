/* network.h: the weights of one network, their memory, and how they are read.
 *
 * A network (UNet, text encoder, autoencoder) is a struct of weights. This keeps the list of all of
 * them in the order of the modules, owns their device memory, and has the readers with which the
 * networks' own files fill their structs from a model's tensors. */
#pragma once

#include "engine/tape/ops.h"

/* Where weights come from. read writes the tensor `name` (a diffusers or transformers key such as
 * "conv_in.weight") as floats in PyTorch's order; shape must be what the model has. It is called
 * from several threads at once, unless `serial`. NULL, for the counting device: nothing is read. */
struct weight_source {
    bool (*read)(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                 GError **error);
    /* Not NULL: instead of being read, each tensor of the weight w, which has no values, is told.
     * Needs no device and no memory: what a network is made of (model_tensors.h). */
    void (*list)(void *user, const struct weight *w, const char *name, const int64_t *shape,
                 int n_dims);
    void *user;
    bool serial;
};

struct network {
    const kernels *k;   // borrowed
    GPtrArray *weights; // struct weight *, norms included, in module order; they lie in the network
    GHashTable *memory; // device address -> bytes
    const char *title;  // for messages: "UNet"
};

void network_init(struct network *net, const kernels *k, const char *title);
void network_finish(struct network *net); // releases all device memory; accepts a zeroed one

/* Device memory owned by the network, zeroed. NULL with SVDIFF_ERROR_FAILED. */
void *network_alloc(struct network *net, size_t bytes, GError **error);
void network_release(struct network *net, const void *memory); // accepts NULL
// of all of its device memory
size_t network_bytes(const struct network *net);

/* One run over the tensors of a network, whose memory is taken as they are named; they are read all
 * at once at the end. The first failure sticks: later reads do nothing. */
struct reader {
    struct network *net;
    struct weight_source source;
    GError **error;
    bool failed;
    GArray *readings; // struct reading: what is still to be read; NULL: nothing so far
};

/* Reads what was named, on several threads. False where that or anything before failed. */
bool read_end(struct reader *r);

/* Each fills w for the module `name` (printf-like) and appends it to the network's list. The shapes
 * as stored: linear [out, in]; conv [out, in, kernel, kernel]; norm [c]; embedding
 * [vocabulary, width]. Weights are stored in the device's precision, norms and embeddings always
 * as reals. */
void read_linear(struct reader *r, struct weight *w, int in, int out, bool bias, const char *name,
                 ...) G_GNUC_PRINTF(6, 7);
void read_conv(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
               ...) G_GNUC_PRINTF(6, 7);
void read_norm(struct reader *r, struct norm *norm, int c, int groups, double epsilon,
               const char *name, ...) G_GNUC_PRINTF(6, 7);
void read_embedding(struct reader *r, struct weight *w, int vocabulary, int width, const char *name,
                    ...) G_GNUC_PRINTF(5, 6);

/* The values of a frozen weight on the host, in the engine's order [out, kh, kw, in]. Owned by the
 * caller, g_free; NULL with SVDIFF_ERROR_FAILED when there is no memory. */
float *network_values(const struct network *net, const struct weight *w, GError **error);

/* Sets all gains from the shifts, times scale. */
void network_refresh(struct network *net, real scale);
