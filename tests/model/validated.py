#!/usr/bin/env python3
"""Compares the validation loss of models: the same pictures, words, noise levels and noise for each.

    python3 tests/model/validated.py MODEL [MODEL ...] [--captions 512] [--old-things FILE]

The loss is the one of training (resources/training/denoiser.py), over scenes that a fixed seed draws of things
that all of them know: those of things.tsv that, with --old-things, another such file has, too. Each model has
its own autoencoder and tokenizer; where the autoencoders are not the same, losses cannot be compared, which is
said. The interval is that of the differences to the first model, caption by caption.
"""
import argparse
import csv
import random
from pathlib import Path

import torch

import evaluate
from training import denoiser, export, pictures, things
from training.autoencoder import to_tensor

SEED, BATCH = 20, 32


def common_things(old):
    known = things.training_things()
    if old is None:
        return known
    with open(old, encoding="utf-8", newline="") as file:
        names = {row[0] for row in csv.reader(file, delimiter="\t") if row[-1] == "train"}
    return [thing for thing in known if thing.name in names]


def scenes_of(count, known):
    rng = random.Random(SEED)
    scenes = [pictures.random_scene(rng, known) for _ in range(count)]
    return scenes, [pictures.caption(rng, scene) for scene in scenes]


@torch.no_grad()
def losses(folder, scenes, captions):
    """Returns (mean loss of each batch, a few latents' mean to tell autoencoders apart)."""
    model, glyphs = export.read_model(folder), things.Glyphs()
    signal, values, told = denoiser.build_scheduler().alphas_cumprod, [], 0.0
    for start in range(0, len(scenes), BATCH):
        x = to_tensor([pictures.paint(scene, glyphs) for scene in scenes[start:start + BATCH]])
        latents = model.vae.encode(x).latent_dist.mean * model.vae.config.scaling_factor
        told += float(latents.double().sum())
        torch.manual_seed(SEED + start)
        values.append(denoiser.loss_of(model, latents, captions[start:start + BATCH], signal))
    return torch.stack(values).double(), told


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--captions", type=int, default=512)
    parser.add_argument("--old-things", type=Path, help="things.tsv of another model, to compare with that")
    chosen = parser.parse_args()
    known = common_things(chosen.old_things)
    scenes, captions = scenes_of(chosen.captions, known)
    print(f"{len(known)} things, {len(captions)} captions, {denoiser.LEVELS} noise levels each")
    first = None
    for folder in chosen.models:
        values, told = losses(folder, scenes, captions)
        line = f"{evaluate.weights_hash(folder)} {folder}: loss {values.mean():.5f}"
        if first is None:
            first = values, told
        elif abs(told - first[1]) > 1e-3 * abs(first[1]):
            line += ", not to be compared with the first: another autoencoder"
        else:
            part = (values - first[0]) / first[0].mean()
            error = 1.96 * part.std() / len(part) ** 0.5
            line += f", {100 * part.mean():+.2f} of 100 of the first ({100 * (part.mean() - error):+.2f} to " \
                    f"{100 * (part.mean() + error):+.2f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
