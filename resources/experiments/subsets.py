"""The twelve subsets of the UNet's weights that the paper's Table 1 compares (`learn --subset`).

Each is learned by itself, the text encoder left alone, as in the paper. The file of SD 1.5's shapes is told by
`learn --estimate`'s kin: its numbers are counted from the shapes (see the README here); the paper's sizes stand beside.
"""
from learning import Learning
from table import interval, markdown, share

PAPER_KB = {"unet": 1404, "unet-ca": 194, "unet-ca-kv": 84.8, "unet-1d": 430, "unet-2d": 617, "unet-4d": 355,
            "up": 789, "down": 469, "mid": 135, "up-ca": 106, "down-ca": 70.4, "mid-ca": 17.7}
THINGS = ("fox", "rabbit", "octopus", "penguin", "ladybug")


def subset_learnings():
    return [Learning("svdiff", f"--no-text-encoder --subset {subset}", thing, 1)
            for subset in PAPER_KB for thing in THINGS]


def subsets_table(results):
    lines = []
    for subset, kilobytes in PAPER_KB.items():
        rows = results.find(options=f"--no-text-encoder --subset {subset}")
        if rows:
            lines.append([subset, rows[0]["values"], f"{int(rows[0]['bytes']) / 1e3:.0f} KB", f"{kilobytes:g} KB",
                          interval(*share(rows, "right")), interval(*share(rows, "ground"))])
    return markdown(["subset", "numbers learned", "file", "paper's file (SD 1.5)", "right, of 100", "ground, of 100"], lines)
