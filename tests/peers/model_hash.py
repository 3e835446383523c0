"""Prints both hashes of a diffusers folder, base and spectra, computed as engine/model/model_hash.h describes them, with
PyTorch's packages only: tests/test-model_hash.c holds the results for the fixtures models/sd1 and models/sd2.

usage: model_hash.py FOLDER
"""

import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def weights(folder):
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        for file in sorted((folder / part).glob(name + "[-.]*safetensors")):
            if ".fp16" in file.name:
                continue
            for key, value in load_file(file).items():
                if part == "text_encoder" and not key.startswith("text_model."):
                    key = "text_model." + key
                if key.endswith(".weight"):
                    yield key, value


def digest(value, kind):
    return hashlib.sha256(value.to(kind).contiguous().numpy().tobytes())


def base(tensors):
    lines = []
    for name, value in sorted(tensors, key=lambda pair: pair[0].encode()):
        lines.append(f"{name} {list(value.shape)} {digest(value, torch.float16).hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def spectra(tensors):
    total = hashlib.sha256()
    modules = [(name.removesuffix(".weight"), value) for name, value in tensors if value.dim() > 1]
    for name, value in sorted(modules, key=lambda pair: pair[0].encode()):
        matrix = value.movedim(1, -1).flatten(1)  # [out, kh * kw * in]
        sizes = torch.tensor(matrix.shape, dtype=torch.int64)
        total.update(name.encode() + b"\0" + sizes.numpy().tobytes() + digest(matrix, torch.float32).digest())
    return total.hexdigest()


def main():
    tensors = list(weights(Path(sys.argv[1])))
    print("base", base(tensors))
    print("spectra", spectra(tensors))


main()
