"""Prints the base hash of a diffusers folder, computed as engine/spectrum/base_hash.h describes it, with PyTorch's
packages only: tests/test-base_hash.c holds the result for the fixture models/sd1.

usage: base_hash.py FOLDER
"""

import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def weights(folder):
    for key, value in load_file(folder / "unet/diffusion_pytorch_model.safetensors").items():
        yield key, value
    for key, value in load_file(folder / "text_encoder/model.safetensors").items():
        yield key if key.startswith("text_model.") else "text_model." + key, value


def main():
    lines = []
    for name, value in sorted(weights(Path(sys.argv[1])), key=lambda pair: pair[0].encode()):
        if name.endswith(".weight"):
            digest = hashlib.sha256(value.to(torch.float16).contiguous().numpy().tobytes()).hexdigest()
            lines.append(f"{name} {list(value.shape)} {digest}\n")
    print(hashlib.sha256("".join(lines).encode()).hexdigest())


main()
