#!/usr/bin/env python3
"""Asks a person what the model drew.

    python3 tests/model/guessed.py draw FOLDER --svdiff build/engine/svdiff [--seed N] [--things 40]
    python3 tests/model/guessed.py compare FOLDER GUESSES

draw: 'a NAME' for things that the seed chooses among those that the model knows, one picture each, drawn by
the command with the model's own defaults: FOLDER/sheet.png, numbered, and FOLDER/answers.txt, where the
person does not look. Without --seed it is a new one. compare: GUESSES has a line a picture, 'NUMBER NAME';
each is told beside what it was, and how many are right. A guess is right that is the thing's name, or one of
its words where no other thing of the sheet has it.
"""
import argparse
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import evaluate
from training import pictures, things

COLUMNS, LABEL = 8, 20


def draw(chosen):
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 31)
    known = random.Random(seed).sample(things.training_things(), chosen.things)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    tiles = []
    for number, thing in enumerate(known, 1):
        path = chosen.folder / f"{number}.png"
        subprocess.run([chosen.svdiff, "generate", "--quiet", "--force", "--model", chosen.model, "--prompt",
                        pictures.article(thing.name, thing.name), "--seed", str(seed % (1 << 30) + number),
                        "--output", path], check=True, stdout=subprocess.DEVNULL)
        tiles.append(labelled(Image.open(path).convert("RGB"), str(number)))
        print(f"drawn {number} of {len(known)}", file=sys.stderr)
    rows = [np.concatenate(tiles[start:start + COLUMNS], 1) for start in range(0, len(tiles), COLUMNS)]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    Image.fromarray(np.concatenate(rows)).save(chosen.folder / "sheet.png")
    lines = [f"{number} {thing.name}\n" for number, thing in enumerate(known, 1)]
    (chosen.folder / "answers.txt").write_text(f"seed {seed}\n" + "".join(lines), encoding="utf-8")


def labelled(picture, text):
    """Returns the picture as an array below its label."""
    tile = Image.new("RGB", (picture.width, picture.height + LABEL), "white")
    tile.paste(picture, (0, LABEL))
    ImageDraw.Draw(tile).text((4, 3), text, "black", ImageFont.load_default(14))
    return np.asarray(tile)


def numbered(path):
    """Returns {number: name} of the file's lines; others are left out."""
    lines = (line.strip().partition(" ") for line in path.read_text(encoding="utf-8").splitlines())
    return {int(number): name.strip().lower() for number, _, name in lines if number.isdigit()}


def is_right(guess, answer, names):
    """Whether the guess means this name of the sheet's names and no other."""
    if guess == answer:
        return True
    meant = [name for name in names if guess in name.split()]
    return meant == [answer]


def compare(chosen):
    answers, guesses = numbered(chosen.folder / "answers.txt"), numbered(chosen.guesses)
    names, right = list(answers.values()), 0
    for number, answer in sorted(answers.items()):
        good = is_right(guesses.get(number, ""), answer, names)
        right += good
        print(f"{number:3} {'right' if good else 'wrong'}  {guesses.get(number, '-')}: {answer}")
    print(f"{right} of {len(answers)} right")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    ways = parser.add_subparsers(required=True)
    way = ways.add_parser("draw")
    way.add_argument("folder", type=Path)
    way.add_argument("--svdiff", type=Path, required=True)
    way.add_argument("--model", type=Path, default=evaluate.ROOT / "resources" / "model")
    way.add_argument("--seed", type=int)
    way.add_argument("--things", type=int, default=40)
    way.set_defaults(run=draw)
    way = ways.add_parser("compare")
    way.add_argument("folder", type=Path)
    way.add_argument("guesses", type=Path)
    way.set_defaults(run=compare)
    chosen = parser.parse_args()
    chosen.run(chosen)


if __name__ == "__main__":
    main()
