#!/usr/bin/env python3
"""Measures how well the command learns two held-out things together and keeps them apart.

    python3 tests/model/mixed.py build/engine/svdiff [--sheets FOLDER] [--minutes N] [--no-masks]

Four pairs, each learned from the four shipped pictures that learned.py takes, with masks of the things as one would
select them, because that is how a picture is learned in an editor; or, with --no-masks, without:

    rabbit, guitar          unlike in class, colour and shape
    penguin, owl            the same class word, bird, and both tall
    deer, beaver            the same class word, animal, and the same brown
    ladybug, strawberry     other classes, but both red and round

in three ways that differ in nothing else: `plain` (--cut-mix 0), `mixed` (cut and mixed, no unmix loss) and `unmixed`
(both). Of each, 40 pictures of 'A on the left and B on the right on a blue background', the first half of them with A
and B swapped, the seeds the same for all ways. Two are recognised each in its place when the nearest neighbour of each
half of the picture, among all held-out things in the feature space of evaluate.py, is the thing that belongs there.
Then, of `unmixed`: the same pictures with the classes as negative prompt; and with the places said by regions instead of
words, and with these swapped. Of each pair also: two subjects learned from one picture that shows both, with two masks,
drawn alone and together; and subjects learned alone, drawn together in regions from their two files.

Everything the model does is done by the command; each of its runs is one step. Results stay in a folder that is named
after the hash of the weights and the options, and a second run goes on where the first one stopped, at any moment.
"""
import argparse
import json
import math
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import evaluate
from training import pictures, subjects, things

PAIRS = (("rabbit", "guitar"), ("penguin", "owl"), ("deer", "beaver"), ("ladybug", "strawberry"))
WAYS = {"plain": ("--cut-mix", "0"), "mixed": ("--unmix-weight", "0"), "unmixed": ()}
# none of the things is blue; a white rabbit on white has no outline to be known by
COLOUR, LEARNED, SIDE = "blue", 4, 128
GROUND = f"on a {COLOUR} background"
ORDERS = (0, 1)


@dataclass(frozen=True)
class Pair:
    a: things.Thing
    b: things.Thing

    @property
    def name(self):
        return f"{self.a.name}-{self.b.name}"

    def of(self, order):
        """The things from left to right."""
        return (self.a, self.b) if order == 0 else (self.b, self.a)

    def words(self, order):
        """Their words from left to right."""
        both = [pictures.article(f"[V{i + 1}] {thing.word}", "") for i, thing in enumerate((self.a, self.b))]
        return both if order == 0 else both[::-1]

    def beside(self, order):
        left, right = self.words(order)
        return f"{left} on the left and {right} on the right {GROUND}"


def picture_files(thing):
    folder = evaluate.ROOT / "resources/subjects" / thing.name.replace(" ", "-")
    return sorted(folder.glob("*.png"))[:LEARNED]


class Runner:
    """Runs the command, one step a call, and keeps what it made."""

    def __init__(self, chosen, results):
        self.svdiff, self.model, self.results = str(chosen.svdiff), str(chosen.model), results
        self.options, self.pictures = chosen.options.split(), chosen.pictures // 2
        self.draw_options, self.plan_only = chosen.draw_options.split(), chosen.report
        self.ways, self.masks = chosen.ways, not chosen.no_masks
        self.until = time.monotonic() + 60 * chosen.minutes if chosen.minutes else math.inf
        results.mkdir(parents=True, exist_ok=True)

    def may_run(self):
        return not self.plan_only and time.monotonic() < self.until

    def command(self, *arguments):
        return [self.svdiff, arguments[0], *arguments[1:], "--model", self.model]

    def learn(self, name, *arguments):
        """The subject file and what was said of the run, or None when it was not learned in this time."""
        path, said = self.results / f"{name}.safetensors", self.results / f"{name}.json"
        if not said.exists():
            if not self.may_run():
                return None
            said.write_text(json.dumps(self._learn(path, arguments)))
        return path, json.loads(said.read_text())

    def _learn(self, path, arguments):
        command = self.command("learn", *arguments, "--seed", "1", "--json", "--output", str(path), *self.options)
        print(f"  learns {path.stem}", file=sys.stderr, flush=True)
        start, facts = time.monotonic(), {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            for line in process.stdout:
                event = json.loads(line)
                if event.get("phase") == "learn":
                    facts["seconds"] = round(time.monotonic() - start, 1)
                if event["event"] in ("apart", "error"):
                    facts[event["event"]] = event
        if process.returncode:
            sys.exit(f"{' '.join(command)}: {facts.get('error')}")
        return facts

    def draw(self, name, count, *arguments, first=1):
        """Pictures with the seeds from `first` on, or None when they were not drawn in this time."""
        paths = [self.results / (f"{name}-{i + 1}.png" if count > 1 else f"{name}.png") for i in range(count)]
        if not all(path.exists() for path in paths):
            if not self.may_run():
                return None
            print(f"  draws {name}", file=sys.stderr, flush=True)
            subprocess.run(self.command("generate", *arguments, "--count", str(count), "--seed", str(first), "--quiet",
                                        "--output", str(self.results / f"{name}.png"), *self.draw_options), check=True)
        return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


# learning and drawing


def learn_pair(runner, pair, way):
    arguments = []
    for thing in (pair.a, pair.b):
        arguments += ["--prompt", f"a photo of {pictures.article('[V] ' + thing.word, '')}"]
        for path, mask in zip(picture_files(thing), mask_files(runner, thing)):
            arguments += ["--image", str(path), *(("--mask", str(mask)) if runner.masks else ())]
    return runner.learn(f"{pair.name}-{way}", *arguments, *WAYS[way], "--apart-pictures", "8")


def learn_alone(runner, thing):
    arguments = [part for path in picture_files(thing) for part in ("--image", str(path))]
    return runner.learn(f"{thing.name}-alone", "--prompt", f"a photo of {pictures.article('[V] ' + thing.word, '')}",
                        *arguments)


def both_orders(runner, name, draw):
    """[(order, picture)] of both orders, or None while some are missing. draw(order): options of generate."""
    rows = []
    for order in ORDERS:
        drawn = runner.draw(f"{name}-{order}", runner.pictures, *draw(order), first=1 + order * runner.pictures)
        if drawn is None:
            return None
        rows += [(order, picture) for picture in drawn]
    return rows


def region_masks(runner):
    """Files of the two halves' masks, with a margin that belongs to neither."""
    paths = []
    for name, span in (("left", slice(4, 62)), ("right", slice(66, 124))):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[20:108, span] = 255
        path = runner.results / f"region-{name}.png"
        if not path.exists():
            Image.fromarray(mask).save(path)
        paths.append(path)
    return paths


def in_regions(runner, pair, order):
    """Options that say the places by masks: the thing that is left for this order has the left one."""
    left, right = region_masks(runner)
    words = pair.words(order)
    return ["--prompt", f"{' and '.join(pair.words(0))} {GROUND}", "--region", f"{left}={words[0]}",
            "--region", f"{right}={words[1]}"]


def paint_mask(items, glyphs):
    """How much of each pixel the items cover, as one would select them."""
    two = [pictures.paint(pictures.Scene(items, ground, True), glyphs).astype(int) for ground in ("white", "black")]
    # a pixel's share of the things is what the two grounds do not show
    shown = (two[0] - two[1]).mean(2) / (255 - 20)
    return Image.fromarray(np.clip(255 * (1 - shown) + 0.5, 0, 255).astype(np.uint8))


def mask_files(runner, thing):
    glyphs, paths = things.Glyphs(), []
    for number, scene in enumerate(subjects.subject_scenes(thing)[:LEARNED], 1):
        paths.append(runner.results / f"{thing.name}-mask-{number}.png")
        if not paths[-1].exists():
            paint_mask(scene.items, glyphs).save(paths[-1])
    return paths


def paint_scene(runner, pair):
    """One picture with both things and a mask of each: [picture, mask of a, mask of b]."""
    glyphs = things.Glyphs()
    items = [pictures.Item(thing, pictures.CENTRES[place], 58, place) for thing, place in ((pair.a, "left"), (pair.b, "right"))]
    paths = [runner.results / f"{pair.name}-scene{end}.png" for end in ("", "-a", "-b")]
    Image.fromarray(pictures.paint(pictures.Scene(tuple(items), "turquoise", True), glyphs)).save(paths[0])
    for item, path in zip(items, paths[1:]):
        paint_mask((item,), glyphs).save(path)
    return paths


# measuring


def in_places(gallery, pair, rows):
    """Whether both are recognised each in its place, for each of the rows (order, picture)."""
    half = SIDE // 2
    return np.array([all(gallery.ranked(part, COLOUR)[0] == thing.name for part, thing in
                         zip((picture[:, :half], picture[:, half:]), pair.of(order))) for order, picture in rows])


def seam_of(rows):
    """The change across the middle over that around it: within two pixels, and to an eighth of the width."""
    change = [np.abs(np.diff(picture.astype(float), axis=1)).mean((0, 2)) for _, picture in rows]
    columns = np.arange(1, SIDE) - SIDE // 2
    near, far = np.abs(columns) <= 2, (np.abs(columns) > 2) & (np.abs(columns) <= SIDE // 8)
    return np.mean([c[near].mean() for c in change]) / max(np.mean([c[far].mean() for c in change]), 1e-9)


def share(right):
    """'31 of 40 (62 to 88)': with Wilson's interval, of 100."""
    n, k, z = len(right), int(np.sum(right)), 1.96
    middle, spread = (k + z * z / 2) / (n + z * z), z * math.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    return f"{k} of {n} ({100 * (middle - spread):.0f} to {100 * (middle + spread):.0f})"


def difference(right, before):
    """'+35 (20 to 50)' of 100: the mean of the paired differences with its interval."""
    each = right.astype(float) - before.astype(float)
    spread = 1.96 * each.std(ddof=1) / math.sqrt(len(each))
    return f"{100 * each.mean():+.0f} ({100 * (each.mean() - spread):.0f} to {100 * (each.mean() + spread):.0f})"


def others_share(facts):
    """Attention on the subjects' words in the other's region, mean over both."""
    return float(np.mean([subject["others"] for subject in facts["apart"]["subjects"]]))


# the steps of one pair


def ways_of(runner, gallery, pair, table):
    rights = {}
    for way in runner.ways:
        learned = learn_pair(runner, pair, way)
        rows = learned and both_orders(runner, f"{pair.name}-{way}", lambda order: (
            "--prompt", pair.beside(order), "--subject", str(learned[0])))
        if not rows:
            continue
        rights[way] = in_places(gallery, pair, rows)
        line = f"{pair.name}, {way}: {share(rights[way])}"
        line += f", against plain {difference(rights[way], rights['plain'])}" if way != "plain" and "plain" in rights else ""
        line += f", attention on the wrong region {100 * others_share(learned[1]):.0f} of 100"
        line += f", seam {seam_of(rows):.2f} (told: {learned[1]['apart'].get('seam', 0):.2f}), {learned[1]['seconds']} s"
        print(line, flush=True)
        table.append([picture for _, picture in rows[:5] + rows[runner.pictures:runner.pictures + 5]])


def unseam_of(runner, gallery, pair, table):
    learned = learn_pair(runner, pair, "unmixed")
    for choice in ("classes", "swapped"):
        rows = learned and both_orders(runner, f"{pair.name}-{choice}", lambda order: (
            "--prompt", pair.beside(order), "--subject", str(learned[0]), "--unseam", choice))
        if rows:
            print(f"{pair.name}, negative prompt {choice}: {share(in_places(gallery, pair, rows))}, "
                  f"seam {seam_of(rows):.2f}", flush=True)
            table.append([picture for _, picture in rows[:5] + rows[runner.pictures:runner.pictures + 5]])


def regions_of(runner, gallery, pair, table):
    learned = learn_pair(runner, pair, "unmixed")
    rows = learned and both_orders(runner, f"{pair.name}-regions", lambda order: (
        *in_regions(runner, pair, order), "--subject", str(learned[0])))
    if rows:
        print(f"{pair.name}, in regions, then swapped: {share(in_places(gallery, pair, rows))}", flush=True)
        table.append([picture for _, picture in rows[:5] + rows[runner.pictures:runner.pictures + 5]])


def files_of(runner, gallery, pair, table):
    learned = [learn_alone(runner, thing) for thing in (pair.a, pair.b)]
    if not all(learned):
        return
    rows = both_orders(runner, f"{pair.name}-files", lambda order: (
        *in_regions(runner, pair, order), *(part for file, _ in learned for part in ("--subject", str(file)))))
    if rows:
        print(f"{pair.name}, in regions from two files: {share(in_places(gallery, pair, rows))}", flush=True)
        table.append([picture for _, picture in rows[:5] + rows[runner.pictures:runner.pictures + 5]])


def scene_of(runner, gallery, pair, table):
    """Two subjects of one picture."""
    if runner.may_run():
        paint_scene(runner, pair)
    scene, *masks = (runner.results / f"{pair.name}-scene{end}.png" for end in ("", "-a", "-b"))
    arguments = []
    for thing, mask in zip((pair.a, pair.b), masks):
        arguments += ["--prompt", f"a photo of {pictures.article('[V] ' + thing.word, '')}", "--image", str(scene)]
        arguments += ["--mask", str(mask)]
    learned = runner.learn(f"{pair.name}-scene", *arguments, "--apart-pictures", "0")
    if not learned:
        return
    count, counts, shown = runner.pictures, [], []
    for which, thing in enumerate((pair.a, pair.b)):
        drawn = runner.draw(f"{pair.name}-scene-only-{which}", count, "--prompt",
                            f"a photo of {pair.words(0)[which]} {GROUND}", "--subject", str(learned[0]))
        if not drawn:
            return
        counts.append(share([gallery.ranked(picture, COLOUR)[0] == thing.name for picture in drawn]))
        shown += drawn[:3]
    rows = both_orders(runner, f"{pair.name}-scene-both", lambda order: (
        "--prompt", pair.beside(order), "--subject", str(learned[0])))
    if rows:
        print(f"{pair.name}, from one picture: {counts[0]} and {counts[1]} alone, "
              f"{share(in_places(gallery, pair, rows))} together", flush=True)
        table.append(shown + [picture for _, picture in rows[:2] + rows[runner.pictures:runner.pictures + 2]])


STEPS = {"ways": ways_of, "regions": regions_of, "unseam": unseam_of, "scene": scene_of, "files": files_of}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("svdiff", type=Path)
    parser.add_argument("--model", type=Path, default=evaluate.ROOT / "resources" / "model")
    parser.add_argument("--results", type=Path, default=Path.home() / ".cache/svdiff-mixed")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets, one for each part")
    parser.add_argument("--pairs", type=int, nargs="+", choices=range(1, 5), default=range(1, 5))
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS), help="parts to measure")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="ways of learning to measure")
    parser.add_argument("--no-masks", action="store_true", help="learn the pairs from pictures without masks")
    parser.add_argument("--pictures", type=int, default=40, help="of each pair and way")
    parser.add_argument("--options", default="", help="more options for learn, in one string")
    parser.add_argument("--draw-options", default="", help="more options for generate")
    parser.add_argument("--minutes", type=float, help="begin nothing more after so many minutes")
    parser.add_argument("--report", action="store_true", help="only print what is there")
    chosen = parser.parse_args()
    known = evaluate.Gallery()
    known.things = things.held_out_things()
    by_name = {thing.name: thing for thing in known.things}
    pairs = [Pair(*(by_name[name] for name in PAIRS[number - 1])) for number in chosen.pairs]
    tag = evaluate.weights_hash(chosen.model) + (chosen.options + chosen.draw_options).replace(" ", "")
    tag += "-no-masks" if chosen.no_masks else ""
    runner = Runner(chosen, chosen.results / tag)
    for step in chosen.steps:
        table = []
        for pair in pairs:
            STEPS[step](runner, known, pair, table)
        if chosen.sheets and table:
            chosen.sheets.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.concatenate([np.concatenate(row, 1) for row in table])).save(
                chosen.sheets / f"mixed-{step}.png", optimize=True)


if __name__ == "__main__":
    main()
