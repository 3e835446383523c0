/* reference.h: the reference C of every compute entry, by noun. Each call fills the entries of its
 * noun; reference_fill calls them all. Every table begins with it and overwrites what it has
 * faster. */
#pragma once

#include "kernels/kernels.h"

// all compute entries; the memory entries, name and device stay as they are
void reference_fill(kernels *k);

void reference_fill_gemm(kernels *k);
void reference_fill_linear(kernels *k);
void reference_fill_conv(kernels *k);
void reference_fill_groupnorm(kernels *k);
void reference_fill_layernorm(kernels *k);
void reference_fill_attention(kernels *k);
void reference_fill_activation(kernels *k);
void reference_fill_elementwise(kernels *k);
void reference_fill_resample(kernels *k);
void reference_fill_spectral(kernels *k);
void reference_fill_embedding(kernels *k);
void reference_fill_optimizer(kernels *k);
void reference_fill_unmix(kernels *k);
void reference_fill_latents(kernels *k);
void reference_fill_normals(kernels *k);
