"""Writes the model as a diffusers folder in f16, aside first and then renamed whole.

The files are those of Stable Diffusion 1.x: model_index.json, scheduler, tokenizer, text_encoder,
unet and vae; the tensors' names too (transformers 5 drops `text_model.`, which comes back here).
"""
import copy
import json
import shutil

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer

from . import tokens
from .denoiser import Model, build_scheduler

DEFAULTS = "svdiff.json"  # the command's defaults for this model, written by hand: kept
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None], "image_encoder": [None, None],
    "requires_safety_checker": False, "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def halves(module, prefix=""):
    """Returns the module's tensors in f16 under their published names."""
    return {name if name.startswith(prefix) else prefix + name:
            tensor.detach().cpu().half().contiguous()
            for name, tensor in module.state_dict().items() if tensor.is_floating_point()}


def forget_origin(path):
    """Takes out of a config the folder that its network was once loaded from."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_model(model, folder):
    """Writes `model` to `folder`, replacing at once what is there but for the defaults."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    tokens.copy_tokenizer(model.tokenizer, new / "tokenizer")
    build_scheduler().save_pretrained(new / "scheduler")
    model.unet.save_config(new / "unet")
    model.vae.save_config(new / "vae")
    for part in ("unet", "vae"):
        forget_origin(new / part / "config.json")
    text_config = copy.deepcopy(model.text.config)
    text_config.architectures = ["CLIPTextModel"]
    text_config.dtype = torch.float32  # what it is loaded as where nothing is said
    text_config.save_pretrained(new / "text_encoder")
    for part, name, module, prefix in (
            ("unet", "diffusion_pytorch_model", model.unet, ""),
            ("vae", "diffusion_pytorch_model", model.vae, ""),
            ("text_encoder", "model", model.text, "text_model.")):
        path = new / part / f"{name}.safetensors"
        save_file(halves(module, prefix), path, {"format": "pt"})
        path.chmod(0o644)
    (new / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n", encoding="utf-8")
    if (folder / DEFAULTS).exists():
        shutil.copyfile(folder / DEFAULTS, new / DEFAULTS)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_model(folder):
    """Reads a model folder back in f32."""
    return Model(
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32),
        AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32))
