/* adapter_part.h: which part of a weight's change a tensor of an adapter file is, by its name.
 *
 *   lora_unet_mid_block_attentions_0_proj_in.lora_down.weight   kohya, LyCORIS
 *   unet.mid_block.attentions.0.proj_in.lora_A.weight           PEFT, diffusers from 0.17 on
 *   unet.mid_block.attentions.0.proj_in.lora.down.weight        diffusers, converted
 *   mid_block....attn1.processor.to_q_lora.down.weight          diffusers until 0.16
 *
 * all end in what means ADAPTER_DOWN; what stands before is the module's name in some spelling
 * (adapter_module.h). The endings are those of formats that diffusers, peft, lycoris-lora, kohya's
 * sd-scripts and ComfyUI write. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum adapter_part {
    ADAPTER_DOWN, // [r, in ...]
    ADAPTER_UP,   // [out, r]
    ADAPTER_MID,  // [r, r, kh, kw] between them
    ADAPTER_BIAS, // [out] of the up product, scaled as it is
    ADAPTER_HADA_W1_A,
    ADAPTER_HADA_W1_B,
    ADAPTER_HADA_W2_A,
    ADAPTER_HADA_W2_B,
    ADAPTER_HADA_T1,
    ADAPTER_HADA_T2,
    ADAPTER_LOKR_W1,
    ADAPTER_LOKR_W1_A,
    ADAPTER_LOKR_W1_B,
    ADAPTER_LOKR_W2,
    ADAPTER_LOKR_W2_A,
    ADAPTER_LOKR_W2_B,
    ADAPTER_LOKR_T2,
    ADAPTER_OFT,       // LyCORIS' and kohya's blocks [k, n, n] of rotations of rows
    ADAPTER_OFT_PEFT,  // PEFT's [k, n (n - 1) / 2], of columns
    ADAPTER_RESCALE,   // [out, 1 ...] what the rotated rows are multiplied by
    ADAPTER_MAGNITUDE, // PEFT's DoRA: the length of each row
    ADAPTER_DORA,      // LyCORIS' dora_scale: of rows [out, 1 ...] or columns [1, in ...]
    ADAPTER_DIFF,      // added to the weight as it is
    ADAPTER_DIFF_BIAS, // added to the bias as it is
    ADAPTER_WHOLE,     // the weight itself, as diffusers' Custom Diffusion has it
    ADAPTER_ALPHA,
    ADAPTER_PARTS // how many there are
};

/* Which part a tensor of this name is, and the name of its module, owned by the caller. False where
 * the ending is none of those. */
bool adapter_part_of(const char *name, enum adapter_part *part, char **module);
