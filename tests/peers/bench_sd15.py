"""Times svdiff beside PyTorch on Stable Diffusion 1.5's shapes, on this machine, and prints a table of the ratios.

    bench_sd15.py SVDIFF [--model FOLDER] [--cache FILE] [--only ROW...] [--repeats 3] [--rounds 2]

The two sides run in turns, each alone in a process of its own, --rounds times; of each the best counts. svdiff's side is
`svdiff bench` or the whole command, PyTorch's is peer_sd15.py. The rows and their bounds are ROWS below: a ratio is the
part of PyTorch's time, or another row's, that svdiff takes. No download: weights are random; `generate` and the first step
read the model's files, which random_sd15.py FOLDER --dtype float16 writes.

Rows with avx2 are what a processor without AVX-512 has: oneDNN is told so on both sides, and svdiff's own loops are
those of a build without them, --svdiff-avx2:
    meson setup build-avx2 -Dc_args=-DCPU_WITHOUT_AVX512

Each figure goes to the cache file as it is measured; a run that was stopped goes on from there, and what stands in the
cache is not measured again (--fresh begins anew). --divide N divides all widths, for a trial of the script itself; the
command then runs on --model. Exit 1 when a bound is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import namedtuple
from datetime import date
from importlib.metadata import version
from pathlib import Path

PEER = Path(__file__).with_name("peer_sd15.py")
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
AVX2 |= {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}

# part: of both sides; bound: of svdiff's seconds by PyTorch's; memory: bound of svdiff's VmHWM in GiB; more: of the peer's
# command line; avx2: both sides without AVX-512; most: bound of the seconds themselves, of a row that svdiff runs alone;
# than: bounds of svdiff's seconds by those of other rows, (row, side, part)
Row = namedtuple(
    "Row", "name part precision side batch bound memory more avx2 most than", defaults=(None, None, (), False, None, ())
)
ALONE = ("start", "forward")  # parts without a peer
ROWS = [
    Row("generate bf16", "generate", "bf16", 512, 1, 0.65, 2.9),
    Row("generate f32", "generate", "f32", 512, 1),
    Row("until the first step bf16", "start", "bf16", 512, 1, most=3),
    Row("guided step bf16", "unet", "bf16", 512, 2, 0.6),
    Row("guided step f32", "unet", "f32", 512, 2, 0.75),
    Row("decode bf16", "decode", "bf16", 512, 1, 0.7),
    Row("decode f32", "decode", "f32", 512, 1),
    Row("forward 512 bf16", "forward", "bf16", 512, 1),
    Row(
        *("learn 512 bf16", "learn", "bf16", 512, 1, 1 / 7, 4, ("--checkpoint",)),
        than=(("learn 512 f32", "svdiff", 0.5), ("forward 512 bf16", "svdiff", 2.5 * 3)),
    ),
    Row("learn 512 f32", "learn", "f32", 512, 1, 1 / 7, 6, ("--checkpoint",)),
    Row("learn 256 x 2 bf16", "learn", "bf16", 256, 2, than=(("learn 256 x 2 f32", "PyTorch", 1 / 20),)),
    Row("learn 256 x 2 f32", "learn", "f32", 256, 2, 1 / 14),
    Row("spectra", "spectrum", "f32", 512, 1, 1 / 6),
    Row("guided step f32 avx2", "unet", "f32", 512, 2, 0.9, avx2=True),
]
DTYPES = {"f32": "float32", "bf16": "bfloat16"}


class Cache:
    """Figures by name, kept in a JSON file."""

    def __init__(self, path, fresh):
        self.path = Path(path)
        self.values = json.loads(self.path.read_text()) if self.path.exists() and not fresh else {}

    def figure(self, name, measure):
        if name not in self.values:
            self.values[name] = measure()
            self.path.write_text(json.dumps(self.values, indent=1) + "\n")
            print(f"  {name}: {self.values[name]}", flush=True)
        return self.values[name]


def seconds_of(said):
    """What a bench says it took; where that is the start of a run, until its first step begins."""
    return said["seconds"] - sum(s["seconds"] for s in said.get("stages", ()) if s["stage"] == "step")


def run(arguments, environment):
    """{"seconds", "max_rss"} of one process: the last object of its output that says seconds, else its own time."""
    began = os.times().elapsed
    process = subprocess.Popen(
        [str(a) for a in arguments], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = os.times().elapsed - began
    if status != 0:
        sys.exit(f"{' '.join(map(str, arguments))} failed with status {status}")
    said = [r for r in map(json.loads, filter(lambda l: l.startswith("{"), lines)) if "seconds" in r]
    return {"seconds": seconds_of(said[-1]) if said else elapsed, "max_rss": usage.ru_maxrss * 1024}


def ours(options, row):
    svdiff = options.svdiff_avx2 if row.avx2 else options.svdiff
    common = ["--precision", row.precision, "--threads", options.threads, "--width", row.side, "--height", row.side]
    environment = AVX2 if row.avx2 else {}
    if row.part == "generate":
        with tempfile.TemporaryDirectory() as folder:
            arguments = [svdiff, "generate", "a photo of a dog", "--model", options.model, "--steps", options.steps]
            arguments += ["--guidance", 7.5, "--seed", 1, "--quiet", "--output", Path(folder) / "dog.png"]
            return run(arguments + common, environment)
    part = "unet" if row.part == "forward" else row.part
    arguments = [svdiff, "bench", "--what", part, "--json", "--quiet", "--batch", row.batch]
    arguments += ["--repeats", options.repeats]
    if row.name.startswith("guided"): # what generate asks: two texts for the same latents
        arguments[arguments.index("--batch") + 1 :] = [1, "--texts", row.batch, "--repeats", options.repeats]
    own = options.divide > 1 or row.part == "start"
    arguments += ["--model", options.model] if own else ["--shapes", "sd15"]
    return run(arguments + common, environment)


def theirs(options, row):
    part = "svd" if row.part == "spectrum" else row.part
    arguments = [sys.executable, PEER, part, "--dtype", DTYPES[row.precision], "--side", row.side, "--batch", row.batch]
    arguments += ["--repeats", options.repeats, "--threads", options.threads, "--divide", options.divide, *row.more]
    if row.part == "generate":
        return run([*arguments, "--model", options.model, "--steps", options.steps], {})
    return run(arguments, AVX2 if row.avx2 else {})


SIDES = {"svdiff": ours, "PyTorch": theirs}


def measure(options, cache, row, side, number):
    return cache.figure(f"{row.name}, {side}, {number + 1}", lambda: SIDES[side](options, row))


def best(options, cache, row, side):
    """The best of all rounds, measured where it is not known."""
    figures = [measure(options, cache, row, side, number) for number in range(options.rounds)]
    return {k: min(f[k] for f in figures) for k in figures[0]}


def compare(options, cache, row):
    """The lines of the table; whether the row's bounds hold."""
    sides = ["svdiff"] if row.part in ALONE else ["svdiff", "PyTorch"]
    for number in range(options.rounds):  # in turns
        for side in sides:
            measure(options, cache, row, side, number)
    found = {side: best(options, cache, row, side) for side in sides}
    own, peer = found["svdiff"], found.get("PyTorch")
    memory = own["max_rss"] / 2**30
    ratio = own["seconds"] / peer["seconds"] if peer else None
    good = row.bound is None or ratio <= row.bound
    good = good and (row.memory is None or memory <= row.memory) and (row.most is None or own["seconds"] <= row.most)
    bound = f"{row.bound:.2f}" if row.bound else f"{row.most} s" if row.most else ""
    limit = f"{memory:.2f}" + (f" (at most {row.memory})" if row.memory else "")
    other = [f"{peer['seconds']:.2f}", f"{ratio:.2f}", f"{peer['max_rss'] / 2**30:.2f}"] if peer else [""] * 3
    cells = [row.name, f"{own['seconds']:.2f}", other[0], other[1], bound, limit, other[2], "" if good else "MISSED"]
    lines = [f"| {' | '.join(cells)} |"]
    for name, side, part in row.than:
        seconds = best(options, cache, next(r for r in ROWS if r.name == name), side)["seconds"]
        held = own["seconds"] <= part * seconds
        cells = [f"{row.name} by {name}, {side}", f"{own['seconds']:.2f}", f"{seconds:.2f}"]
        cells += [f"{own['seconds'] / seconds:.2f}", f"{part:.2f}", "", "", "" if held else "MISSED"]
        lines.append(f"| {' | '.join(cells)} |")
        good = good and held
    print("\n".join(lines), flush=True)
    return lines, good


def machine():
    """One line: processor, cores, versions, date."""
    names = [l.split(":", 1)[1].strip() for l in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in l]
    name = names[0] if names else platform.processor()
    libraries = ", ".join(f"{n} {version(n)}" for n in ("torch", "diffusers"))
    return f"{name}, {os.cpu_count()} processors, {libraries}, {date.today()}"


def main():
    names = [r.name for r in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svdiff", help="the built command")
    parser.add_argument("--svdiff-avx2", help="that of a build for AVX2, for the rows with avx2")
    parser.add_argument("--model", help="a diffusers folder, for generate; with --divide, of everything")
    parser.add_argument("--cache", default="bench_sd15.json", help="file of figures (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="measure all again")
    parser.add_argument("--only", nargs="+", choices=names, metavar="ROW", help=f"of: {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=2, help="how often both sides run, in turns")
    parser.add_argument("--repeats", type=int, default=3, help="of a step in one process")
    parser.add_argument("--steps", type=int, default=25, help="of generate; a trial of this script")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--divide", type=int, default=1, help="divide all widths; a trial of this script")
    options = parser.parse_args()
    if options.divide > 1 and options.model is None:
        parser.error("--divide needs --model")
    missing = {r.name for r in ROWS if r.avx2 and not options.svdiff_avx2}
    missing |= {r.name for r in ROWS if r.part in ("generate", "start") and not options.model}
    if options.only and missing & set(options.only):
        parser.error("rows with avx2 need --svdiff-avx2, and generate and the first step need --model")
    rows = [r for r in ROWS if r.name in (options.only or names) and r.name not in missing]
    cache = Cache(options.cache, options.fresh)
    print(cache.figure("machine", machine))
    results = [compare(options, cache, row) for row in rows]
    print("\n| row | svdiff, s | other, s | part | bound | GiB | other, GiB | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    print("\n".join(line for lines, _ in results for line in lines))
    sys.exit(0 if all(good for _, good in results) else 1)


if __name__ == "__main__":
    main()
