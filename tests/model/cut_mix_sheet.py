#!/usr/bin/env python3
"""Draws what a run of learning several subjects saw: twenty mixed pictures with their masks and prompts.

    build/engine/svdiff learn ... --steps 40 --trace trace.safetensors
    python3 tests/model/cut_mix_sheet.py trace.safetensors sheet.png [--model FOLDER] [--count 20]

A tile has the picture, decoded from the mixed latents of the trace; beside it how much of each pixel is which subject, the
first in the order of the picture red, the other one green, with the place of the first one's region outlined; and below
the prompt that the step learned with, from its tokens. To look at: subjects are whole, seams are where the mask has
them, and words stand in the order of the picture.
"""
import argparse
import sys
import textwrap
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from transformers import CLIPTokenizer

import evaluate

TEXT, COLUMNS, LINE = 36, 5, 44


def mixed_rows(trace):
    """Yields (step, row) of every mixed row."""
    steps = sorted(int(name.split(".")[1]) for name in trace if name.startswith("mix_masks."))
    for step in steps:
        for row in range(len(trace[f"mix_masks.{step}"]) // 2):
            if masks_of(trace, step, row).sum() > 0:
                yield step, row


def masks_of(trace, step, row):
    """[2, side, side]: how much of each pixel is which of the two."""
    return trace[f"mix_masks.{step}"][2 * row:2 * row + 2, 0]


def decode(vae, latents):
    with torch.no_grad():
        picture = vae.decode(latents[None] / vae.config.scaling_factor).sample[0].clamp(-1, 1)
    return ((picture.permute(1, 2, 0).numpy() + 1) * 127.5 + 0.5).astype(np.uint8)


def mask_picture(masks, regions, side):
    """The two masks as red and green, and a line where the regions meet."""
    colours = np.zeros((*masks.shape[1:], 3), np.uint8)
    colours[..., 0], colours[..., 1] = (255 * masks).numpy().astype(np.uint8)
    picture = Image.fromarray(colours).resize((side, side), Image.Resampling.NEAREST)
    first = np.asarray(Image.fromarray((regions[0] > regions[1]).numpy().astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST))
    edge = (first != np.roll(first, 1, 0)) | (first != np.roll(first, 1, 1))
    edge[0], edge[:, 0] = False, False
    pixels = np.asarray(picture).copy()
    pixels[edge] = 255
    return pixels


def prompt_of(tokenizer, ids):
    return tokenizer.decode([int(i) for i in ids], skip_special_tokens=True).strip()


def tile(trace, step, row, vae, tokenizer):
    picture = decode(vae, trace[f"latents.{step}"][row])
    side = picture.shape[0]
    mask = mask_picture(masks_of(trace, step, row), trace[f"regions.{step}"][row], side)
    whole = Image.new("RGB", (2 * side + 8, side + LINE), "white")
    whole.paste(Image.fromarray(picture), (0, 0))
    whole.paste(Image.fromarray(mask), (side, 0))
    words = textwrap.wrap(prompt_of(tokenizer, trace[f"tokens.{step}"][row]), TEXT + 8)
    ImageDraw.Draw(whole).text((2, side + 2), "\n".join(words[:3]), fill="black")
    return np.asarray(whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--model", type=Path, default=evaluate.ROOT / "resources" / "model")
    parser.add_argument("--count", type=int, default=20)
    chosen = parser.parse_args()
    trace = load_file(chosen.trace)
    vae = AutoencoderKL.from_pretrained(chosen.model, subfolder="vae", torch_dtype=torch.float32)
    tokenizer = CLIPTokenizer.from_pretrained(chosen.model / "tokenizer")
    tiles = [tile(trace, step, row, vae, tokenizer) for step, row in list(mixed_rows(trace))[:chosen.count]]
    if not tiles:
        sys.exit(f"{chosen.trace} has no mixed picture; was it of several subjects, with --cut-mix?")
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    evaluate.sheet(chosen.sheet, tiles, COLUMNS)


if __name__ == "__main__":
    main()
