"""The training set of the denoiser: numbered scenes, each encoded once and kept on disk.

Scene i is drawn by a generator that i seeds, so that nothing but its latents has to be kept: f16,
count,12,16,16, in one file that all processes map, beside a byte a scene that says whether it is there.
The files are named after the encoder's weights: another encoder begins anew.
"""
import hashlib
import random

import numpy as np
import torch

from . import pictures
from .autoencoder import CHANNELS, to_tensor
from .optim import processes, rank
from .things import Glyphs, training_things

COUNT = 1 << 17
CHUNK = 64  # scenes that are encoded at once


def encoder_name(vae):
    """Returns a few letters that tell the encoder's weights and the list of things."""
    digest = hashlib.sha256()
    for part in (vae.encoder, vae.quant_conv):
        for weight in part.state_dict().values():
            digest.update(weight.cpu().numpy().tobytes())
    digest.update(repr(training_things()).encode())
    return digest.hexdigest()[:12]


def mapped(path, kind, shape):
    """Returns the array in the file, made of zeros where there is none."""
    if not path.exists():
        with open(f"{path}.{rank()}", "wb") as file:
            file.truncate(int(np.prod(shape)) * np.dtype(kind).itemsize)
        try:
            path.hardlink_to(f"{path}.{rank()}")  # the first process wins
        except FileExistsError:
            pass
        path.with_name(f"{path.name}.{rank()}").unlink()
    return np.memmap(path, kind, "r+", shape=shape)


class TrainingSet:
    """Scenes with their latents; more and more of them are encoded while the training runs."""

    def __init__(self, vae, device, folder, seed, count=COUNT):
        self.vae, self.device, self.rng = vae, device, random.Random(seed)
        self.glyphs, self.things = Glyphs(), training_things()
        side = pictures.SIZE // 8
        name = encoder_name(vae)
        self.latents = mapped(folder / f"latents-{name}.f16", np.float16, (count, CHANNELS, side, side))
        self.there = mapped(folder / f"latents-{name}.there", np.uint8, (count,))

    def scene(self, index):
        return pictures.random_scene(random.Random(f"scene {index}"), self.things)

    def encode_more(self, count):
        """Encodes the next `count` scenes, of which each process takes its share by turns of CHUNK."""
        missing = np.flatnonzero(self.there == 0)
        mine = missing[missing // CHUNK % processes() == rank()][:max(CHUNK, count // processes())]
        for start in range(0, len(mine), CHUNK):
            self._encode(mine[start:start + CHUNK])

    def _encode(self, numbers):
        self.latents[numbers] = self.encoded([self.scene(number) for number in numbers]).cpu().numpy()
        self.there[numbers] = 1

    @torch.no_grad()
    def encoded(self, scenes):
        """Returns the scenes' latents, n,12,16,16 on the device."""
        parts = []
        for start in range(0, len(scenes), CHUNK):
            painted = [pictures.paint(scene, self.glyphs) for scene in scenes[start:start + CHUNK]]
            with torch.autocast(self.device, torch.bfloat16):
                latent = self.vae.encode(to_tensor(painted, self.device)).latent_dist.mean
            parts.append(latent.float() * self.vae.config.scaling_factor)
        return torch.cat(parts)

    def batch(self, count, dropped):
        """Returns (latents, captions) of `count` scenes drawn at random, some of the captions empty."""
        ready = np.flatnonzero(self.there)
        chosen = [int(ready[self.rng.randrange(len(ready))]) for _ in range(count)]
        captions = ["" if self.rng.random() < dropped else
                    pictures.caption(self.rng, self.scene(number)) for number in chosen]
        latents = torch.from_numpy(self.latents[chosen].astype(np.float32))
        return latents.to(self.device), captions
