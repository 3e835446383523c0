"""The twelve subsets of the UNet's weights that the paper's Table 1 compares (`learn --subset`).

Each is learned by itself, the text encoder left alone, as in the paper. What they are at Stable Diffusion 1.5's shapes is
`sizes`.
"""
from learning import Learning
from sizes import PAPER_KB
from table import interval, markdown, share

THINGS = ("fox", "rabbit", "octopus", "penguin", "ladybug")


def subset_learnings():
    return [Learning("svdiff", f"--no-text-encoder --subset {subset}", thing, 1)
            for subset in PAPER_KB for thing in THINGS]


def subsets_table(results):
    lines = []
    for subset in PAPER_KB:
        rows = results.find(options=f"--no-text-encoder --subset {subset}")
        if rows:
            lines.append([subset, rows[0]["values"], f"{int(rows[0]['bytes']) / 1e3:.0f} KB",
                          interval(*share(rows, "right")), interval(*share(rows, "ground"))])
    return markdown(["subset", "numbers learned", "file", "right, of 100", "ground, of 100"], lines)
