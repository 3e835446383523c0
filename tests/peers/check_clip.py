"""Holds `svdiff evaluate --clip-model` against transformers on a CLIP model of true size: the cosines of pictures with
texts and with each other, within 2e-6 of transformers in double.

    check_clip.py SVDIFF FOLDER PICTURES [--large]

Writes FOLDER, a random model in the shape of openai/clip-vit-base-patch32 (or, large, of clip-vit-large-patch14) with the
vocabulary that ships, unless it is there. PICTURES: a folder of .png files. The weights are scaled so that attention and
activations are not near linear. Exit 1 when a bound is missed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

VOCABULARY = Path(__file__).resolve().parents[2] / "resources" / "clip"
TEXTS = ["a photo of a fox in the snow", "an oil painting of two dogs, 1890", "x"]
LARGE = {
    "projection_dim": 768,
    "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12},
    "vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
                      "num_attention_heads": 16, "patch_size": 14},
}
BOUND = 2e-6


def write(folder, large):
    torch.manual_seed(1)
    model = CLIPModel(CLIPConfig(**(LARGE if large else {})))
    for name, value in model.named_parameters():
        # attention that looks somewhere, and activations where they bend
        if name.endswith(("q_proj.weight", "k_proj.weight", "fc1.weight")):
            value.mul_(4)
        elif name.endswith("bias") or value.ndim == 1:
            value.add_(0.1 * torch.randn_like(value))
    model.save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    for file in VOCABULARY.iterdir():
        shutil.copy(file, folder)


def by_transformers(folder, pictures):
    model = CLIPModel.from_pretrained(folder).double().eval()
    tokenizer, prepare = CLIPTokenizer.from_pretrained(folder), CLIPImageProcessorPil.from_pretrained(folder)
    pixels = torch.cat([torch.tensor(prepare(Image.open(p).convert("RGB"), return_tensors="np")["pixel_values"])
                        for p in pictures])
    ids = tokenizer(TEXTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    unit = lambda x: x / x.norm(dim=-1, keepdim=True)
    seen = unit(torch.cat([model.get_image_features(p[None].double()).pooler_output for p in pixels]))
    read = unit(model.get_text_features(ids).pooler_output)
    return seen @ read.T, seen @ seen.T


def by_svdiff(svdiff, folder, pictures, text, reference):
    began = time.monotonic()
    lines = subprocess.run(
        [svdiff, "evaluate", "--pictures", pictures, "--prompts", text, "--references", reference, "--clip-model",
         folder, "--json", "--device", "cpu"], capture_output=True, text=True, check=True).stdout.splitlines()
    (result,) = [r for r in map(json.loads, lines) if "points" in r]
    rows = result["pictures"]
    print(f"{len(rows) + 1} pictures and a text in {time.monotonic() - began:.1f} s")
    return [torch.tensor([r[f"{k}_alignment"] for r in rows], dtype=torch.float64) for k in ("text", "image")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svdiff")
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    if not options.folder.is_dir():
        write(options.folder, options.large)
    pictures = sorted(options.pictures.glob("*.png"))
    with_texts, with_each = by_transformers(options.folder, pictures)
    worst = 0
    for k, text in enumerate(TEXTS):
        reference = k % len(pictures)
        texts, images = by_svdiff(options.svdiff, options.folder, options.pictures, text, pictures[reference])
        off = [(texts - with_texts[:, k]).abs().max().item(), (images - with_each[:, reference]).abs().max().item()]
        print(f"{text!r}: cosines from {with_texts[:, k].min():.4f} to {with_texts[:, k].max():.4f}, off by {off[0]:.1e}; "
              f"pictures from {with_each[:, reference].min():.4f}, off by {off[1]:.1e}")
        worst = max(worst, *off)
    print(f"worst {worst:.1e} of {BOUND:.1e}")
    sys.exit(worst > BOUND)


if __name__ == "__main__":
    main()
