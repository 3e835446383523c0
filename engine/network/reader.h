/* reader.h: how a network's weights come from a model's tensors.
 *
 * A network's own file names its weights one after the other; each gets its memory and its place in
 * the network's list at once. Their values are read at the end, on several threads, some rows of a
 * tensor at a time. */
#pragma once

#include "engine/network/network.h"

/* Where weights come from. read writes the tensor `name` (a diffusers or transformers key such as
 * "conv_in.weight") as floats in PyTorch's order; shape must be what the model has. It is called
 * from several threads at once, unless `serial`. NULL, for the counting device: nothing is read. */
struct weight_source {
    bool (*read)(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                 GError **error);
    /* The same for n values from the value `first` on. NULL: only whole tensors are there to be
     * read, which takes memory for the largest of them. */
    bool (*read_part)(void *user, const char *name, const int64_t *shape, int n_dims, int64_t first,
                      int64_t n, float *out, GError **error);
    /* Not NULL: instead of being read, each tensor of the weight w, which has no values, is told.
     * Needs no device and no memory: what a network is made of (model_tensors.h). */
    void (*list)(void *user, const struct weight *w, const char *name, const int64_t *shape,
                 int n_dims);
    void *user;
    bool serial;
};

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
 * as stored: linear [out, in]; conv, and patches, which has no bias, [out, in, kernel, kernel]; norm
 * [c]; embedding [vocabulary, width]; row, an embedding of one that is stored alone, [width]. Weights are stored in the device's precision, norms and embeddings always
 * as reals. */
void read_linear(struct reader *r, struct weight *w, int in, int out, bool bias, const char *name,
                 ...) G_GNUC_PRINTF(6, 7);
void read_conv(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
               ...) G_GNUC_PRINTF(6, 7);
void read_patches(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
                  ...) G_GNUC_PRINTF(6, 7);
void read_norm(struct reader *r, struct norm *norm, int c, int groups, double epsilon,
               const char *name, ...) G_GNUC_PRINTF(6, 7);
void read_embedding(struct reader *r, struct weight *w, int vocabulary, int width, const char *name,
                    ...) G_GNUC_PRINTF(5, 6);
void read_row(struct reader *r, struct weight *w, int width, const char *name, ...)
    G_GNUC_PRINTF(4, 5);
