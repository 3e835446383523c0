"""Holds what --estimate says against what runs take, on a model of true size: memory within 5 %, time within 25 %.

    check_estimate.py SVDIFF MODEL IMAGE [--cache FILE] [--only CASE...] [--fresh]

MODEL: a folder of random_sd15.py. Each case is one command, once with --estimate and once without; memory is VmHWM, time
the whole command's. Where what is told does not fit into what is free, the run takes the least that is told. A case that was measured is kept in the cache file and not run again. The first case of learning
also decomposes the model, unless its spectra are kept (`svdiff spectrum --model MODEL`): its time is then no case's.
Time means something on a quiet machine only, memory always. Exit 1 when a bound is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = {
    f"generate {precision} {steps}": ["generate", "a dog", "--steps", steps, "--precision", precision]
    for precision in ("bf16", "f32")
    for steps in (2, 8)
}
CASES["generate bf16 2 of two"] = ["generate", "a dog", "--steps", 2, "--precision", "bf16", "--count", 2]
CASES |= {
    f"learn {precision} {side} x {batch}": [
        *("learn", "--prompt", "a [V] dog", "--steps", 4, "--size", side, "--batch", batch, "--precision", precision)
    ]
    for precision in ("bf16", "f32")
    for side in (512, 256)
    for batch in (1, 2)
}


def run(arguments):
    """Output, seconds, processor's seconds and bytes of one process."""
    began = time.monotonic()
    process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(map(str, arguments))} failed with status {status}")
    return {
        "text": text,
        "seconds": time.monotonic() - began,
        "processor": usage.ru_utime + usage.ru_stime,
        "bytes": usage.ru_maxrss * 1024,
    }


def measure(options, case):
    with tempfile.TemporaryDirectory() as folder:
        arguments = [options.svdiff, *CASES[case], "--model", options.model, "--seed", 1]
        if CASES[case][0] == "generate":
            arguments += ["--width", 512, "--height", 512, "--output", Path(folder) / "a.png"]
        else:
            arguments += ["--image", options.image, "--output", Path(folder) / "a.safetensors"]
        told = json.loads(run([*arguments, "--estimate", "--json"])["text"])
        taken = run([*arguments, "--quiet"])
    return {
        "told_bytes": told["bytes"] if told["bytes"] <= told.get("available", told["bytes"]) else told["least_bytes"],
        "told_seconds": told["seconds"],
        **{k: taken[k] for k in ("bytes", "seconds", "processor")},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svdiff")
    parser.add_argument("model")
    parser.add_argument("image")
    parser.add_argument("--cache", type=Path, default=Path("check_estimate.json"))
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="CASE", default=list(CASES))
    parser.add_argument("--fresh", action="store_true", help="measure all again")
    options = parser.parse_args()
    kept = json.loads(options.cache.read_text()) if options.cache.exists() and not options.fresh else {}
    good = True
    print("| case | told, GiB | taken | part | told, s | taken | part | processor, s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for case in options.only:
        if case not in kept:
            kept[case] = measure(options, case)
            options.cache.write_text(json.dumps(kept, indent=1) + "\n")
        c = kept[case]
        memory, seconds = c["told_bytes"] / c["bytes"], c["told_seconds"] / c["seconds"]
        held = abs(memory - 1) <= 0.05 and abs(seconds - 1) <= 0.25
        good = good and held
        print(
            f"| {case} | {c['told_bytes'] / 2**30:.3f} | {c['bytes'] / 2**30:.3f} | {memory:.3f} "
            f"| {c['told_seconds']:.1f} | {c['seconds']:.1f} | {seconds:.2f} | {c['processor']:.1f} |"
            + ("" if held else " MISSED"),
            flush=True,
        )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
