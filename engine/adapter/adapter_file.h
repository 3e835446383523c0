/* adapter_file.h: an adapter file (LoRA and its relatives), opened for one model: which weights it
 * changes, and by what.
 *
 * With scale = strength * alpha / rank, or strength where there is no alpha, W as the model has it
 * [out, in ...] and D the change:
 *
 *   LoRA, LoCon   D = scale * up down; with lora_mid the sum of up[o, p] mid[p, q, ...] down[q, i]
 *   LoHa          D = scale * (w1_a w1_b) o (w2_a w2_b), element by element; each with its t as mid
 *   LoKr          D = scale * w1 (x) w2, the Kronecker product; either may be a product itself
 *   DoRA          D' = strength * (m * (W + D) / |W + D| - W) by rows, or by columns, with D at
 *                 strength 1
 *   OFT           D = strength * (W' - W), the rows or columns of W turned (adapter_rotation.h)
 *   diff, w_norm  D = strength * diff; of biases diff_b, b_norm
 *   Custom Diffusion  D = strength * (W' - W), the file having W'
 *
 * Sources: lycoris-lora's functional modules, peft's tuners, sd-scripts' networks/oft.py. */
#pragma once

#include "engine/adapter/adapter_module.h"
#include "engine/adapter/adapter_part.h"

enum adapter_kind { ADAPTER_LORA, ADAPTER_LOHA, ADAPTER_LOKR, ADAPTER_ROTATION, ADAPTER_FULL };

// what a file does to one module
struct adapter_change {
    const struct adapter_module *module;
    enum adapter_kind kind;
    const struct safetensors_tensor *parts[ADAPTER_PARTS]; // NULL: it has none
    double scale; // alpha / rank; of rotations the bound (adapter_rotation.h), 0: none
    int block;    // of rotations: the side of a block
    int terms;    // of PEFT's rotations: of its series; 0: all
};

struct adapter;

/* Opens a file for a model, which must outlive it. All of it is looked at: NULL with a
 * sentence for what is no adapter, one of another family of models or of other shapes, a change of
 * which a part is missing, and values that are no numbers. Free with adapter_close. */
struct adapter *adapter_open(const char *path, const struct checkpoint *model, GError **error);
void adapter_close(struct adapter *a); // accepts NULL
typedef struct adapter adapter;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(adapter, adapter_close)

const char *adapter_path(const struct adapter *a);
const struct safetensors *adapter_tensors(const struct adapter *a);

/* What a person should know, one sentence each, NULL-terminated: what of the file is not used, with
 * counts. Belongs to the adapter. */
const char *const *adapter_notices(const struct adapter *a);

/* What it does to the module of a tensor of the model; NULL: nothing. */
const struct adapter_change *adapter_change_of(const struct adapter *a,
                                               const struct model_tensor *t);

// how many modules it changes
guint adapter_changes(const struct adapter *a);

/* The values of a part, newly allocated; NULL with an error. From any thread. */
float *adapter_read(const struct adapter *a, const struct safetensors_tensor *part, GError **error);

/* SHA-256, in hexadecimal, of names, shapes and values of what it does; of one adapter the same
 * whatever else its file says. Belongs to the adapter; NULL with an error. */
const char *adapter_digest(struct adapter *a, GError **error);
