"""Writes a random model of Stable Diffusion 1.5's true shape, as a diffusers folder or as a single CompVis file.

    random_sd15.py OUT [--dtype float16] [--single] [--tokenizer FOLDER] [--seed N]

For opt-in checks at full size: check_generate.py and check_learn.py against the command on it, memory, speed. 4.3 GB in
float32, half in float16; a tensor at a time is in memory. The weights follow tests/fixtures/make_models.py. Without
--tokenizer the cut vocabulary of the fixtures is used, whose special tokens the configs name. --single writes
OUT.safetensors in the CompVis layout and OUT.config/. --headers leaves the values out, of which
tests/fixtures/headers/sd15 is made. --divide N makes every width N times smaller, for a trial.
"""

import argparse
import json
import shutil
import struct
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
import compvis
import make_models
from reference import TEXT

DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}

NOT_SIZES = ("architectures", "model_type", "torch_dtype")  # of a text encoder's config.json


def configs(divide=1):
    """UNet, autoencoder and text encoder configs of SD 1.5, widths divided."""
    blocks = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
    unet = {
        **make_models.SD1_UNET,
        "attention_head_dim": 8,
        "block_out_channels": [w // divide for w in (320, 640, 1280, 1280)],
        "cross_attention_dim": 768 // divide,
        "down_block_types": blocks,
        "layers_per_block": 2,
        "norm_num_groups": max(32 // divide, 2),
        "sample_size": 64,
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    }
    vae = {
        **make_models.SD1_VAE,
        "block_out_channels": [w // divide for w in (128, 256, 512, 512)],
        "layers_per_block": 2,
        "norm_num_groups": max(32 // divide, 2),
        "sample_size": 512,
    }
    text = {
        "hidden_size": 768 // divide,
        "intermediate_size": 3072 // divide,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "vocab_size": 49408,
        "projection_dim": 768 // divide,
    }
    return unet, vae, text


def special_tokens(folder):
    """Ids of the begin, end and padding token of a tokenizer folder."""
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    names = json.loads((folder / "special_tokens_map.json").read_text(encoding="utf-8"))
    content = {k: v["content"] if isinstance(v, dict) else v for k, v in names.items()}
    return {f"{k}_token_id": vocab[content[f"{k}_token"]] for k in ("bos", "eos", "pad")}


def skeletons(unet, vae, text):
    """The networks without values."""
    with torch.device("meta"):
        return (
            UNet2DConditionModel.from_config(unet),
            AutoencoderKL.from_config(vae),
            CLIPTextModel(CLIPTextConfig(**{k: v for k, v in text.items() if k not in NOT_SIZES})),
        )


def write(path, entries, dtype, seed):
    """One safetensors file; entries: name -> (shape, the network's own name of the tensor), made one at a time."""
    width = torch.empty(0, dtype=dtype).element_size()
    header, offset = {}, 0
    for name, (shape, _) in entries.items():
        size = width * torch.Size(shape).numel()
        label = DTYPES[str(dtype).removeprefix("torch.")]
        header[name] = {"dtype": label, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        if seed is None:
            return
        for shape, source in entries.values():
            values = make_models.random_like(f"{seed}.{source}", torch.empty(shape, device="meta"))
            file.write(values.to(dtype).reshape(-1).view(torch.uint8).numpy().tobytes())


def shapes(module, prefix, rename=lambda name: name):
    state = {k: v for k, v in module.state_dict().items() if v.is_floating_point()}
    return {rename(k): (tuple(v.shape), f"{prefix}.{k}") for k, v in state.items()}


def single_entries(parts, unet, vae):
    """The same tensors under CompVis names; the autoencoder's attention matrices become 1x1 convolutions."""
    out = {compvis.UNET + compvis.unet_name(k, unet): v for k, v in parts["unet"].items()}
    for key, (shape, source) in parts["vae"].items():
        key = compvis.plain_vae_name(key)
        shape = (*shape, 1, 1) if ".attentions." in key and len(shape) == 2 else shape
        out[compvis.VAE + compvis.vae_name(key, vae)] = (shape, source)
    out.update({compvis.CLIP + compvis.plain_text_name(k): v for k, v in parts["text"].items()})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--tokenizer", type=Path, default=make_models.HERE / "models" / "sd1" / "tokenizer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--headers", action="store_true", help="no values")
    parser.add_argument("--divide", type=int, default=1)
    options = parser.parse_args()
    seed = None if options.headers else options.seed
    dtype = getattr(torch, options.dtype)
    unet, vae, text = configs(options.divide)
    tokens = special_tokens(options.tokenizer)
    text = {**json.loads((make_models.HERE / "models/sd1/text_encoder/config.json").read_text()), **text, **tokens}
    modules = skeletons(unet, vae, text)
    parts = {
        "unet": shapes(modules[0], "unet"),
        "vae": shapes(modules[1], "vae"),
        "text": shapes(modules[2], "text", lambda k: TEXT + compvis.plain_text_name(k)),
    }
    folder = options.out.with_suffix(".config") if options.single else options.out
    make_models.write_configs(folder, unet, vae, text, make_models.SD1_SCHEDULER)
    shutil.copytree(options.tokenizer, folder / "tokenizer", dirs_exist_ok=True)
    if options.single:
        write(options.out.with_suffix(".safetensors"), single_entries(parts, unet, vae), dtype, seed)
        return
    make_models.write_index(folder, "PNDMScheduler")
    write(folder / "unet" / "diffusion_pytorch_model.safetensors", parts["unet"], dtype, seed)
    write(folder / "vae" / "diffusion_pytorch_model.safetensors", parts["vae"], dtype, seed)
    write(folder / "text_encoder" / "model.safetensors", parts["text"], dtype, seed)


if __name__ == "__main__":
    main()
