"""Edits of one picture: DDIM inversion alone, null-text optimisation, full fine-tuning, and svdiff.

Pictures, edits and what counts are tests/model/edited.py's. `full` and `svdiff` learn the picture with its words and are
then inverted and drawn as `inversion` is, which learns nothing, at the rate that is best of those tried; `svdiff edit`
is the program's own edit with its defaults. `back`: how near the picture's own words give it back, in dB; null-text's with the guidance that it was
optimised for, the others' without. Imagic's step of fitting the target's embedding is left out of `full`.
"""
import time

import numpy as np
from learning import edited, read  # whose path it set
from methods import best_setting
from table import markdown

COLOUR, SCENE = edited.COLOUR, edited.SCENE

WAYS = ("inversion", "null-text", "full", "svdiff", "svdiff edit")
MARKS = ("back", "colour", "colour_subject", "scene", "scene_subject", "second", "second_subject")


def jobs(known, count=10):
    return [edited.Job(number, thing) for number, thing in enumerate(known[::max(1, len(known) // count)])][:count]


class Editing:
    """One picture's edits by each way; results lie in the laboratory's folder."""

    def __init__(self, laboratory, tried):
        self.laboratory, self.judge = laboratory, edited.Judge()
        self.best = {method: best_setting(tried, method) for method in ("full", "svdiff")}

    def ways(self):
        """Returns those whose best rate, where they have one, is known."""
        return [way for way in WAYS if self.best.get(way, "") is not None]

    def learn(self, job, method, path):
        """Learns the picture with its words, nothing kept of the class."""
        self.laboratory.run("learn", "--method", method, "--prompt", job.prompt, "--image", job.path, "--seed", "1",
                            "--prior-weight", "0", *(("--placeholder-rate", "0") if method == "svdiff" else ()),
                            "--output", path, *self.best[method].split())

    def inverter(self, job, way, path):
        """Returns the networks with what the way learned of the picture, and the size of that."""
        from inversion import Inverter  # here, since only the edits need PyTorch

        if way == "svdiff":
            self.learn(job, way, path)
            folder = path.with_suffix("")
            self.laboratory.run("convert", path, "--to", "folder", "--type", "f32", "--output", folder)
            return Inverter(folder), path.stat().st_size
        inverter = Inverter(self.laboratory.model)
        if way == "full":
            self.learn(job, way, path)
            inverter.add_differences(path)
            return inverter, path.stat().st_size
        return inverter, 0

    def pictures_by_inversion(self, job, way):
        """Returns (back, colour, scene, second), and the bytes that were learned."""
        path = self.laboratory.results / f"edit-{way}-{job.path.parent.name}.safetensors"
        inverter, size = self.inverter(job, way, path)
        trajectory, empties, guidance = inverter.inverted(read(job.path), job.prompt), None, 1
        if way == "null-text":
            empties, guidance = inverter.null_texts(trajectory, job.prompt), 4.5
            size = sum(4 * empty.numel() for empty in empties)
        back = inverter.drawn(trajectory[-1], job.prompt, guidance, empties)
        return [back, *(inverter.drawn(trajectory[-1], target, empties=empties) for target in
                        (job.says(COLOUR), job.says(SCENE), job.both()))], size

    def pictures_by_command(self, job):
        editor = edited.Editor(self.laboratory.svdiff, self.laboratory.results, ["--model", self.laboratory.model])
        drawn = [editor.draw(job, "back", job.prompt, "--structure", "1", "--guidance", "1")[0],
                 *(editor.draw(job, name, target)[0] for name, target in
                   (("colour", job.says(COLOUR)), ("scene", job.says(SCENE)), ("second", job.both())))]
        learned = self.laboratory.results / f"{job.path.parent.name}-{job.picture}.safetensors"
        return drawn, learned.stat().st_size

    def measured(self, job, way):
        """Edits the picture, and returns the line of a table."""
        start = time.monotonic()
        drawn, size = self.pictures_by_command(job) if way == "svdiff edit" else self.pictures_by_inversion(job, way)
        seconds, judge = time.monotonic() - start, self.judge
        back, colour, scene, second = drawn
        marks = (f"{edited.psnr(back, read(job.path)):.2f}",
                 edited.nearest_ground(colour) == COLOUR, judge.keeps(job, colour, COLOUR),
                 edited.nearest_ground(scene) == SCENE, judge.keeps(job, scene, SCENE),
                 judge.has_second(job, second), judge.keeps(job, second[:, :64], "white"))
        return {"way": way, "thing": job.thing.name, "model": self.laboratory.hash,
                **{name: mark if isinstance(mark, str) else int(mark) for name, mark in zip(MARKS, marks)},
                "bytes": size, "seconds": f"{seconds:.1f}", "date": time.strftime("%Y-%m-%d")}


def edits_table(results):
    lines = []
    for way in WAYS:
        rows = results.find(way=way)
        if rows:
            sums = [sum(int(row[name]) for row in rows) for name in MARKS[1:]]
            lines.append([way, f"{np.mean([float(row['back']) for row in rows]):.1f} dB",
                          *(f"{a}; {b}" for a, b in zip(sums[::2], sums[1::2])), len(rows),
                          f"{np.mean([float(row['seconds']) for row in rows]):.0f} s",
                          f"{np.mean([int(row['bytes']) for row in rows]) / 1e3:.0f} KB"])
    return markdown(["way", "back", "on red; subject", "in the snow; subject", "second thing; subject", "pictures",
                     "time", "file"], lines)
