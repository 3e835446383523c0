"""How alike the shifts of things are (the paper's Figure 9a): `svdiff compare` over several things and learning rates.

Each thing is learned at several rates, one seed. A cell is the mean cosine of the shifts of two things, over layers
and over all pairs of their files; on the diagonal the files of one thing at different rates.
"""
import csv
import subprocess
import tempfile
from itertools import product
from pathlib import Path

from learning import Learning
from table import markdown

THINGS = ("fox", "rabbit", "octopus", "penguin", "ladybug")
RATES = (0.003, 0.006, 0.01)
FIGURE = "correlation.svg"


def correlation_learnings():
    return [Learning("svdiff", f"--learning-rate {rate} --learning-rate-1d {rate}", thing, 1)
            for thing, rate in product(THINGS, RATES)]


def compared(svdiff, files, figure):
    """Compares files, [(path, thing)]; writes the figure and returns the lines that compare says of each pair."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        subprocess.run([svdiff, "compare", *(f"{path}={thing}" for path, thing in files), "--groups", "--quiet",
                        "--csv", table, "--plot", figure], check=True, stdout=subprocess.DEVNULL)
        with open(table, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def correlation_table(results, folder):
    """The cosines over all layers, then means of the diagonal and of the rest for each group of layers."""
    rows = results.rows
    if not rows:
        return markdown(["", *THINGS], [])
    # compare says each pair once
    cosine = {(row["group"], *names): float(row["cosine"]) for row in rows if row["cosine"]
              for names in ((row["first"], row["second"]), (row["second"], row["first"]))}
    groups = list(dict.fromkeys(row["group"] for row in rows))
    lines = [[one, *(f"{cosine[groups[0], one, other]:.3f}" for other in THINGS)] for one in THINGS]
    means = [[group, mean(cosine, group, True), mean(cosine, group, False)] for group in groups]
    return "\n".join([markdown(["", *THINGS], lines),
                      f"![The same with its scale, and for each group of layers]({folder}/{FIGURE})\n",
                      markdown(["layers", "one thing, other rates", "two things"], means)])


def mean(cosine, group, diagonal):
    values = [value for (layers, one, other), value in cosine.items() if layers == group and (one == other) == diagonal]
    return f"{sum(values) / len(values):.3f}" if values else ""
