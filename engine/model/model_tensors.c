/* The tensors of a model, by name and shape; see model_tensors.h. */
#include "engine/model/model_tensors.h"

#include "engine/network/autoencoder.h"
#include "engine/network/text_encoder.h"
#include "engine/network/unet.h"

#include <string.h>

// what the reader of a network tells add_tensor to fill
struct list {
    GPtrArray *tensors;
    enum model_component component;
};

const char *model_component_folder(enum model_component component)
{
    static const char *const names[] = {"unet", "text_encoder", "vae"};

    return names[component];
}

const char *model_component_title(enum model_component component)
{
    static const char *const names[] = {"UNet", "text encoder", "autoencoder"};

    return names[component];
}

int64_t model_tensor_values(const struct model_tensor *tensor)
{
    int64_t values = 1;

    for (int i = 0; i < tensor->n_dims; i++) {
        values *= tensor->shape[i];
    }
    return values;
}

struct weight model_tensor_weight(const struct model_tensor *tensor)
{
    const bool kernel = tensor->n_dims == 4;

    return (struct weight){.name = tensor->module,
                           .kind = tensor->kind,
                           .out = (int)tensor->shape[0],
                           .in = tensor->n_dims > 1 ? (int)tensor->shape[1] : 1,
                           .kh = kernel ? (int)tensor->shape[2] : 1,
                           .kw = kernel ? (int)tensor->shape[3] : 1};
}

// the list owns its tensors with their names
static void free_tensor(void *data)
{
    struct model_tensor *tensor = data;

    g_free(tensor->name);
    g_free(tensor->module);
    g_free(tensor);
}

// name and shape are the reader's and gone when it returns: copied
static void add_tensor(void *user, const struct weight *w, const char *name, const int64_t *shape,
                       int n_dims)
{
    const struct list *l = user;
    struct model_tensor *tensor = g_new0(struct model_tensor, 1);

    tensor->component = l->component;
    tensor->name = g_strdup(name);
    tensor->module = g_strdup(w->name);
    tensor->kind = w->kind;
    tensor->n_dims = n_dims;
    memcpy(tensor->shape, shape, (size_t)n_dims * sizeof *shape);
    // biases have no spectrum, and the autoencoder never learns
    tensor->shifts = l->component != MODEL_VAE && g_str_has_suffix(name, ".weight");
    g_ptr_array_add(l->tensors, tensor);
}

static struct list begin(enum model_component component)
{
    return (struct list){g_ptr_array_new_with_free_func(free_tensor), component};
}

GPtrArray *model_tensors_of_unet(const struct unet_config *config)
{
    struct list l = begin(MODEL_UNET);

    // with a source that lists, a network needs no device, takes no memory and cannot fail
    unet_free(
        unet_create(NULL, config, (struct weight_source){.list = add_tensor, .user = &l}, NULL));
    return l.tensors;
}

GPtrArray *model_tensors_of_text_encoder(const struct text_config *config)
{
    struct list l = begin(MODEL_TEXT_ENCODER);

    text_encoder_free(text_encoder_create(
        NULL, config, (struct weight_source){.list = add_tensor, .user = &l}, NULL));
    return l.tensors;
}

GPtrArray *model_tensors_of_vae(const struct vae_config *config)
{
    struct list l = begin(MODEL_VAE);

    // both halves: a file has them whatever a run reads
    autoencoder_free(autoencoder_create(NULL, config, AUTOENCODER_ENCODER | AUTOENCODER_DECODER,
                                        (struct weight_source){.list = add_tensor, .user = &l},
                                        NULL));
    return l.tensors;
}
