/* What a dialog works on; see dialog_target.h. */
#include "plugin/dialog_target.h"

#include "plugin/words.h"

#include "engine/base/error.h"

void dialog_target_set(struct dialog_target *t, host_image image, const host_item *layers, int n)
{
    // copied before the old ones go: they may be the same array
    host_item *copy = g_memdup2(layers, (gsize)n * sizeof *layers); // NULL for none

    g_free((host_item *)t->call.layers);
    t->call.image = image;
    t->call.layers = copy;
    t->call.n_layers = n;
}

void dialog_target_init(struct dialog_target *t, const struct procedure *p,
                        const struct call *chosen)
{
    *t = (struct dialog_target){.procedure = p};
    dialog_target_set(t, chosen->image, chosen->layers, chosen->n_layers);
}

void dialog_target_clear(struct dialog_target *t)
{
    g_free((host_item *)t->call.layers);
    *t = (struct dialog_target){0};
}

bool dialog_target_update(struct dialog_target *t, GError **error)
{
    // neither image nor layer is asked for
    if (t->procedure->input == INPUT_NONE) {
        return true;
    }
    if (!host_image_exists(t->call.image)) {
        return error_usage(
            error, _("The image was closed; choose the menu's entry in the window of another."));
    }
    g_autoptr(GArray) layers =
        host_chosen_layers(t->call.image, t->procedure->input == INPUT_LAYERS);
    // a layer that was deleted is not kept
    const bool before = t->call.n_layers > 0 && host_is_layer_of(t->call.layers[0], t->call.image);
    if (layers->len > 0 || !before) { // while a channel is painted, the layer that was chosen stays
        dialog_target_set(t, t->call.image, (const host_item *)layers->data, (int)layers->len);
    }
    return true;
}
