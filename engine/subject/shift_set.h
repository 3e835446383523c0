/* shift_set.h: which weights of a network get a spectral shift, and turning them spectral.
 *
 * Subsets are the paper's (table 1): 1-D are the gains of norms, 2-D linear layers and embeddings,
 * 4-D convolutions; CA is cross-attention (attn2), KV its keys and values; up, down, mid are the
 * UNet's blocks. Names of shifts are svdiff-pytorch's: MODULE.delta. */
#pragma once

#include "engine/network/network.h"
#include "engine/network/spectrum_provider.h"
#include "engine/svdiff.h"

/* Whether w (of the UNet) belongs to the subset. */
bool shift_subset_has(enum shift_subset s, const struct weight *w);

/* "down_blocks.0....to_q.delta". Owned by the caller. */
char *shift_name(const struct weight *w);

/* "...embeddings.token_embedding.row.ID.delta": what row `id` of an embedding has learned
 * beside the shift of the whole table. parse: the row that a name of w's rows means, or -1. */
char *shift_row_name(const struct weight *w, int32_t id);
int32_t shift_row_parse(const struct weight *w, const char *name);

enum { SHIFT_RATE = 0, SHIFT_RATE_1D = 1, SHIFT_RATE_ROWS = 2 }; // indices of the learning rates

/* Makes w spectral: factors to the device, W released, its shift registered with p. */
bool shift_attach(struct network *net, struct weight *w, bool scalar,
                  struct spectrum_provider provider, struct parameters *p, GError **error);

/* Lets n rows of an embedding learn, none of them twice, and registers them with p: under these names, or, with
 * names NULL, as shift_row_name has them, and with this rate. */
bool shift_attach_rows(struct network *net, struct weight *w, const int32_t *ids, int n,
                       char *const *names, int rate, struct parameters *p, GError **error);
