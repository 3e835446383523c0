#!/usr/bin/env python3
"""Measures edits of single pictures by the command, with the model's own defaults.

    python3 tests/model/edited.py build/engine/svdiff [--things 10] [--sheets FOLDER]

One shipped picture of each of some held-out things is learned with its plain description and drawn
again:

    back      the description itself, --structure 1 and guidance 1: how near it comes to the
              picture, in dB (PSNR of 8-bit pixels)
    colour    'a photo of a CLASS on a red background'
    scene     'a photo of a CLASS in the snow'
    second    'a CLASS on the left and a NAME on the right on a white background': a thing of the
              training beside it, for which the subject makes room

Printed is whether the background is as asked, whether the subject's nearest neighbour among all
held-out things (the feature space of evaluate.py) is still the thing itself, for the second thing
whether its half's nearest of all training things is the named one, and the seconds that the first
edit of a picture and the next ones took. Backgrounds are told from each other by the picture's
left and right edges, row by row. The sheet shows for each thing the picture, what came back, and
the edits; a second one the colour's edit at other --structure. Pictures stay in the results'
folder, named after the weights' hash, and a second run goes on where the first one stopped.
"""
import argparse
import subprocess
import time
from pathlib import Path

import evaluate
import numpy as np
from PIL import Image
from training import pictures, subjects, things

COLOUR, SCENE = "red", "snow"
SECONDS = ("lion", "car", "rose", "panda", "rocket", "pizza", "umbrella", "dog", "banana", "house")
STRUCTURES = (1, 0.75, 0.5, 0.25, 0)


def ground_words(ground):
    """Returns the words of a caption for a background."""
    if ground in pictures.COLOURS:
        return f"on {pictures.article(ground, '')} background"
    return pictures.SCENES[ground]


class Job:
    """One picture: what it shows and what is made of it."""

    def __init__(self, number, thing):
        self.thing = thing
        self.picture = number % len(subjects.GROUNDS) + 1
        self.path = (evaluate.ROOT / "resources/subjects" / thing.name.replace(" ", "-") /
                     f"{self.picture}.png")
        self.subject = pictures.article(thing.word, thing.word)
        self.second = SECONDS[number % len(SECONDS)]
        self.prompt = self.says(subjects.GROUNDS[self.picture - 1])

    def says(self, ground):
        return f"a photo of {self.subject} {ground_words(ground)}"

    def both(self):
        return (f"{self.subject} on the left and {pictures.article(self.second, self.second)} "
                "on the right on a white background")


class Editor:
    """Runs the command and keeps what it makes."""

    def __init__(self, svdiff, results, options):
        self.svdiff, self.results, self.options = svdiff, results, options
        results.mkdir(parents=True, exist_ok=True)

    def draw(self, job, name, target, *arguments):
        """Returns the picture and the seconds that the command took."""
        stem = f"{job.path.parent.name}-{job.picture}"
        path = self.results / f"{stem}-{name}.png"
        seconds = path.with_suffix(".seconds")
        if not seconds.exists():
            start = time.monotonic()
            subprocess.run([self.svdiff, "edit", "--image", job.path, "--prompt", job.prompt, "--target",
                            target, "--shift", self.results / f"{stem}.safetensors", "--seed", "1",
                            "--quiet", "--output", path, *self.options, *arguments], check=True,
                           stdout=subprocess.DEVNULL)
            seconds.write_text(f"{time.monotonic() - start:.1f}")
        return np.asarray(Image.open(path).convert("RGB")), float(seconds.read_text())


def rows_ground(picture):
    """Returns the median colour of the left and right edge of every row, [rows, 1, 3]."""
    edge = np.concatenate([picture[:, :4], picture[:, -4:]], 1)
    return np.median(edge, 1)[:, None]


def nearest_ground(picture):
    """Returns which of all colours and scenes the edges are nearest to."""
    found = rows_ground(picture)
    grounds = [*pictures.COLOURS, *pictures.SCENES]
    return min(grounds, key=lambda name: np.abs(
        found - rows_ground(pictures.paint_ground(name))).sum())


def psnr(picture, other):
    error = np.square(picture.astype(np.float64) - other).mean()
    return 10 * np.log10(255 ** 2 / error)


class Judge:
    """Says what is in a picture."""

    def __init__(self):
        self.subjects = evaluate.Gallery(rows_ground)
        self.subjects.things = things.held_out_things()
        self.known = evaluate.Gallery()

    def keeps(self, job, picture, ground):
        return self.subjects.ranked(picture, ground)[0] == job.thing.name

    def has_second(self, job, picture):
        return self.known.ranked(picture[:, 64:], "white")[0] == job.second


def yes(value):
    return "yes" if value else "no"


def measure(editor, judge, job):
    """Prints the figures of one picture; returns them and its row of the sheet."""
    source = np.asarray(Image.open(job.path).convert("RGB"))
    back, first = editor.draw(job, "back", job.prompt, "--structure", "1", "--guidance", "1")
    colour, spent = editor.draw(job, "colour", job.says(COLOUR))
    scene, _ = editor.draw(job, "scene", job.says(SCENE))
    both, _ = editor.draw(job, "second", job.both())
    found = [nearest_ground(colour) == COLOUR, judge.keeps(job, colour, COLOUR),
             nearest_ground(scene) == SCENE, judge.keeps(job, scene, SCENE),
             judge.has_second(job, both), judge.keeps(job, both[:, :64], "white")]
    figures = (psnr(back, source), first, spent)
    print(f"{job.thing.name} ({ground_words(subjects.GROUNDS[job.picture - 1])}): back "
          f"{figures[0]:.1f} dB; {COLOUR}: {yes(found[0])}, subject {yes(found[1])}; {SCENE}: "
          f"{yes(found[2])}, subject {yes(found[3])}; {job.second} beside it: {yes(found[4])}, subject "
          f"{yes(found[5])}; {first:.0f} s, then {spent:.0f} s", flush=True)
    return figures, found, [source, back, colour, scene, both]


def structure_row(editor, job):
    """The picture, and the colour's edit from all to nothing of its structure kept."""
    drawn = [editor.draw(job, f"structure-{value}", job.says(COLOUR), "--structure", str(value))[0]
             for value in STRUCTURES]
    return [np.asarray(Image.open(job.path).convert("RGB")), *drawn]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("svdiff", type=Path)
    parser.add_argument("--results", type=Path, default=Path.home() / ".cache/svdiff-edited")
    parser.add_argument("--things", type=int, default=10)
    parser.add_argument("--sheets", type=Path, help="folder for the contact sheets")
    parser.add_argument("--rows", type=int, default=5, help="of the sheet of structures")
    parser.add_argument("--model", type=Path, default=evaluate.ROOT / "resources" / "model")
    parser.add_argument("--options", default="", help="more options for edit, in one string")
    chosen = parser.parse_args()
    tag = evaluate.weights_hash(chosen.model) + chosen.options.replace(" ", "")
    editor = Editor(chosen.svdiff, chosen.results / tag,
                    ["--model", chosen.model, *chosen.options.split()])
    judge, known = Judge(), things.held_out_things()
    jobs = [Job(number, thing)
            for number, thing in enumerate(known[::max(1, len(known) // chosen.things)])]
    jobs = jobs[:chosen.things]
    figures, found, rows = zip(*(measure(editor, judge, job) for job in jobs))
    back, first, then = np.array(figures).T
    right = np.array(found).sum(0)
    print(f"all {len(jobs)}: back {back.mean():.1f} dB, at least {back.min():.1f}; {COLOUR}: {right[0]}, "
          f"subject {right[1]}; {SCENE}: {right[2]}, subject {right[3]}; second thing: {right[4]}, "
          f"subject {right[5]}; {first.mean():.0f} s, then {then.mean():.0f} s")
    if chosen.sheets:
        chosen.sheets.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in rows])).save(
            chosen.sheets / "edited.png", optimize=True)
        swept = [np.concatenate(structure_row(editor, job), 1) for job in jobs[:chosen.rows]]
        Image.fromarray(np.concatenate(swept)).save(chosen.sheets / "structure.png", optimize=True)


if __name__ == "__main__":
    main()
