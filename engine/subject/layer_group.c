/* Groups of layers; see layer_group.h. */
#include "engine/subject/layer_group.h"

#include <string.h>

// in the order of the enum; of each half the last has what is in none before it
static const struct {
    const char *name, *pattern, *other;
} groups[LAYER_GROUPS] = {
    [LAYERS_ALL] = {"all layers", "", ""},
    [LAYERS_TEXT] = {"text encoder", "text_model.", "text_model."},
    [LAYERS_DOWN] = {"UNet down", "down_blocks.", "down_blocks."},
    [LAYERS_MID] = {"UNet mid", "mid_block.", "mid_block."},
    [LAYERS_UP] = {"UNet up", "up_blocks.", "up_blocks."},
    [LAYERS_ENDS] = {"UNet ends", "", ""},
    [LAYERS_SELF] = {"self-attention", ".attn1.", ".self_attn."},
    [LAYERS_CROSS] = {"cross-attention", ".attn2.", ".attn2."},
    [LAYERS_FORWARD] = {"feed-forward", ".ff.", ".mlp."},
    [LAYERS_NORMS] = {"norms", "norm", "norm"},
    [LAYERS_CONVS] = {"convolutions", "conv", "conv"},
    [LAYERS_OTHER] = {"other layers", "", ""},
};

const char *layer_group_name(enum layer_group g)
{
    return groups[g].name;
}

// from a group on, the first that it is in
static enum layer_group first_of(enum layer_group g, const char *shift)
{
    while (strstr(shift, groups[g].pattern) == NULL && strstr(shift, groups[g].other) == NULL) {
        g++;
    }
    return g;
}

enum layer_group layer_group_place(const char *shift)
{
    return first_of(LAYERS_TEXT, shift);
}

enum layer_group layer_group_kind(const char *shift)
{
    return first_of(LAYERS_SELF, shift);
}
