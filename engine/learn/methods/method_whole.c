/* Weights that learn themselves, W and where there is one the bias.
 *
 * What they are at first stays beside them: the prior's teacher computes with that, and differences are to it.
 * Tensors that learn: MODULE.weight, MODULE.bias. */
#include "engine/learn/methods/method.h"

#include "engine/subject/shift_set.h"

bool method_attach_whole(struct learner *l, const struct svdiff_learn_options *o,
                         struct network *net, struct weight *w, struct model_spectrum *spectrum,
                         GError **error)
{
    const enum kernels_type type = w->dense.type;
    const int64_t count = weight_count(w);
    g_autofree char *value = g_strconcat(w->name, ".weight", NULL);
    g_autofree char *bias = g_strconcat(w->name, ".bias", NULL);

    w->form = WEIGHT_FULL;
    w->base = w->dense;
    w->used.type = type;
    if (type != KERNELS_F32 &&
        (w->used.data = network_alloc(net, (size_t)count * kernels_size(type), error)) == NULL) {
        return false;
    }
    parameters_add(l->parameters, value, count, SHIFT_RATE, &w->value, &w->dvalue);
    if (w->kind == WEIGHT_CONV) {
        parameters_add_kernel(l->parameters, w->kh * w->kw, w->in);
    }
    w->bias_base = w->bias;
    if (w->bias != NULL) {
        parameters_add(l->parameters, bias, w->out, SHIFT_RATE, &w->bias_value, &w->dbias);
    }
    return true;
}

void method_put_base(const kernels *k, const struct weight *w, real *value, real *bias)
{
    k->convert(k, weight_count(w), w->base.type, w->base.data, KERNELS_F32, value);
    if (bias != NULL) {
        k->copy(k, bias, w->bias_base, (size_t)w->out * sizeof *bias);
    }
}

static void begin_network(const struct learner *l, const struct network *net)
{
    for (guint i = 0; i < net->weights->len; i++) {
        const struct weight *w = net->weights->pdata[i];
        if (w->form == WEIGHT_FULL) {
            method_put_base(l->session->k, w, w->value, w->bias_value);
        }
    }
}

void method_begin_whole(struct learner *l, const struct lesson *lesson)
{
    const GPtrArray *encoders = conditioner_encoders(l->conditioner);

    begin_network(l, unet_network(l->unet));
    for (guint i = 0; i < encoders->len; i++) {
        begin_network(l, text_encoder_network(encoders->pdata[i]));
    }
}
