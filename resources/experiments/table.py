"""A committed CSV, a line for each learning that is done: what is there is not done again.

Lines of other weights of the model than those that are asked for stay, and count for nothing.
"""
import csv
import math
import os

from scipy import stats


class Table:
    """The lines of results/NAME.csv."""

    def __init__(self, path):
        self.path, self.rows = path, []
        if path.exists():
            with open(path, encoding="utf-8", newline="") as file:
                self.rows = list(csv.DictReader(file))

    def find(self, **wanted):
        """Returns the lines with these values."""
        return [row for row in self.rows if all(row[name] == str(value) for name, value in wanted.items())]

    def add(self, *lines):
        """Writes lines behind the others, which are on the disk when this returns."""
        new = not self.path.exists()
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(lines)
            file.flush()
            os.fsync(file.fileno())
        self.rows += [{name: str(value) for name, value in line.items()} for line in lines]


def share(rows, column):
    """Returns (mean, half of its 95 % interval), of 100, of a count of `drawn` pictures a row.

    A row is one learning, whose pictures are no independent ones: the interval is Student's over learnings.
    """
    parts = [100 * float(row[column]) / float(row["drawn"]) for row in rows]
    mean = sum(parts) / len(parts)
    if len(parts) < 2:
        return mean, math.nan
    deviation = math.sqrt(sum((part - mean) ** 2 for part in parts) / (len(parts) - 1))
    return mean, stats.t.ppf(0.975, len(parts) - 1) * deviation / math.sqrt(len(parts))


def markdown(titles, lines):
    """Returns the lines as a table in Markdown."""
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows) + "\n"


def interval(mean, half):
    return f"{mean:.0f}" if math.isnan(half) else f"{mean:.0f} ± {half:.0f}"
