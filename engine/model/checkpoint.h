/* checkpoint.h: a Stable Diffusion 1.x or 2.x model on disk, whatever its layout.
 *
 *   a diffusers folder: model_index.json and unet/, text_encoder/, vae/, scheduler/, tokenizer/
 *   a single NAME.safetensors in the CompVis layout; its configs and tokenizer come from
 *   NAME.config/ beside it, laid out as such a folder, and for what is not there from the constants
 *   of SD 1.x and 2.x
 *
 * Opening reads the configs and the headers and finds every tensor the configs ask for: what is
 * missing, of another shape or of an unusable type is told then, before any work. Values are read
 * one tensor at a time into the caller's memory. Names are those that the networks give their
 * weights (model_tensors.h). A model may be read from several threads. */
#pragma once

#include "engine/model/model_tensors.h"
#include "engine/base/safetensors.h"
#include "engine/model/schedule_config.h"

struct checkpoint;

/* Opens a model. NULL with a sentence. Free with checkpoint_close. */
struct checkpoint *checkpoint_open(const char *path, GError **error);

/* The same with the autoencoder of another path: a file that holds it alone or among other networks,
 * under diffusers' names or CompVis', or a diffusers folder of it or of a whole model. NULL: the
 * model's own. */
struct checkpoint *checkpoint_open_with(const char *path, const char *vae, GError **error);

// NULL is allowed
void checkpoint_close(struct checkpoint *model);
typedef struct checkpoint checkpoint;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(checkpoint, checkpoint_close)

const char *checkpoint_path(const struct checkpoint *model);
// true: one file; false: a folder
bool checkpoint_is_single(const struct checkpoint *model);
// the folder of its configs, the model's own or NAME.config, which need not exist
const char *checkpoint_config_folder(const struct checkpoint *model);

const struct unet_config *checkpoint_unet_config(const struct checkpoint *model);
const struct text_config *checkpoint_text_config(const struct checkpoint *model);
const struct vae_config *checkpoint_vae_config(const struct checkpoint *model);
const struct schedule_config *checkpoint_schedule_config(const struct checkpoint *model);

/* What the network predicts, when the person knows better than the file; the size of pictures
 * follows where that was inferred with it. */
void checkpoint_set_prediction(struct checkpoint *model, enum prediction_type type);
// whether the model has a config that says what it predicts; else it was inferred from the weights
bool checkpoint_says_prediction(const struct checkpoint *model);

/* The model's own folder with a tokenizer, which belongs to the model; NULL when it has none. */
const char *checkpoint_tokenizer(const struct checkpoint *model);

/* What is remarkable and no error, one sentence each, NULL-terminated: tensors that no network
 * asks for. Belongs to the model. */
const char *const *checkpoint_notices(const struct checkpoint *model);

// all tensors of the networks, in the order of the modules; they belong to the model
size_t checkpoint_count(const struct checkpoint *model);
const struct model_tensor *checkpoint_at(const struct checkpoint *model, size_t index);

// how its values are stored: by another name, shape and type, or as a third of a joined tensor
const struct safetensors_tensor *checkpoint_stored(const struct checkpoint *model, size_t index);

// the tensor of this name; NULL: the component has none
const struct model_tensor *checkpoint_find(const struct checkpoint *model,
                                           enum model_component component, const char *name);

/* All values of one tensor, as floats, into `out`. `shape` is what the caller expects; a linear
 * weight may be asked for as a kernel of 1x1 and the other way round. False with a sentence when
 * there is no such tensor, its shape is another, a value is infinite or NaN, or the file was
 * changed meanwhile. */
bool checkpoint_read(const struct checkpoint *model, enum model_component component,
                     const char *name, const int64_t *shape, int n_dims, float *out,
                     GError **error);

// the same for `n` values from the value `first` on
bool checkpoint_read_values(const struct checkpoint *model, enum model_component component,
                            const char *name, const int64_t *shape, int n_dims, int64_t first,
                            int64_t n, float *out, GError **error);

/* `n` values from `first` on, of the tensor checkpoint_at(model, index); checked as above. */
bool checkpoint_read_part(const struct checkpoint *model, size_t index, int64_t first, int64_t n,
                          float *out, GError **error);

// the same as they are stored, in the type of checkpoint_stored, nothing checked or multiplied
bool checkpoint_read_stored(const struct checkpoint *model, size_t index, int64_t first, int64_t n,
                            void *out, GError **error);

// as floats are, rounded to f16, as they are stored where that is their type
bool checkpoint_read_f16_part(const struct checkpoint *model, size_t index, int64_t first,
                              int64_t n, uint16_t *out, GError **error);

/* Who the files are: device, inode, size and time of each, and the names and shapes that the
 * configs ask for, as a SHA-256 in hexadecimal. Two runs on the same untouched files get the same;
 * nothing is read for it. For what is remembered about a model. The caller frees it. */
char *checkpoint_identity(const struct checkpoint *model);
