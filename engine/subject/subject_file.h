/* subject_file.h: what was learned, in memory and as a file.
 *
 * A subject is a list of shifts, each for one weight of a model, and texts about them:
 *
 *   conv_in.delta                                          [min(out, columns)]  of the UNet
 *   down_blocks.0.attentions.0.norm.delta                  [c] element-wise, or [1] scalar
 *   text_model.encoder.layers.0.self_attn.q_proj.delta     of the text encoder
 *
 * These are svdiff-pytorch's names; in memory and in our files they all stand together, UNet
 * without a prefix, text encoder with `text_model.`. Two kinds of files are read: ours, one file
 * with metadata, and svdiff-pytorch's, one file for the UNet and one for the text encoder in a
 * folder, without metadata. Either's names may carry `unet.` or `text_encoder.` or lack
 * `text_model.`. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// the files of svdiff-pytorch's folder
#define SUBJECT_FILE_UNET "spectral_shifts.safetensors"
#define SUBJECT_FILE_TEXT "spectral_shifts_te.safetensors"

// what every file of ours says of itself
#define SUBJECT_KEY_FORMAT  "format"
#define SUBJECT_KEY_VERSION "version"
#define SUBJECT_FORMAT      "svdiff"
#define SUBJECT_VERSION     2
// the adapters that it was learned on top of (adapter_list_text); files with them are of version 2
#define SUBJECT_KEY_ADAPTERS "adapters"

struct subject;

// without shifts and texts; free with subject_free
struct subject *subject_create(void);

// NULL is allowed
void subject_free(struct subject *s);
typedef struct subject subject_file;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(subject_file, subject_free)

/* Reads a subject file or svdiff-pytorch's folder. NULL with a sentence for what cannot be read, a
 * LoRA or a model in place of a subject, a shift that is no list of numbers, not finite or there
 * twice, and for files of a later version. Tensors that are no shifts are left out with a notice.
 */
struct subject *subject_open(const char *path, GError **error);

/* What the user should be told after opening: sentences, NULL-terminated, owned by the subject. */
const char *const *subject_notices(const struct subject *s);

/* Copies values[count] under a name; a shift of this name is replaced. */
void subject_set_shift(struct subject *s, const char *name, const float *values, int count);

/* The values of a shift and how many, owned by the subject; NULL when there is none. */
const float *subject_shift(const struct subject *s, const char *name, int *count);

/* All names, sorted bytewise, NULL-terminated; the caller frees the list (g_free), not the names.
 */
const char **subject_names(const struct subject *s);

/* Texts about the subject. A NULL value removes the key. subject_metadata: NULL when absent. */
void subject_set_metadata(struct subject *s, const char *key, const char *value);
const char *subject_metadata(const struct subject *s, const char *key);
/* A text of subject `number` of the file, from 1: KEY of the first, KEY.2 of the second ... */
void subject_set_numbered(struct subject *s, const char *key, int number, const char *value);
const char *subject_numbered(const struct subject *s, const char *key, int number);
// all keys, sorted, as subject_names
const char **subject_metadata_keys(const struct subject *s);

// "text_model." begins the names of the text encoder's shifts
bool subject_name_is_text(const char *name);
/* Whether a shift is that of a norm with a value per channel, by its name and length. */
bool subject_is_elementwise(const char *name, int count);
/* Whether it is what one row of an embedding learned for itself, by its name (shift_row_name). */
bool subject_is_row(const char *name);

/* Writes one file, whole or not at all: shifts as f32 by name, texts by key, format and version. */
bool subject_write(const struct subject *s, const char *path, GError **error);

/* How many bytes that file has. */
uint64_t subject_measure(const struct subject *s);

// what svdiff-pytorch has no place for
struct subject_left_out {
    int tensors; // element-wise shifts of norms
    int64_t values;
    double share; // of the squared norm of all shifts
    int rows;     // of embeddings
};

/* Writes svdiff-pytorch's folder (made when missing): the values unchanged, no texts, the second
 * file only when the text encoder has shifts. Element-wise shifts of norms and rows of embeddings
 * are left out. False with a sentence when nothing would be left or a file cannot be written. */
bool subject_write_folder(const struct subject *s, const char *folder, struct subject_left_out *out,
                          GError **error);
