/* adapter_alpha.h: the alphas of files that do not have them as tensors: PEFT's settings, which lie
 * in the header (lora_adapter_metadata, diffusers from 0.34 on) or in adapter_config.json beside
 * adapter_model.safetensors (.bin), as PEFT calls both.
 *
 *   r, lora_alpha (alpha of LoHa and LoKr), alpha_pattern: {module: alpha}, use_rslora
 *   use_cayley_neumann (true), num_cayley_neumann_terms (5), coft (false), eps (6e-5) of rotations
 *
 * In the header each key may have the component before it, "unet.lora_alpha". */
#pragma once

#include "engine/base/safetensors.h"

struct adapter_alphas;

/* NULL without an error where there are none; with one where they cannot be read. */
struct adapter_alphas *adapter_alphas_read(const struct safetensors *file, GError **error);
void adapter_alphas_free(struct adapter_alphas *a); // accepts NULL
typedef struct adapter_alphas adapter_alphas;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(adapter_alphas, adapter_alphas_free)

/* alpha / rank of a module, by its name in the file; 1 where they say nothing (a is NULL). */
double adapter_alphas_scale(const struct adapter_alphas *a, const char *module, int64_t rank);

/* The rank that they say a module has, which of Kronecker products is seen in no shape where both
 * factors are whole; `found` where they say nothing. */
int64_t adapter_alphas_rank(const struct adapter_alphas *a, const char *module, int64_t found);

/* How PEFT turns a module's rotations (adapter_change.terms), and of its constrained kind (coft) how far
 * (adapter_change.scale; 0: any). False with a sentence for a constraint that is none. path: for the
 * sentence. */
bool adapter_alphas_rotation(const struct adapter_alphas *a, const char *module, const char *path,
                             int *terms, double *bound, GError **error);
