/* network.h: the weights of one network and their memory.
 *
 * A network (UNet, text encoder, autoencoder) is a struct of weights. This keeps the list of all of
 * them in the order of the modules and owns their device memory; reader.h fills them. */
#pragma once

#include "engine/tape/ops.h"

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

/* The values of a frozen weight on the host, in the engine's order [out, kh, kw, in]. Owned by the
 * caller, g_free; NULL with SVDIFF_ERROR_FAILED when there is no memory. */
float *network_values(const struct network *net, const struct weight *w, GError **error);

/* Sets all gains from the shifts, times scale. */
void network_refresh(struct network *net, real scale);
