"""How much each of the paper's subsets is at Stable Diffusion 1.5's shapes, beside the paper's Table 1.

`svdiff learn --estimate` counts what would learn, and what the file would be, on a model whose files have true headers
and holes in the place of values (tests/fixtures/headers/sd15): nothing is learned.
"""
import json
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from learning import ROOT
from table import markdown

# of Table 1, in KiB, and of the whole, UNet and text encoder, in MiB
PAPER_KB = {"unet": 1404, "unet-ca": 194, "unet-ca-kv": 84.8, "unet-1d": 430, "unet-2d": 617, "unet-4d": 355,
            "up": 789, "down": 469, "mid": 135, "up-ca": 106, "down-ca": 70.4, "mid-ca": 17.7}
PAPER_ALL_MB = 1.7


def with_holes(folder):
    """Gives each safetensors file below a folder the length that its header says."""
    for path in folder.glob("*/*.safetensors"):
        with open(path, "rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            entries = json.loads(file.read(length))
        entries.pop("__metadata__", None)
        os.truncate(path, 8 + length + max(entry["data_offsets"][1] for entry in entries.values()))


def estimate(svdiff, model, subset, *options):
    """Returns (numbers, tensors, bytes of the file) that learning a subset has."""
    said = subprocess.run([svdiff, "learn", "--model", model, "--prompt", "a photo of a [V] fox", "--image",
                           ROOT / "resources/subjects/fox/1.png", "--subset", subset, *options, "--placeholder-rate",
                           "0", "--output", model / "no.safetensors", "--estimate", "--json", "--quiet"],
                          check=True, capture_output=True, text=True).stdout
    counted = json.loads(said)
    return counted["values"], counted["tensors"], counted["methods"]["svdiff"]


def line(name, counted, paper):
    """A line of the table; paper: bytes."""
    values, tensors, size = counted
    return [name, f"{values:,}", tensors, f"{size / 1024:,.0f}", f"{paper / 1024:,.4g}",
            *(f"{(whole - 4 * values) / tensors:.0f}" for whole in (size, paper))]


def sizes_table(svdiff):
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "sd15"
        shutil.copytree(ROOT / "tests/fixtures/headers/sd15", model)
        with_holes(model)
        lines = [line(subset, estimate(svdiff, model, subset, "--no-text-encoder"), 1024 * kilobytes)
                 for subset, kilobytes in PAPER_KB.items()]
        lines.append(line("unet and text encoder", estimate(svdiff, model, "unet", "--text-encoder"),
                          1024 ** 2 * PAPER_ALL_MB))
    return markdown(["subset", "numbers", "tensors", "file, KiB", "paper's, KiB", "a tensor beyond its numbers, bytes",
                     "paper's"], lines)
