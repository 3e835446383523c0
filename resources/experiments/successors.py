"""SVDiff's published successors in its place, each form (formed.py) at four rates.

Three things, seed 1; rotations have smaller rates, since an angle moves a whole vector. All forms learn in PyTorch on the draws of one `svdiff learn`, its own form among them, and
`svdiff generate` draws what they learned.
"""
import copy
import shutil
import subprocess
import sys
import time
from pathlib import Path

from learning import COLOUR, DRAWN, Learning, header_of, machine, pictures, right
from methods import RATES as RATES_OF_METHODS
from methods import TRIED_ON
from table import markdown

SHIFTS, ANGLES = RATES_OF_METHODS["svdiff"], (0.001, 0.003, 0.006, 0.01)
RATES = {"svdiff": SHIFTS, "svft-banded": SHIFTS, "svft-random": SHIFTS, "lora-xs": SHIFTS, "spectral-adapter": ANGLES,
         "soda": ANGLES}


def successor_learnings():
    return [Learning(form, f"--learning-rate {rate}", thing, 1) for thing in TRIED_ON for form in RATES
            for rate in RATES[form]]


def traced(laboratory, thing):
    """Returns (trace, subject file) of svdiff's learning of a thing, which takes place once."""
    trace = laboratory.results / f"{thing}.trace"
    path = laboratory.learn(Learning("svdiff", "", thing, 1), *(() if trace.exists() else ("--trace", trace)))[0]
    return trace, path


def measured(laboratory, learning):
    """Learns in PyTorch, draws, and returns the line of a table."""
    trace, subject = traced(laboratory, learning.thing)
    folder, start = laboratory.results / learning.stem(), time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, Path(__file__).with_name("formed.py"), learning.method, laboratory.model, trace,
                    learning.options.split()[1], folder], check=True)
    seconds, drawing = time.monotonic() - start, copy.copy(laboratory)
    drawing.model, thing = folder, laboratory.things_of(learning)[0]
    word = header_of(subject)[0]["placeholder"]
    drawn = drawing.draw(folder.name, f"a photo of {pictures.article(f'{word} {thing.word}', '')} on a {COLOUR} background")
    shutil.rmtree(folder)
    count, ground = right(drawn, laboratory.known, thing)
    return {"method": learning.method, "options": learning.options, "thing": learning.thing, "seed": learning.seed,
            "model": laboratory.hash, "right": count, "ground": ground, "drawn": DRAWN,
            "seconds": f"{seconds:.1f}", "date": time.strftime("%Y-%m-%d"), "machine": machine()}


def successors_table(results):
    lines = []
    for form, rates in RATES.items():
        for rate in rates:
            rows = results.find(method=form, options=f"--learning-rate {rate}")
            counts = [f"{sum(int(row[name]) for row in rows)} of {DRAWN * len(rows)}" for name in ("right", "ground")]
            if rows:
                lines.append([form, rate, *counts])
    return markdown(["form", "rate", "right", "ground"], lines)
