"""A learning that is measured: `svdiff learn`, pictures of what it learned, and its line in a table.

One thing is learned from four of its shipped pictures; then come ten pictures of 'a photo of a [V] CLASS on a red
background'. `right` counts those whose nearest of the 30 held-out things (the feature space of tests/model/evaluate.py)
is the thing, `ground` those whose background is red: how like it is, and whether the prompt is still followed. Two
things are learned with their masks, as tests/model/mixed.py does; then come ten pictures of one beside the other on
blue, and ten of the other beside the one, which are `right` where each is the nearest in its half.
"""
import json
import math
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "resources"), str(ROOT / "tests" / "model")]

import edited  # noqa: E402, F401 (after the path is set)
import evaluate  # noqa: E402
import mixed  # noqa: E402
from learned import COLOUR, PICTURES_TO_LEARN, folder_name, right  # noqa: E402
from training import pictures, things  # noqa: E402

DRAWN = 10  # pictures of a prompt


def read(path):
    """Returns the picture in a file, [h, w, 3]."""
    return np.asarray(Image.open(path).convert("RGB"))


def header_of(path):
    """Returns (metadata, tensors by name) of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return header.pop("__metadata__", {}), header


def opened(method, path):
    """Returns (options of generate, what stands for [V] or for [V1] and [V2]) of a method's file.

    svdiff's word is [V]; textual inversion and Custom Diffusion have a word of the file's name; the rest say theirs.
    """
    said = header_of(path)[0]
    if method == "svdiff":
        return ["--subject", path], ["[V1]", "[V2]"] if "prompt.2" in said else ["[V]"]
    if method == "textual-inversion":
        return ["--embedding", path], [path.stem]
    if method == "custom-diffusion":
        return ["--lora", path, "--embedding", path.with_suffix(".word.safetensors")], [f"<{path.stem}>"]
    return ["--lora", path], [said[f"svdiff.placeholder{end}"] for end in ("", ".2")
                              if f"svdiff.placeholder{end}" in said]


@dataclass(frozen=True)
class Learning:
    """One learning: the method, its options in one string, the name of its thing, or of two (`A, B`), and the seed."""
    method: str
    options: str
    thing: str
    seed: int

    def stem(self):
        """A name for its files: letters and digits alone, since some methods make a word of it."""
        said = f"{self.method} {self.options} {self.thing} {self.seed}"
        return "".join(letter if letter.isalnum() else "x" for letter in said)


class Laboratory:
    """Runs the command, keeps what it makes in a folder, and judges it."""

    def __init__(self, svdiff, model, folder):
        self.svdiff, self.model = svdiff, model
        self.hash = evaluate.weights_hash(model)
        self.results = folder / self.hash
        self.results.mkdir(parents=True, exist_ok=True)
        self.known = evaluate.Gallery()
        self.known.things = things.held_out_things()

    def things_of(self, learning):
        by_name = {thing.name: thing for thing in self.known.things}
        return [by_name[name] for name in learning.thing.split(", ")]

    def run(self, *arguments):
        subprocess.run([self.svdiff, *arguments, "--model", self.model, "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)

    def learn(self, learning, *more):
        """Returns (the file, seconds); None for seconds where it lay there already and no more options are given."""
        path, learned = self.results / f"{learning.stem()}.safetensors", self.things_of(learning)
        if path.exists() and not more:
            return path, None
        arguments = []
        for thing in learned:
            arguments += ["--prompt", f"a photo of {pictures.article(f'[V] {thing.word}', '')}"]
            shipped = sorted((ROOT / "resources/subjects" / folder_name(thing)).glob("*.png"))[:PICTURES_TO_LEARN]
            masks = mixed.mask_files(self, thing) if len(learned) > 1 else [None] * PICTURES_TO_LEARN
            for picture, mask in zip(shipped, masks):
                arguments += ["--image", picture, *(("--mask", mask) if mask else ())]
        start = time.monotonic()
        self.run("learn", "--method", learning.method, *arguments, "--seed", str(learning.seed), "--output", path,
                 *learning.options.split(), *more)
        for spare in (".resume", ".csv"):
            Path(f"{path}{spare}").unlink(missing_ok=True)
        return path, time.monotonic() - start

    def draw(self, name, prompt, *options):
        """Returns pictures of the prompt, [h, w, 3] each."""
        self.run("generate", "--prompt", prompt, *options, "--count", str(DRAWN), "--seed", "1",
                 "--output", self.results / f"{name}-%d.png")
        return [read(self.results / f"{name}-{number}.png") for number in range(DRAWN)]

    def judged(self, learning, path, *options):
        """Draws what was learned; returns (pictures that are right, that have the background, all of them)."""
        learned, (files, words) = self.things_of(learning), opened(learning.method, path)
        if len(learned) == 1:
            thing = learned[0]
            prompt = f"a photo of {pictures.article(f'{words[0]} {thing.word}', '')} on a {COLOUR} background"
            return (*right(self.draw(path.stem, prompt, *files, *options), self.known, thing), DRAWN)
        pair, rows = mixed.Pair(*learned), []
        for order in mixed.ORDERS:
            rows += [(order, picture) for picture in
                     self.draw(f"{path.stem}-{order}", beside(pair, order, words), *files, *options)]
        grounds = [evaluate.nearest_colour(evaluate.border_colour(picture)) == mixed.COLOUR for _, picture in rows]
        return int(mixed.in_places(self.known, pair, rows).sum()), sum(grounds), len(rows)

    def measured(self, learning):
        """Learns, draws, and returns the line of a table."""
        path, seconds = self.learn(learning)
        count, ground, drawn = self.judged(learning, path)
        return {"method": learning.method, "options": learning.options, "thing": learning.thing,
                "seed": learning.seed, "model": self.hash, "right": count, "ground": ground, "drawn": drawn,
                "values": values_of(learning.method, path), "bytes": bytes_of(learning.method, path),
                "seconds": "" if seconds is None else f"{seconds:.1f}",
                "date": time.strftime("%Y-%m-%d"), "machine": machine()}


def beside(pair, order, words):
    """The prompt of two things, with the words that a method has for [V1] and [V2]."""
    text = pair.beside(order)
    for number, word in enumerate(words, 1):
        text = text.replace(f"[V{number}]", word)
    return text


def parts_of(method, path):
    return [path, path.with_suffix(".word.safetensors")] if method == "custom-diffusion" else [path]


def values_of(method, path):
    """Returns how many numbers were learned."""
    return sum(math.prod(tensor["shape"]) for part in parts_of(method, path)
               for name, tensor in header_of(part)[1].items() if not name.endswith(".alpha"))


def bytes_of(method, path):
    return sum(part.stat().st_size for part in parts_of(method, path))


def machine():
    """Returns the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
