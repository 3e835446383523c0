#!/usr/bin/env python3
"""Makes the tables of README.md again: learns what is missing in results/*.csv, and writes the tables.

    python3 resources/experiments/make.py build/engine/svdiff [--only tried methods ..] [--minutes N]

It goes on where it was stopped, on another machine too: a learning that is done is a line in results/, which is
committed; files and pictures stay in a cache folder. Needs NumPy, SciPy and Pillow, Debian's
fonts-noto-color-emoji; for the edits and the successors PyTorch and diffusers, for the latter PEFT, too.
"""
import argparse
import time
from pathlib import Path

import correlation
import edits
import methods
import pairs
import sizes
import subsets
import successors
from learning import ROOT, Laboratory
from table import Table

HERE = Path(__file__).resolve().parent
KEY = ("method", "options", "thing", "seed")
NAMES = ("tried", "methods", "subsets", "correlation", "pairs", "edits", "successors")


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("svdiff", type=Path)
    parser.add_argument("--model", type=Path, default=ROOT / "resources" / "model")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/svdiff-experiments")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing more after so many")
    parser.add_argument("--report", action="store_true", help="only write the tables of what is there")
    return parser.parse_args()


class Experiments:
    """The tables, and what is still to be learned for them."""

    def __init__(self, laboratory):
        self.laboratory = laboratory
        self.tables = {name: Table(HERE / "results" / f"{name}.csv") for name in NAMES}
        for table in self.tables.values():
            table.rows = table.find(model=laboratory.hash)

    def learnings(self, name):
        names = [thing.name for thing in self.laboratory.known.things[:10]]
        return {"tried": methods.tried_learnings,
                "methods": lambda: methods.method_learnings(self.tables["tried"], names),
                "subsets": subsets.subset_learnings,
                "pairs": lambda: pairs.pair_learnings(self.tables["tried"]),
                "successors": successors.successor_learnings}[name]()

    def missing(self, name):
        return [learning for learning in self.learnings(name)
                if not self.tables[name].find(**{part: getattr(learning, part) for part in KEY})]

    def run_edits(self, end):
        """Makes the edits that are missing until the time is over; returns whether all of them are there."""
        editing, table = edits.Editing(self.laboratory, self.tables["tried"]), self.tables["edits"]
        for job in edits.jobs(self.laboratory.known.things):
            for way in editing.ways():
                if table.find(way=way, thing=job.thing.name):
                    continue
                if time.monotonic() > end:
                    return False
                line = editing.measured(job, way)
                table.add(line)
                print(f"edits: {way} {job.thing.name}: back {line['back']} dB", flush=True)
        return True

    def run_correlation(self, end):
        """Learns what is to be compared until the time is over, and compares it; returns whether all of it is there."""
        table, files = self.tables["correlation"], []
        if table.rows:
            return True
        for learning in correlation.correlation_learnings():
            if time.monotonic() > end:
                return False
            files.append((self.laboratory.learn(learning)[0], learning.thing))
        lines = correlation.compared(self.laboratory.svdiff, files, HERE / "results" / correlation.FIGURE)
        table.add(*({**line, "model": self.laboratory.hash, "date": time.strftime("%Y-%m-%d")} for line in lines))
        print(f"correlation: {len(files)} files", flush=True)
        return True

    def run(self, name, end):
        """Does what is missing of one experiment until the time is over; returns whether all of it is there."""
        if name in ("correlation", "edits"):
            return self.run_edits(end) if name == "edits" else self.run_correlation(end)
        measured = successors.measured if name == "successors" else Laboratory.measured
        for learning in self.missing(name):
            if time.monotonic() > end:
                return False
            line = measured(self.laboratory, learning)
            self.tables[name].add(line)
            print(f"{name}: {line['method']} {line['options']} {line['thing']} {line['seed']}: "
                  f"{line['right']} right, {line['ground']} on the background", flush=True)
        return True

    def texts(self):
        return {"tried": methods.tried_table(self.tables["tried"]),
                "methods": methods.methods_table(self.tables["methods"], self.tables["tried"]),
                "subsets": subsets.subsets_table(self.tables["subsets"]),
                "sizes": sizes.sizes_table(self.laboratory.svdiff),
                "correlation": correlation.correlation_table(self.tables["correlation"], "results"),
                "pairs": pairs.pairs_table(self.tables["pairs"], self.tables["tried"]),
                "edits": edits.edits_table(self.tables["edits"]),
                "successors": successors.successors_table(self.tables["successors"])}


def write_tables(path, texts):
    """Replaces what stands between <!-- NAME --> and <!-- / --> in the file."""
    page = path.read_text(encoding="utf-8")
    for name, text in texts.items():
        begin, end = f"<!-- {name} -->\n", "<!-- / -->"
        start = page.index(begin) + len(begin)
        page = page[:start] + "\n" + text + "\n" + page[page.index(end, start):]
    path.write_text(page, encoding="utf-8")


def main():
    chosen = options()
    experiments = Experiments(Laboratory(chosen.svdiff, chosen.model, chosen.cache))
    end = time.monotonic() + 60 * chosen.minutes
    for name in chosen.only if not chosen.report else ():
        if not experiments.run(name, end):
            break
    write_tables(HERE / "README.md", experiments.texts())


if __name__ == "__main__":
    main()
