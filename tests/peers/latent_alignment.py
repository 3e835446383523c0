"""How much the image alignment of `svdiff evaluate` without CLIP says: of the things that ship, how often two pictures of
one thing are more alike than two of different things.

    latent_alignment.py SVDIFF

Each picture of resources/subjects is a reference in turn, and all pictures are judged beside it.
"""

import json
import subprocess
import sys
from pathlib import Path

SUBJECTS = Path(__file__).resolve().parents[2] / "resources" / "subjects"


def row(svdiff, folders, reference):
    """The alignment of each picture with one, by (thing, file)."""
    command = [svdiff, "evaluate", "--prompts", "x", "--references", reference, "--json", "--threads", "1"]
    command += [word for folder in folders for word in ("--pictures", folder)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    (result,) = [r for r in map(json.loads, lines) if "points" in r]
    return {(r["name"], r["picture"]): r["image_alignment"] for r in result["pictures"]}


def main():
    folders = sorted(f for f in SUBJECTS.iterdir() if f.is_dir())
    same, other, nearest, pictures = [], [], 0, 0
    for folder in folders:
        for picture in sorted(folder.glob("*.png")):
            own = (folder.name, picture.name)
            found = {k: v for k, v in row(sys.argv[1], folders, picture).items() if k != own}
            same += [v for k, v in found.items() if k[0] == own[0]]
            other += [v for k, v in found.items() if k[0] != own[0]]
            nearest += max(found, key=found.get)[0] == own[0]
            pictures += 1
    wins = sum(sum(a > b for b in other) for a in same) / len(same) / len(other)
    print(f"{pictures} pictures of {len(folders)} things")
    print(f"same thing: {sum(same) / len(same):.3f}, different things: {sum(other) / len(other):.3f}")
    print(f"the same is nearer {100 * wins:.1f} times in 100; the nearest picture is of the same {100 * nearest / pictures:.1f} times")


if __name__ == "__main__":
    main()
