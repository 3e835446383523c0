#!/usr/bin/env python3
"""Measures how well held-out things are learned by the command with the model's own defaults.

    python3 tests/model/learned.py build/engine/svdiff [--things 10] [--pictures 10]

For each held-out thing: `svdiff learn` from four of its shipped pictures, then 'a photo of a [V]
CLASS on a red background', drawn with and without the learned subject (without: 'a photo of a
CLASS ...'). Printed is how often the picture's nearest neighbour among all held-out things (the
feature space of evaluate.py) is the thing itself, how often the background is red, and the seconds
that learning took. Pictures and subjects stay in the results' folder, named after the weights'
hash, and a second run goes on where the first one stopped.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import evaluate
from training import pictures, things

COLOUR, PICTURES_TO_LEARN = "red", 4


def folder_name(thing):
    return thing.name.replace(" ", "-")


class Learner:
    """Runs the command for one thing after the other and keeps what it makes."""

    def __init__(self, svdiff, results, count, options):
        self.svdiff, self.results, self.count, self.options = svdiff, results, count, options
        results.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments):
        subprocess.run([self.svdiff, *arguments], check=True, stdout=subprocess.DEVNULL)

    def subject(self, thing):
        path = self.results / f"{folder_name(thing)}.safetensors"
        seconds = path.with_suffix(".seconds")
        if not path.exists():
            shipped = sorted((evaluate.ROOT / "resources/subjects" / folder_name(thing)).glob("*.png"))
            images = [part for picture in shipped[:PICTURES_TO_LEARN]
                      for part in ("--image", str(picture))]
            start = time.monotonic()
            self.run("learn", "--prompt", f"a photo of a [V] {thing.word}", *images, "--seed", "1",
                     "--quiet", "--output", str(path), *self.options)
            seconds.write_text(f"{time.monotonic() - start:.1f}")
        return path, float(seconds.read_text())

    def draw(self, name, prompt, *arguments):
        paths = [self.results / f"{name}-{number + 1}.png" for number in range(self.count)]
        if not all(path.exists() for path in paths):
            self.run("generate", "--prompt", prompt, "--count", str(self.count), "--seed", "1",
                     "--quiet", "--output", str(self.results / f"{name}.png"), *arguments)
        return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def right(drawn, known, thing):
    """Returns how many pictures have the thing as nearest neighbour, and how many are on red."""
    names = [other.name for other in known.things]
    nearest = [known.ranked(picture, COLOUR)[0] for picture in drawn]
    assert thing.name in names
    return (sum(name == thing.name for name in nearest),
            sum(evaluate.nearest_colour(evaluate.border_colour(picture)) == COLOUR
                for picture in drawn))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("svdiff", type=Path)
    parser.add_argument("--results", type=Path, default=Path.home() / ".cache/svdiff-learned")
    parser.add_argument("--things", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=10)
    parser.add_argument("--model", type=Path, default=evaluate.ROOT / "resources" / "model")
    parser.add_argument("--options", default="", help="more options for learn, in one string")
    chosen = parser.parse_args()
    known = evaluate.Gallery()
    known.things = things.held_out_things()
    model = ("--model", str(chosen.model))
    tag = evaluate.weights_hash(chosen.model) + chosen.options.replace(" ", "")
    learner = Learner(chosen.svdiff, chosen.results / tag, chosen.pictures,
                      chosen.options.split() + list(model))
    totals, seconds, rows = np.zeros(4, int), [], []
    for thing in known.things[:chosen.things]:
        prompt = f"a photo of a {{}}{thing.word} on a {COLOUR} background"
        path, spent = learner.subject(thing)
        seconds.append(spent)
        after = learner.draw(folder_name(thing), prompt.format("[V] "), "--subject", str(path), *model)
        before = learner.draw(folder_name(thing) + "-before", prompt.format(""), *model)
        counts = (*right(after, known, thing), *right(before, known, thing))
        totals += counts
        rows.append(np.concatenate(after + before[:2], 1))
        print(f"{thing.name}: {counts[0]} of {chosen.pictures} right (before: {counts[2]}), "
              f"{counts[1]} on red (before: {counts[3]}), {spent:.0f} s", flush=True)
    drawn = chosen.things * chosen.pictures
    print(f"all: {totals[0]} of {drawn} right (before: {totals[2]}), {totals[1]} on red (before: "
          f"{totals[3]}), learning took {np.mean(seconds):.0f} s, at most {max(seconds):.0f} s")
    Image.fromarray(np.concatenate(rows)).save(learner.results / "learned.png")
    print(learner.results / "learned.png", file=sys.stderr)


if __name__ == "__main__":
    main()
