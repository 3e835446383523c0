/* adapter_export.h: what the files have in common that are written for programs which read LoRA files:
 * kohya's names, the header, and changes that are written as they are.
 *
 * The header says what A1111, ComfyUI, kohya's scripts and readers of ModelSpec look for: which model it is
 * for, what network it is and how it was learned, the words that call it, a small picture, and
 * sshs_model_hash, the SHA-256 of its values, by which A1111 names it. What depends on the day or on the
 * model's file, which was not the same for everyone who learned on it, is left out. */
#pragma once

#include "engine/base/json.h"
#include "engine/subject/merge.h"

/* "lora_unet_mid_block_attentions_0_proj_in", owned by the caller. */
char *adapter_export_module(const struct model_tensor *t);

/* An array of struct safetensors_entry of f32 that owns its names. */
GArray *adapter_entries_create(void);
/* MODULE + LEAF with shape [n_dims], NULL where that is 0: a scalar. */
void adapter_entries_add(GArray *entries, const char *module, const char *leaf, int n_dims,
                         const int64_t *shape);

/* A norm's change: MODULE.w_norm, W' - W, and MODULE.b_norm, zeros, without which A1111 does not know what
 * it is. */
void adapter_entries_add_norm(GArray *entries, const struct model_tensor *t);
bool adapter_export_put_norm(struct safetensors_writer *writer, const struct model_tensor *t,
                             const float *change, GError **error);

/* Whether some subject shifts the tensor, norms in either form, or rows of an embedding. */
bool adapter_export_changes(const struct merge *m, const struct model_tensor *t);

/* W' - W of a tensor of the model, in its own order; owned by the caller, NULL with an error. */
float *adapter_export_change(const struct merge *m, size_t index, GError **error);

/* An object as a text; owned by the caller. */
char *adapter_export_print(JsonObject *object);

/* The header: keys that are in order there whatever the order here. */
struct adapter_header;
struct adapter_about {
    const struct subject *subject; // whose texts it carries; NULL: there are several
    const char *base;              // what the model is called
    const char *kind;              // ModelSpec's word for what it is: "lora", "textual-inversion"
    const char *title;   // what the file is called where the subject has no word of its own
    const char *comment; // what it is
};
struct adapter_header *adapter_header_create(const svdiff *s, const struct adapter_about *about);
/* The same with the words of the only subject that is put into the model, if it is one. */
struct adapter_header *adapter_header_of_merge(const struct merge *m, const char *base,
                                               const char *comment);
void adapter_header_add(struct adapter_header *h, const char *key, const char *text);
void adapter_header_free(struct adapter_header *h); // accepts NULL
typedef struct adapter_header adapter_header;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(adapter_header, adapter_header_free)

/* Begins the file with this header. */
struct safetensors_writer *adapter_header_begin(struct adapter_header *h, const char *output,
                                                const GArray *entries, GError **error);

/* How many bytes that file has. */
uint64_t adapter_header_measure(struct adapter_header *h, const GArray *entries);
