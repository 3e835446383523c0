/* conditioner.h: makes of texts what the UNet is conditioned on. It owns the text encoders of a
 * model, with whatever is learned of them in their weights, and asks the session's tokenizer; how
 * many encoders a model has, and how their results are put together, is known here alone. */
#pragma once

#include "engine/adapter/embedding_file.h"
#include "engine/network/conditioning.h"
#include "engine/session/session.h"

struct conditioner;

/* Opens the text encoders, their weights from `source` (called with user and the component); NULL:
 * the model's own. words (borrowed): vectors that stand for words of texts; NULL: none. Owned by the
 * caller, NULL with an error. */
struct conditioner *conditioner_create(svdiff *s, component_source source, void *user,
                                       const struct embedding_list *words, GError **error);
void conditioner_free(struct conditioner *c); // accepts NULL

/* The sizes of what a text becomes, and how many token ids it has. */
int conditioner_tokens(const struct conditioner *c);
int conditioner_width(const struct conditioner *c);

// struct text_encoder *, belongs to c
const GPtrArray *conditioner_encoders(const struct conditioner *c);

/* Takes the hidden state of an earlier layer from here on: 1 is the last one, 2 the one before. False with
 * SVDIFF_ERROR_USAGE where there is none. */
bool conditioner_skip(struct conditioner *c, int skip, GError **error);

/* All gains and weights from the shifts (network_refresh). */
void conditioner_refresh(struct conditioner *c);

/* Token ids of a text, [tokens]. What does not fit is cut with a warning. Owned by the caller, NULL
 * with SVDIFF_ERROR_USAGE for invalid UTF-8. */
int32_t *conditioner_ids(const struct conditioner *c, const char *text, GError **error);

/* What n texts with these ids [n, tokens] become: on a tape, or on the host (out is to be cleared
 * by the caller). */
struct text_tensors conditioner_forward(const struct conditioner *c, struct tape *t,
                                        const int32_t *ids, int n);
bool conditioner_encode(const struct conditioner *c, const int32_t *ids, int n,
                        struct conditioning *out, GError **error);

/* The same from the texts themselves. */
bool conditioner_embed(const struct conditioner *c, const char *const *texts, int n,
                       struct conditioning *out, GError **error);

/* What n prompts in the syntax of prompt_parts.h become, of any length: each is as many chunks of
 * conditioner_tokens as the longest needs. To be cleared by the caller; SVDIFF_ERROR_USAGE for what the syntax
 * refuses. */
bool conditioner_embed_prompts(const struct conditioner *c, const char *const *texts, int n,
                               struct conditioning *out, GError **error);
