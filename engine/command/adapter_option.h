/* adapter_option.h: the adapters that a command line asks for: --lora FILE[:STRENGTH], and in texts
 * <lora:NAME[:STRENGTH]>, as prompts of other programs have them; and --embedding FILE[=WORD]. */
#pragma once

#include "engine/base/output_guard.h"
#include "engine/command/given.h"
#include "engine/svdiff.h"

struct adapter_options {
    GArray *all;        // struct svdiff_adapter; the files' names are owned
    GArray *embeddings; // struct svdiff_embedding; their texts are owned
};

// those of --lora and, where `words`, of --embedding
struct adapter_options adapter_options_take(const struct given *g, bool words);
void adapter_options_finish(struct adapter_options *o); // accepts a zeroed one

// the list, which belongs to o, and how many
const struct svdiff_adapter *adapter_options_list(const struct adapter_options *o);
int adapter_options_count(const struct adapter_options *o);

// the same of embeddings
const struct svdiff_embedding *adapter_options_words(const struct adapter_options *o, int *n);

// they are read
void adapter_options_guard(const struct adapter_options *o, output_guard *guard);

/* Takes the marks out of a text, which is replaced. One names an adapter of --lora, whose strength it
 * may set, or a file in the user's folder, which is added. Returns the bits 1 << i of those that are
 * named. *missing: the first name that is nowhere, owned by the caller, or NULL; its mark is taken
 * out, too. */
uint64_t adapter_options_marks(struct adapter_options *o, char **text, char **missing);

/* " <lora:style:0.8>" for each whose bit 1 << i is set, as programs of Stable Diffusion have it behind
 * a prompt. Owned by the caller. */
char *adapter_options_text(const struct svdiff_adapter *list, int n, uint64_t bits);

/* ", VAE: other.safetensors, Embeddings: glow.pt=glow": what else was brought along, without folders. ""
 * for nothing. Owned by the caller. */
char *adapter_options_files(const char *vae, const struct svdiff_embedding *embeddings, int n);
