#!/usr/bin/env python3
"""Measures the model in resources/model and draws its contact sheets.

    python3 tests/model/evaluate.py [--model FOLDER] [--results FOLDER] [--prompts 200] [--svdiff COMMAND]

Everything runs from the shipped files with PyTorch and diffusers (DDIM, 25 steps, guidance 4); or,
with --svdiff, the pictures are drawn by the command, in the precision that it chooses.
Results are kept in a folder named after the weights' hash, one small PNG per prompt, and a second
run goes on where the first one stopped.  It prints

    autoencoder   mean PSNR over the held-out things, four pictures each
    things        'a NAME on a COLOUR background': the nearest of all training things, first and
                  among five; the background's colour; combinations left out of training apart
    sides         'A on the left and B on the right': both halves right
    sharpness     of the pictures of single things the energy above a quarter of the sampling frequency, as part
                  of that of the same things, as large and in the same places, painted on the same colours

The feature space: the picture's thing is what differs from the background (the median of the
border) by more than 40 in some channel, specks left out; its bounding square, scaled to 24x24 pixels and laid on
gray, is compared with the same crop of every thing's own picture on the same background by the mean
squared difference after a 3x3 box blur.  The background is right when its median is closer to the
named colour than to any other of the dozen.
"""
import argparse
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "resources"))

from training import pictures, things  # noqa: E402 (after the path is set)

STEPS, GUIDANCE = 25, 4.0
SIDE, DIFFERENT = 24, 40


def border_colour(picture):
    """Returns the median colour of the picture's outermost four pixels."""
    edge = np.concatenate([picture[:4].reshape(-1, 3), picture[-4:].reshape(-1, 3),
                           picture[:, :4].reshape(-1, 3), picture[:, -4:].reshape(-1, 3)])
    return np.median(edge, 0)


def nearest_colour(colour):
    return min(pictures.COLOURS, key=lambda name: np.abs(colour - pictures.COLOURS[name]).sum())


def without_specks(mask):
    """Returns the mask less the pixels that have no more than two of it among their eight neighbours.

    One pixel in a corner, which nobody sees, would else stretch the thing's square to the corner.
    """
    padded = np.pad(mask, 1).astype(int)
    height, width = mask.shape
    around = sum(padded[y:y + height, x:x + width] for y in range(3) for x in range(3))
    return mask & (around > 3)


def thing_mask(picture, ground_of=border_colour):
    """Returns where the picture differs from its background."""
    return without_specks(np.abs(picture - ground_of(picture)).max(2) > DIFFERENT)


def bounds(mask):
    """Returns (top, bottom, left, right) of a mask, ends excluded; None of an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1) if len(rows) else None


def feature(picture, ground_of=border_colour):
    """Returns the thing's crop on gray as a vector; an empty picture gives all gray."""
    mask = thing_mask(picture, ground_of)
    box = bounds(mask)
    if box is None:
        return np.full(SIDE * SIDE * 3, 128.0)
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    side = max(height, width)
    square = np.full((side, side, 3), 128, np.uint8)
    y, x = (side - height) // 2, (side - width) // 2
    part = np.where(mask[..., None], picture, 128)[top:bottom, left:right]
    square[y:y + height, x:x + width] = part
    small = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small.filter(ImageFilter.BoxBlur(1)), np.float64).ravel()


class Gallery:
    """The features of all training things on each colour; ground_of tells a picture's background."""

    def __init__(self, ground_of=border_colour):
        self.things, self.glyphs, self.features = things.training_things(), things.Glyphs(), {}
        self.ground_of = ground_of

    def ranked(self, picture, colour):
        """Returns the things' names, nearest first."""
        if colour not in self.features:
            self.features[colour] = np.stack([feature(self.picture(thing, colour), self.ground_of)
                                              for thing in self.things])
        distance = np.square(self.features[colour] - feature(picture, self.ground_of)).sum(1)
        return [self.things[index].name for index in np.argsort(distance)]

    def picture(self, thing, colour):
        item = pictures.Item(thing, (64, 64), 82)
        return pictures.paint(pictures.Scene((item,), colour, True), self.glyphs)


class Drawer:
    """Draws prompts with the model, or takes the pictures of an earlier run."""

    def __init__(self, model, folder):
        self.model, self.folder, self.pipeline = model, folder, None
        folder.mkdir(parents=True, exist_ok=True)

    def pictures(self, prompts, batch=10):
        missing = [prompt for prompt in prompts if not self.path(prompt).exists()]
        for start in range(0, len(missing), batch):
            self._draw(missing[start:start + batch])
            print(f"  drawn {start + len(missing[start:start + batch])} of {len(missing)}",
                  file=sys.stderr, flush=True)
        return [np.asarray(Image.open(self.path(prompt))) for prompt in prompts]

    def path(self, prompt):
        return self.folder / (prompt.replace(" ", "-") + ".png")

    def _draw(self, prompts):
        import torch  # here, because the scripts that only compare pictures need none of it
        from diffusers import StableDiffusionPipeline

        if self.pipeline is None:
            self.pipeline = StableDiffusionPipeline.from_pretrained(self.model,
                                                                    torch_dtype=torch.float32)
            self.pipeline.set_progress_bar_config(disable=True)
            self.pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
        seeds = [torch.Generator().manual_seed(int(hashlib.md5(prompt.encode()).hexdigest()[:8], 16))
                 for prompt in prompts]
        drawn = self.pipeline(prompts, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                              generator=seeds).images
        for prompt, picture in zip(prompts, drawn):
            picture.save(self.path(prompt))


class CommandDrawer(Drawer):
    """Draws prompts by the command, with the same sampler, steps and guidance."""

    def __init__(self, model, folder, svdiff):
        super().__init__(model, folder)
        self.svdiff = svdiff

    def _draw(self, prompts):
        for prompt in prompts:
            seed = int(hashlib.md5(prompt.encode()).hexdigest()[:8], 16)
            subprocess.run([self.svdiff, "generate", "--quiet", "--model", self.model, "--prompt", prompt,
                            "--seed", str(seed), "--sampler", "ddim", "--steps", str(STEPS),
                            "--guidance", str(GUIDANCE), "--output", self.path(prompt)], check=True)


def weights_hash(model):
    digest = hashlib.sha256()
    for path in sorted(model.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def combinations(count):
    """Returns (thing, colour) pairs: every thing at least once, then pairs at random."""
    rng, known = random.Random(4), things.training_things()
    pairs = [(thing, rng.choice(list(pictures.COLOURS))) for thing in known]
    spare = [(thing, colour) for thing in known for colour in pictures.COLOURS
             if pictures.left_out(thing.name, colour, "middle") and (thing, colour) not in pairs]
    rng.shuffle(pairs)
    return pairs[:count] + rng.sample(spare, max(0, count - len(pairs)))


def percent(values):
    values = list(values)
    return f"{100 * sum(values) / len(values):.0f} of 100 ({len(values)})" if values else "none"


def measure_autoencoder(model):
    import torch
    from training import autoencoder

    vae = autoencoder.AutoencoderKL.from_pretrained(model, subfolder="vae", torch_dtype=torch.float32)
    print(f"autoencoder: PSNR {autoencoder.held_out_psnr(vae):.2f} dB on held-out things")


def measure_things(drawer, gallery, count):
    """Prints the figures for single things; returns rows (rank, prompt, picture), best first."""
    pairs = combinations(count)
    prompts = [f"{pictures.article(thing.name, thing.name)} on {pictures.article(colour, '')} "
               "background" for thing, colour in pairs]
    rows = []
    for (thing, colour), prompt, picture in zip(pairs, prompts, drawer.pictures(prompts)):
        place = gallery.ranked(picture, colour).index(thing.name)
        rows.append((place, nearest_colour(border_colour(picture)) == colour,
                     pictures.left_out(thing.name, colour, "middle"), prompt, picture))
    for title, chosen in (("all", rows), ("seen combinations", [row for row in rows if not row[2]]),
                          ("left-out combinations", [row for row in rows if row[2]])):
        print(f"things, {title}: first {percent(row[0] == 0 for row in chosen)}, "
              f"among five {percent(row[0] < 5 for row in chosen)}, "
              f"background {percent(row[1] for row in chosen)}")
    measure_sharpness([(*pair, row[4]) for pair, row in zip(pairs, rows)], gallery)
    return sorted(((row[0], row[3], row[4]) for row in rows), key=lambda row: row[0])


def fine_energy(picture):
    """Returns the energy of the luminance above a quarter of the sampling frequency, a pixel's share.

    Under a Hann window, so that the borders, which do not go on at the other side, do not count.
    """
    side = np.hanning(len(picture) + 2)[1:-1]
    light = (picture.astype(np.float64) @ (0.299, 0.587, 0.114)) * side[:, None] * side
    rows, columns = np.fft.fftfreq(light.shape[0]), np.fft.fftfreq(light.shape[1])
    fine = np.hypot(rows[:, None], columns) > 0.25
    return float(np.square(np.abs(np.fft.fft2(light)))[fine].sum() / light.size**2)


def painted_like(picture, thing, colour, glyphs):
    """Returns the thing itself where and as large as it is in the picture; None where nothing is."""
    box = bounds(thing_mask(picture))
    if box is None:
        return None
    top, bottom, left, right = box
    item = pictures.Item(thing, ((left + right) / 2, (top + bottom) / 2), max(bottom - top, right - left))
    return pictures.paint(pictures.Scene((item,), colour, True), glyphs)


def measure_sharpness(rows, gallery):
    """Prints the drawn pictures' fine energy as part of the painted ones'; rows: (thing, colour, picture)."""
    drawn = real = 0
    for thing, colour, picture in rows:
        like = painted_like(picture, thing, colour, gallery.glyphs)
        if like is not None:
            drawn, real = drawn + fine_energy(picture), real + fine_energy(like)
    print(f"sharpness: {drawn / real:.2f} of the painted pictures' fine energy" if real else "sharpness: none")


def measure_sides(drawer, gallery, count):
    """Prints how often both halves of two-thing pictures are right."""
    rng, right = random.Random(5), []
    pairs = [rng.sample(gallery.things, 2) for _ in range(count)]
    prompts = [f"{pictures.article(a.name, a.name)} on the left and "
               f"{pictures.article(b.name, b.name)} on the right on a white background"
               for a, b in pairs]
    for (a, b), picture in zip(pairs, drawer.pictures(prompts)):
        halves = picture[:, :64], picture[:, 64:]
        right.append(all(gallery.ranked(half, "white")[0] == thing.name
                         for half, thing in zip(halves, (a, b))))
    print(f"sides: both halves right {percent(right)}")


def sheet(path, tiles, columns=10):
    rows = [np.concatenate(tiles[start:start + columns], 1)
            for start in range(0, len(tiles) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--model", type=Path, default=ROOT / "resources" / "model")
    parser.add_argument("--results", type=Path, default=Path.home() / ".cache/svdiff-evaluation")
    parser.add_argument("--sheets", type=Path, help="folder for the contact sheets")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--sides", type=int, default=40)
    parser.add_argument("--svdiff", type=Path, help="the command that draws the pictures")
    chosen = parser.parse_args()
    results = chosen.results / weights_hash(chosen.model)
    if chosen.svdiff:
        drawer = CommandDrawer(chosen.model, results / "command", chosen.svdiff)
    else:
        drawer = Drawer(chosen.model, results)
        measure_autoencoder(chosen.model)
    gallery = Gallery()
    rows = measure_things(drawer, gallery, chosen.prompts)
    measure_sides(drawer, gallery, chosen.sides)
    if chosen.sheets:
        sheet(chosen.sheets / "best-and-worst.png",
              [row[2] for row in rows[:20]] + [row[2] for row in rows[-20:]])
        ranks = {row[1]: row[0] + 1 for row in rows[-20:]}
        print("worst:", json.dumps(ranks, indent=1))


if __name__ == "__main__":
    main()
