"""Stable Diffusion and SVDiff in PyTorch: the reference that the engine is held against.

`load` opens a diffusers folder, or a single .safetensors file in the CompVis layout with its configs in X.config/
beside it, with diffusers' and transformers' own classes. `Spectra` is the paper's formula for one model:
    W_d = U diag(relu(s + d)) Vt + (W - U diag(s) Vt)      every matrix, convolution and embedding
    gamma_d = gamma + d                                    norms, d as long as gamma
    gamma_d = gamma relu(|gamma| + d) / |gamma|            norms, d of length 1
with U, s, Vt from an SVD in double. Shifts are named as svdiff-pytorch names them.
"""

import contextlib
import io
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

import compvis

diffusers_logging.set_verbosity_error()
diffusers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

TEXT = "text_model."


class Model:
    """The networks of one model, its tokenizer and its scheduler's config."""

    def __init__(self, unet, vae, text, folder):
        self.unet, self.vae, self.text = unet.eval(), vae.eval(), text.eval()
        for module in (self.unet, self.vae, self.text):
            module.requires_grad_(False)
        self.tokenizer = CLIPTokenizer.from_pretrained(str(folder / "tokenizer"))
        self.scheduler_config = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        self.positions = text.config.max_position_embeddings
        self.scaling = vae.config.scaling_factor

    def to(self, dtype):
        for module in (self.unet, self.vae, self.text):
            module.to(dtype)
        return self

    def tokens(self, prompt):
        """Token ids [1, positions] of a prompt, cut or padded."""
        out = self.tokenizer(
            prompt, padding="max_length", max_length=self.positions, truncation=True, return_tensors="pt"
        )
        return out.input_ids

    def embed(self, tokens):
        """Last hidden state [n, positions, width] of token ids."""
        return self.text(tokens).last_hidden_state

    def predict(self, latents, timestep, embeddings):
        return self.unet(latents, timestep, encoder_hidden_states=embeddings).sample

    def decode(self, latents):
        return self.vae.decode(latents / self.scaling).sample


def load(path, dtype=torch.float32):
    """A Model from a diffusers folder or a CompVis .safetensors file, its weights cast to dtype."""
    path = Path(path)
    if not path.is_dir():
        return _load_single(path, dtype)
    parts = [
        (UNet2DConditionModel, "unet", "diffusion_pytorch_model", "torch_dtype"),
        (AutoencoderKL, "vae", "diffusion_pytorch_model", "torch_dtype"),
        (CLIPTextModel, "text_encoder", "model", "dtype"),
    ]
    networks = []
    for cls, folder, stem, key in parts:
        plain = [path / folder / f"{stem}.safetensors{end}" for end in ("", ".index.json")]
        variant = None if any(p.exists() for p in plain) else "fp16"
        with contextlib.redirect_stderr(io.StringIO()):
            networks.append(cls.from_pretrained(path / folder, variant=variant, **{key: dtype}))
    return Model(*networks, path)


def _load_single(path, dtype):
    folder = path.with_suffix(".config")
    read = lambda part: json.loads((folder / part / "config.json").read_text())
    unet = UNet2DConditionModel.from_config(read("unet"))
    vae = AutoencoderKL.from_config(read("vae"))
    text = CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder"))
    tensors = {k: v.to(dtype) for k, v in load_file(path).items()}
    names = [[k for k, v in m.state_dict().items() if v.is_floating_point()] for m in (unet, vae, text)]
    states = compvis.from_compvis(tensors, names[0], unet.config, names[1], vae.config, names[2])
    for module, state in zip((unet, vae, text), states):
        module.to(dtype).load_state_dict(state, strict=False)
    return Model(unet, vae, text, folder)


def shift_names(model, text=True):
    """svdiff-pytorch's name of every weight that can have a shift -> (network, parameter name)."""
    networks = [("", "unet", model.unet)] + ([(TEXT, "text", model.text)] if text else [])
    return {
        prefix + compvis.plain_text_name(key).removesuffix("weight") + "delta": (network, key)
        for prefix, network, module in networks
        for key, _ in module.named_parameters()
        if key.endswith(".weight")
    }


def plain_shift_name(name):
    """A shift's name without unet. and with text_model., whichever way the file has it."""
    name = name.removeprefix("unet.").removeprefix("text_encoder.")
    if name.startswith(("embeddings.", "encoder.layers.", "final_layer_norm.")):
        return TEXT + name
    return name


class Spectra:
    """U, s, Vt and residual of every weight of a model that `names` asks for; the SVD is made on first use."""

    def __init__(self, model, names=None):
        self.model = model
        self.names = shift_names(model)
        if names is not None:
            unknown = sorted(set(names) - set(self.names))
            if unknown:
                raise KeyError(f"the model has no weight for the shift {unknown[0]}")
            self.names = {n: self.names[n] for n in names}
        self.factors = {}

    def weight(self, name):
        network, key = self.names[name]
        return getattr(self.model, network).get_parameter(key)

    def factor(self, name):
        if name not in self.factors:
            w = self.weight(name).detach()
            flat = w.double().reshape(w.shape[0], -1)
            u, s, vt = torch.linalg.svd(flat, full_matrices=False)
            residual = flat - (u * s) @ vt
            self.factors[name] = tuple(x.to(w.dtype).contiguous() for x in (u, s, vt, residual))
        return self.factors[name]

    def rank(self, name):
        w = self.weight(name)
        return w.numel() if w.ndim == 1 else min(w.shape[0], w[0].numel())

    def shifted(self, name, *shifts):
        """The weight with the sum of the given shifts; differentiable in them."""
        w = self.weight(name)
        if w.ndim > 1:
            u, s, vt, residual = self.factor(name)
            gain = torch.relu(s + sum(shifts))
            return ((u * gain) @ vt + residual).reshape(w.shape)
        scalars = [d for d in shifts if d.numel() == 1 and w.numel() > 1]
        vectors = [d for d in shifts if d.numel() > 1 or w.numel() == 1]
        if scalars:
            norm = torch.linalg.vector_norm(w)
            w = w * torch.relu(norm + sum(scalars)) / norm
        return w + sum(vectors) if vectors else w


def bake(model, subjects):
    """Puts subjects, (shifts by name, scale) each, into a model's weights for good. Shifts add."""
    by_name = {}
    for shifts, scale in subjects:
        for name, shift in shifts.items():
            by_name.setdefault(plain_shift_name(name), []).append(scale * shift)
    spectra = Spectra(model, by_name)
    for name, shifts in by_name.items():
        w = spectra.weight(name)
        with torch.no_grad():
            w.copy_(spectra.shifted(name, *(d.to(w.dtype) for d in shifts)))
    return model


def relative(got, want):
    """Norm of the difference over the norm of what is wanted."""
    got, want = got.double(), want.double()
    if got.shape != want.shape:
        return float("inf")
    size = torch.linalg.vector_norm(want)
    error = torch.linalg.vector_norm(got - want)
    return float(error / size) if size > 0 else float(error)
