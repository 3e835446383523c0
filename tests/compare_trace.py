#!/usr/bin/env python3
"""Runs svdiff as committed traces say and compares what it computes with what PyTorch computed.

    compare_trace.py SVDIFF TRACE... [--bf16|--f16] [--cuda]      a TRACE may be a folder of them
    compare_trace.py --files TRACE...      the files and folders of fixtures/ that these read, one a line

A trace in a folder of fixtures/traces that is called like a command has the command and its options in its metadata and
the expected tensors. Each is run with --trace, and every expected tensor must be there within its bound: the norm of
the difference over the norm of what is expected. --bf16, --f16: computed so, within the bounds of that precision.
--cuda: by the first device of NVIDIA's, within the same bounds. Prints TAP. Needs only Python itself.
"""

import array
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent / "fixtures"
FILES = ("model", "subject", "lora", "embedding", "image", "init-image", "mask", "region", "shift")
BOUNDS = {
    "generate": {"text_embeddings": 5e-6, "timesteps": 1e-7, "initial_noise": 1e-6, "step_noise": 1e-6,
                 "init_latents": 1e-5, "masked_image_latents": 1e-5},
    "edit": {"timesteps": 1e-7, "inversion_timesteps": 1e-7, "fresh_noise": 1e-6, "step_noise": 1e-6,
             "init_latents": 1e-5},
    "learn": {
        "latents": 1e-5,
        "noise": 1e-6,
        "noise_offset": 1e-6,
        "initial": 1e-6,
        "timestep": 0,
        "tokens": 0,
        "loss_weights": 1e-6,
        "regions": 1e-6,
        "subject_tokens": 0,
        "loss": 1e-5,
        "total_loss": 1e-5,
        "unmix_loss": 1e-4,
        "prior_loss": 1e-3,
        "gradient": 2e-3,
        "shift": 1e-3,
    },
}
OTHERS = 1e-4
# In bfloat16 a product is off by 2^-9 of its terms, and the fixtures' networks of random weights multiply that by 10 to
# 50 until the noise is predicted: real ones, whose predictions are large, by less. What is no product is as exact as ever.
# None: not compared, because it follows from differences of numbers that are near each other (what a step of inversion
# undoes, the gradient beside a target that is nearly met, and what Adam makes of its signs).
BF16_BOUNDS = {
    "text_embeddings": 2e-2, "init_latents": 1e-2, "masked_image_latents": 1e-2, "latents": 0.1,
    "noise_prediction": 0.4, "image": 0.1, "loss": 1e-2, "total_loss": 3e-2, "unmix_loss": 5e-2,
    "prior_loss": None, "gradient": None, "shift": None,
}
# Where a trace says what PyTorch's autocast misses of a loss, three times that is the bound if it is wider.
BF16_SLACK = 3
# Roundings of float16, whose mantissa is longer by so many bits.
F16_BITS = 3
# Under Adam an element whose gradient is lost in rounding moves as far as any other, in either direction. A trace names
# the tensors where PyTorch's own single precision misses its double so much that SLACK times that is the bound. Of
# inverted latents the fixtures' networks make a hundred times of a rounding in a step: there it is twice.
SLACK = {"generate": 1, "learn": 10, "edit": 2}


def read(path):
    """(metadata, {name: floats}) of a safetensors file; all its tensors are F32."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = {name: json.loads(text) for name, text in header.pop("__metadata__", {}).items() if text[:1] == "{"}
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            sys.exit(f"{path}: {name} is {entry['dtype']}, not F32")
        tensors[name] = array.array("f", data[slice(*entry["data_offsets"])])
    return metadata, tensors


def files(options):
    """What the command reads below fixtures/, with what it looks for beside that."""
    for name, value in options.items():
        if name.split("#")[0] not in FILES:
            continue
        path = FIXTURES / re.split("[:=]", value)[0]  # behind it a weight, a word or a prompt
        beside = [path.with_suffix(".config"), path.with_suffix(".tokenizer"), path.parent / "adapter_config.json"]
        yield from [path, *filter(Path.exists, beside)]


def relative(got, want):
    if len(got) != len(want):
        return math.inf
    error = math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(got, want)))
    size = math.sqrt(math.fsum(y * y for y in want))
    return error / size if size > 0 else error


def run(svdiff, options, folder, precision, device):
    """The trace that the program writes for these options."""
    trace, output = folder / "trace.safetensors", folder / "output.safetensors"
    if options["command"] in ("generate", "edit"):
        output = folder / "output.png"
    command = [svdiff, options["command"], "--quiet", "--device", device, "--precision", precision]
    command += ["--trace", trace, "--output", output]
    for name, value in options.items():
        if name != "command":
            name = name.split("#")[0]
            value = FIXTURES / value if name in FILES else value
            command += [f"--{name}", value] if value or name in ("prompt", "negative") else [f"--{name}"]
    private = {name: str(folder) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, **private}, stdout=sys.stderr)
    return read(trace)[1]


def compare(got, want, bounds, allowed):
    """Lines about each kind of tensor, and whether all are within their bounds, or within what is allowed by name."""
    worst, good, lines = {}, True, []
    for name, values in want.items():
        kind = name.split(".")[0]
        kind = kind if kind in bounds else kind.removeprefix("prior_")
        error = relative(got[name], values) if name in got else math.inf
        if name.startswith("prior_loss.") and math.isfinite(error):  # begins at zero: beside the step's loss
            beside = "loss." + name.split(".")[1]
            error = min(error, relative([*got[name], *got[beside]], [*values, *want[beside]]) * 100)
        if bounds.get(kind, OTHERS) is None:
            continue
        bound = max(bounds.get(kind, OTHERS), allowed.get(name, 0))
        good = good and error <= bound
        if not error - bound <= worst.get(kind, (-math.inf,))[0]:
            worst[kind] = (error - bound, error, name, bound)
    for kind, (_, error, name, bound) in sorted(worst.items()):
        lines.append(f"# {kind}: {error:.1e} at {name}, bound {bound:.0e}")
    return lines, good


def check(svdiff, path, precision, device):
    metadata, want = read(path)
    options = metadata["options"]
    bounds, slack, rounding = BOUNDS[options["command"]], SLACK[options["command"]], metadata.get("rounding", {})
    if precision != "f32":
        finer = 1 if precision == "bf16" else 2**F16_BITS
        rounded = {kind: bound and bound / finer for kind, bound in BF16_BOUNDS.items()}
        bounds, slack, rounding = bounds | rounded, BF16_SLACK / finer, metadata.get("rounding_bf16", {})
    with tempfile.TemporaryDirectory() as folder:
        try:
            got = run(svdiff, options, Path(folder), precision, device)
        except (OSError, subprocess.CalledProcessError) as problem:
            return [f"# {problem}"], False
    return compare(got, want, bounds, {name: slack * error for name, error in rounding.items()})


def main():
    if len(sys.argv) < 3 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    svdiff, given = sys.argv[1], [Path(a) for a in sys.argv[2:] if a[:2] != "--"]
    traces = [t for g in given for t in (sorted(g.glob("*.safetensors")) if g.is_dir() else [g])]
    if svdiff == "--files":
        named = {file for trace in traces for file in files(read(trace)[0]["options"])}
        print("\n".join(sorted(str(file.relative_to(FIXTURES)) for file in named)))
        return
    precision = next((word for word in ("bf16", "f16") if f"--{word}" in sys.argv), "f32")
    device = "cuda" if "--cuda" in sys.argv else "cpu"
    if device == "cpu" and precision == "bf16" and "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        print("1..0 # SKIP this CPU has no bfloat16 instructions")
        return
    print(f"1..{len(traces)}")
    failed = 0
    for number, path in enumerate(traces, 1):
        lines, good = check(svdiff, path, precision, device)
        failed += not good
        print("\n".join(lines))
        print(f"{'ok' if good else 'not ok'} {number} {path.stem}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
