/* Names of tensors in the CompVis layout; see compvis.h.
 *
 * With L layers per block and blocks counted from 0 (formulas checked against the key tables of
 * SD 1, SD 2 and SDXL):
 *   down_blocks.i.resnets.j      input_blocks.{(L+1)i+j+1}.0      attentions.j: .1
 *   down_blocks.i.downsamplers   input_blocks.{(L+1)(i+1)}.0.op
 *   up_blocks.i.resnets.j        output_blocks.{(L+1)i+j}.0       attentions.j: .1
 *   up_blocks.i.upsamplers       output_blocks.{(L+1)i+L}.{2, or 1 without attention}.conv */
#include "engine/model/compvis.h"

#include "engine/network/text_encoder.h"

#include <stdio.h>
#include <string.h>

// how a part of a name begins in either layout
struct pair {
    const char *diffusers, *compvis;
};

static const struct pair unet_outside[] = {
    {"time_embedding.linear_1.", "time_embed.0."},
    {"time_embedding.linear_2.", "time_embed.2."},
    {"conv_in.", "input_blocks.0.0."},
    {"conv_norm_out.", "out.0."},
    {"conv_out.", "out.2."},
    {"mid_block.attentions.0.", "middle_block.1."},
};

// a residual block is a list of layers in CompVis, counted with those that have no weights
static const struct pair unet_residual[] = {
    {"norm1.", "in_layers.0."},          {"conv1.", "in_layers.2."},
    {"time_emb_proj.", "emb_layers.1."}, {"norm2.", "out_layers.0."},
    {"conv2.", "out_layers.3."},         {"conv_shortcut.", "skip_connection."},
};

// other words than the UNet's for the same parts
static const struct pair vae_inside[] = {
    {"conv_shortcut.", "nin_shortcut."},
    {"group_norm.", "norm."},
    {"to_q.", "q."},
    {"to_k.", "k."},
    {"to_v.", "v."},
    {"to_out.0.", "proj_out."},
};

static const struct pair vae_outside[] = {
    {"conv_norm_out.", "norm_out."},
    {"mid_block.resnets.0.", "mid.block_1."},
    {"mid_block.resnets.1.", "mid.block_2."},
    {"mid_block.attentions.0.", "mid.attn_1."},
};

// without query, key and value, which are joined there
static const struct pair openclip_layer[] = {
    {"layer_norm1.", "ln_1."},
    {"layer_norm2.", "ln_2."},
    {"mlp.fc1.", "mlp.c_fc."},
    {"mlp.fc2.", "mlp.c_proj."},
    {"self_attn.out_proj.", "attn.out_proj."},
};

static const struct pair openclip_outside[] = {
    {"embeddings.token_embedding.weight", "token_embedding.weight"},
    {"embeddings.position_embedding.weight", "positional_embedding"},
    {"final_layer_norm.", "ln_final."},
};

// `before`, then `name` with the first of the pairs that begins it replaced; or as it is
static char *replace_start(const char *before, const char *name, const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (g_str_has_prefix(name, pairs[i].diffusers)) {
            return g_strconcat(before, pairs[i].compvis, name + strlen(pairs[i].diffusers), NULL);
        }
    }
    return g_strconcat(before, name, NULL);
}

/* Reads "SIDE.i.KIND.j." at the start of `name`; the rest is what follows. */
static const char *read_place(const char *name, const char *side, int *i, char kind[16], int *j)
{
    int used = 0;

    if (!g_str_has_prefix(name, side) ||
        sscanf(name + strlen(side), ".%d.%15[a-z].%d.%n", i, kind, j, &used) != 3 || used == 0) {
        return NULL;
    }
    return name + strlen(side) + used;
}

static char *unet_down_name(const char *name, const struct unet_config *config)
{
    const int per_block = config->layers_per_block + 1;
    char kind[16], place[64];
    int i, j;
    const char *rest = read_place(name, "down_blocks", &i, kind, &j);

    if (rest == NULL) {
        return NULL;
    }
    if (strcmp(kind, "downsamplers") == 0) {
        // CompVis has one layer there, "op", and no name below it
        rest += g_str_has_prefix(rest, "conv.") ? strlen("conv.") : 0;
        return g_strdup_printf("input_blocks.%d.0.op.%s", per_block * (i + 1), rest);
    }
    bool attention = strcmp(kind, "attentions") == 0;
    // plus 1 for conv_in, which is input block 0
    g_snprintf(place, sizeof(place), "input_blocks.%d.%d.", per_block * i + j + 1, attention);
    return replace_start(place, rest, unet_residual, attention ? 0 : G_N_ELEMENTS(unet_residual));
}

static char *unet_up_name(const char *name, const struct unet_config *config)
{
    const int per_block = config->layers_per_block + 1;
    char kind[16], place[64];
    int i, j;
    const char *rest = read_place(name, "up_blocks", &i, kind, &j);

    // up_cross is read at i
    if (rest == NULL || i < 0 || i >= config->n_levels) {
        return NULL;
    }
    if (strcmp(kind, "upsamplers") == 0) {
        return g_strdup_printf("output_blocks.%d.%d.%s", per_block * i + config->layers_per_block,
                               config->up_cross[i] ? 2 : 1, rest);
    }
    bool attention = strcmp(kind, "attentions") == 0;
    g_snprintf(place, sizeof(place), "output_blocks.%d.%d.", per_block * i + j, attention);
    return replace_start(place, rest, unet_residual, attention ? 0 : G_N_ELEMENTS(unet_residual));
}

char *compvis_unet_name(const char *name, const struct unet_config *config)
{
    static const char middle[] = "mid_block.resnets.";

    if (g_str_has_prefix(name, "down_blocks.")) {
        return unet_down_name(name, config);
    }
    if (g_str_has_prefix(name, "up_blocks.")) {
        return unet_up_name(name, config);
    }
    if (g_str_has_prefix(name, middle)) {
        const char *rest = name + strlen(middle) + 2; // behind "0." or "1."
        return replace_start(name[strlen(middle)] == '0' ? "middle_block.0." : "middle_block.2.",
                             rest, unet_residual, G_N_ELEMENTS(unet_residual));
    }
    return replace_start("", name, unet_outside, G_N_ELEMENTS(unet_outside));
}

// what stands behind "encoder." or "decoder."
static char *vae_half_name(const char *half, const char *name, const struct vae_config *config)
{
    char kind[16], place[64];
    int i, j;
    const char *rest = read_place(name, "down_blocks", &i, kind, &j);
    const char *side = "down";

    // counted from the largest level in both halves, where diffusers begins at the deepest
    if (rest == NULL && (rest = read_place(name, "up_blocks", &i, kind, &j)) != NULL) {
        side = "up";
        i = config->n_levels - 1 - i;
    }
    if (rest == NULL) {
        g_autofree char *outside = replace_start("", name, vae_outside, G_N_ELEMENTS(vae_outside));
        return g_strconcat(half, outside, NULL);
    }
    if (strcmp(kind, "resnets") != 0) { // downsamplers, upsamplers
        return g_strdup_printf("%s%s.%d.%ssample.%s", half, side, i, side, rest);
    }
    g_snprintf(place, sizeof(place), "%s%s.%d.block.%d.", half, side, i, j);
    return replace_start(place, rest, vae_inside, G_N_ELEMENTS(vae_inside));
}

char *compvis_vae_name(const char *name, const struct vae_config *config)
{
    const char *half = g_str_has_prefix(name, "encoder.")   ? "encoder."
                       : g_str_has_prefix(name, "decoder.") ? "decoder."
                                                            : NULL;
    if (half == NULL) { // quant_conv, post_quant_conv
        return g_strdup(name);
    }

    const char *inner = name + strlen(half);
    static const char middle[] = "mid_block.attentions.0.";
    if (g_str_has_prefix(inner, middle)) {
        // here: its parts have names of vae_inside's, which the table of the outside does not
        // change
        g_autofree char *place = g_strconcat(half, "mid.attn_1.", NULL);
        return replace_start(place, inner + strlen(middle), vae_inside, G_N_ELEMENTS(vae_inside));
    }
    return vae_half_name(half, inner, config);
}

// query, key and value: thirds of in_proj_weight and in_proj_bias
static char *openclip_third(int layer, const char *rest, int *third)
{
    static const char *const names[] = {"self_attn.q_proj.", "self_attn.k_proj.",
                                        "self_attn.v_proj."};

    for (int i = 0; i < 3; i++) {
        if (g_str_has_prefix(rest, names[i])) {
            *third = i;
            return g_strdup_printf("transformer.resblocks.%d.attn.in_proj_%s", layer,
                                   rest + strlen(names[i]));
        }
    }
    return NULL;
}

char *compvis_openclip_name(const char *name, int *third)
{
    int layer, used = 0;

    *third = -1;
    name += g_str_has_prefix(name, TEXT_ENCODER_MODULE) ? strlen(TEXT_ENCODER_MODULE) : 0;
    if (sscanf(name, "encoder.layers.%d.%n", &layer, &used) != 1 || used == 0) {
        return replace_start("", name, openclip_outside, G_N_ELEMENTS(openclip_outside));
    }
    char *found = openclip_third(layer, name + used, third);
    if (found != NULL) {
        return found;
    }
    g_autofree char *place = g_strdup_printf("transformer.resblocks.%d.", layer);
    return replace_start(place, name + used, openclip_layer, G_N_ELEMENTS(openclip_layer));
}
