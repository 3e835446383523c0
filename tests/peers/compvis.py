"""Names of the CompVis layout: how a diffusers model's tensors lie in a single .safetensors file.

One state dict a component in diffusers' names goes in, one flat dict in CompVis names comes out, and back.
The UNet's blocks are numbered by the rule
    input_blocks.{(L+1) i + j + 1}   output_blocks.{(L+1) i + j}   (i block, j resnet, L resnets per down block)
with the up-sampler of block i in output_blocks.{(L+1) i + L}.{1 without attention, 2 with}. The autoencoder's
up blocks are numbered from the other end and its attention matrices are 1x1 convolutions. A CLIP text encoder
keeps its names; an OpenCLIP one has OpenCLIP's, with q, k and v stacked in in_proj and one more layer than is used.
"""

import re

import torch

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP = "cond_stage_model.transformer.text_model."
OPENCLIP = "cond_stage_model.model."

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
VAE_ATTENTION_OLD = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def _resnet(rest):
    module, kind = rest.rsplit(".", 1)
    return f"{RESNET[module]}.{kind}"


def unet_name(key, config):
    """CompVis name, without prefix, of one tensor of a diffusers UNet of this config."""
    step = config["layers_per_block"] + 1
    module, kind = key.rsplit(".", 1)
    if module in UNET_ENDS:
        return f"{UNET_ENDS[module]}.{kind}"
    if m := re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", key):
        way, i, part, j, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
        where = f"input_blocks.{step * i + j + 1}" if way == "down" else f"output_blocks.{step * i + j}"
        return f"{where}.0.{_resnet(rest)}" if part == "resnets" else f"{where}.1.{rest}"
    if m := re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(\w+)", key):
        return f"input_blocks.{step * (int(m[1]) + 1)}.0.op.{m[2]}"
    if m := re.fullmatch(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(\w+)", key):
        slot = 2 if "CrossAttn" in config["up_block_types"][int(m[1])] else 1
        return f"output_blocks.{step * int(m[1]) + step - 1}.{slot}.conv.{m[2]}"
    if m := re.fullmatch(r"mid_block\.resnets\.([01])\.(.+)", key):
        return f"middle_block.{2 * int(m[1])}.{_resnet(m[2])}"
    if m := re.fullmatch(r"mid_block\.attentions\.0\.(.+)", key):
        return f"middle_block.1.{m[1]}"
    raise KeyError(f"no CompVis name for the UNet's tensor {key}")


def vae_name(key, config):
    """CompVis name, without prefix, of one tensor of a diffusers autoencoder of this config."""
    last = len(config["block_out_channels"]) - 1
    if m := re.fullmatch(r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.(.+)", key):
        name = f"encoder.down.{m[1]}.block.{m[2]}.{m[3]}"
    elif m := re.fullmatch(r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.(.+)", key):
        name = f"encoder.down.{m[1]}.downsample.{m[2]}"
    elif m := re.fullmatch(r"decoder\.up_blocks\.(\d+)\.resnets\.(\d+)\.(.+)", key):
        name = f"decoder.up.{last - int(m[1])}.block.{m[2]}.{m[3]}"
    elif m := re.fullmatch(r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.(.+)", key):
        name = f"decoder.up.{last - int(m[1])}.upsample.{m[2]}"
    elif m := re.fullmatch(r"(\w+)\.mid_block\.resnets\.([01])\.(.+)", key):
        name = f"{m[1]}.mid.block_{int(m[2]) + 1}.{m[3]}"
    elif m := re.fullmatch(r"(\w+)\.mid_block\.attentions\.0\.(.+)\.(weight|bias)", key):
        name = f"{m[1]}.mid.attn_1.{VAE_ATTENTION[m[2]]}.{m[3]}"
    else:
        name = key
    return name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def openclip_name(key):
    """OpenCLIP name of one text encoder tensor (transformers' name without text_model.), q, k, v excepted."""
    ends = {
        "embeddings.token_embedding.weight": "token_embedding.weight",
        "embeddings.position_embedding.weight": "positional_embedding",
    }
    if key in ends:
        return ends[key]
    if key.startswith("final_layer_norm."):
        return key.replace("final_layer_norm", "ln_final")
    name = key.replace("encoder.layers.", "transformer.resblocks.")
    for ours, theirs in (
        ("layer_norm", "ln_"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
        ("self_attn.out_proj", "attn.out_proj"),
    ):
        name = name.replace(ours, theirs)
    return name


def plain_text_name(key):
    """A text encoder tensor's name without the text_model. that older files carry."""
    return key.removeprefix("text_model.")


def plain_vae_name(key):
    """An autoencoder tensor's name with the attention names of today (to_q for query, and so on)."""
    if m := re.fullmatch(r"(.*attentions\.\d+\.)(query|key|value|proj_attn)(\..*)", key):
        return m[1] + VAE_ATTENTION_OLD[m[2]] + m[3]
    return key


def to_compvis(unet, unet_config, vae, vae_config, text, openclip):
    """One CompVis dict of three state dicts in diffusers' names (new or old)."""
    out = {UNET + unet_name(k, unet_config): v for k, v in unet.items()}
    for key, value in vae.items():
        key = plain_vae_name(key)
        matrix = ".attentions." in key and value.ndim == 2
        out[VAE + vae_name(key, vae_config)] = value[:, :, None, None] if matrix else value
    text = {plain_text_name(k): v for k, v in text.items()}
    if not openclip:
        out.update({CLIP + k: v for k, v in text.items()})
        return out
    for key, value in text.items():
        m = re.fullmatch(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)", key)
        if m is None:
            out[OPENCLIP + openclip_name(key)] = value
        elif m[2] == "q":
            rows = [text[key.replace("q_proj", f"{x}_proj")] for x in "qkv"]
            out[f"{OPENCLIP}transformer.resblocks.{m[1]}.attn.in_proj_{m[3]}"] = torch.cat(rows)
    return out


def from_compvis(tensors, unet, unet_config, vae, vae_config, text):
    """Three state dicts in today's diffusers names out of a CompVis dict. The arguments unet, vae and text
    are the names (any iterable) each network needs; a missing tensor is a KeyError with its CompVis name."""
    unet_out = {k: tensors[UNET + unet_name(k, unet_config)] for k in unet}
    vae_out = {}
    for key in vae:
        value = tensors[VAE + vae_name(key, vae_config)]
        matrix = ".attentions." in key and value.ndim == 4
        vae_out[key] = value[:, :, 0, 0] if matrix else value
    openclip = OPENCLIP + "positional_embedding" in tensors
    text_out = {}
    for key in text:
        plain = plain_text_name(key)
        m = re.fullmatch(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)", plain)
        if not openclip:
            text_out[key] = tensors[CLIP + plain]
        elif m is None:
            text_out[key] = tensors[OPENCLIP + openclip_name(plain)]
        else:
            stacked = tensors[f"{OPENCLIP}transformer.resblocks.{m[1]}.attn.in_proj_{m[3]}"]
            text_out[key] = stacked.chunk(3)["qkv".index(m[2])]
    return unet_out, vae_out, text_out
