"""Holds a trace of `svdiff generate --trace` against diffusers.

    check_generate.py MODEL TRACE --prompt "a photo of a sks dog" [the options of the run]

MODEL is the diffusers folder or single file (its configs in X.config/ beside it) the trace was made with. The run
is repeated with diffusers' and transformers' own classes on the trace's own noise, and the relative error, norm of
the difference over norm, of each tensor is held against its bound: 5e-6 for the text embeddings, 1e-4 for
every noise prediction, the latents and the picture. Options not given are read from the trace's metadata where it
has them (prompt, negative, steps, guidance, sampler, spacing, eta, strength). Exit 1 when a bound is passed.
With a folder of `svdiff convert --lora FILE --to folder` as MODEL, a trace of a run with --lora FILE says whether
diffusers draws with the one what the engine draws with the other.
"""

import argparse
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from reference import bake, load, relative
from replay import Job, generate

BOUNDS = {"text_embeddings": 5e-6, "timesteps": 1e-6}
BOUND = 1e-4
OPTIONS = {
    "prompt": (str, ""),
    "negative": (str, ""),
    "steps": (int, None),
    "guidance": (float, 7.5),
    "sampler": (str, "ddim"),
    "spacing": (str, "normal"),
    "eta": (float, 0.0),
    "strength": (float, 1.0),
}


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("trace")
    for name, (kind, _) in OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind, help="as given to svdiff generate")
    parser.add_argument("--subject", action="append", default=[], metavar="FILE[:SCALE]", help="may be repeated")
    parser.add_argument("--region", action="append", default=[], metavar="TEXT", help="text of a region; may be repeated")
    parser.add_argument("--forced", action="store_true", help="start each step from the trace's latents (for debugging)")
    parser.add_argument("--double", action="store_true", help="run the reference in double")
    parser.add_argument("--all", action="store_true", help="print every tensor's error, not the largest of each kind")
    return parser.parse_args(argv)


def read_trace(path):
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    return load_file(path), metadata


def job_of(options, metadata, trace):
    """The run's options: command line, then metadata, then defaults; steps from the tensors at the last."""
    values = {}
    for name, (kind, default) in OPTIONS.items():
        value = getattr(options, name)
        if value is None and name in metadata:
            value = kind(metadata[name])
        values[name] = default if value is None else value
    if values["steps"] is None:
        if values["strength"] < 1:
            sys.exit("--steps is needed with --strength")
        values["steps"] = len(trace["timesteps"])
    return Job(**values, subjects=[read_subject(s) for s in options.subject], regions=options.region)


def read_subject(text):
    path, colon, scale = text.rpartition(":")
    try:
        return load_file(path if colon else text), float(scale) if colon else 1.0
    except ValueError:
        return load_file(text), 1.0


def compare(trace, expected, show_all=False):
    """Prints errors by kind of tensor; True when all are within their bounds."""
    worst, good = {}, True
    for name, want in expected.items():
        kind = name.rsplit(".", 1)[0] if name[-1].isdigit() else name
        got = trace.get(name)
        if got is None:
            print(f"{name}: not in the trace")
            good = False
            continue
        if name == "text_embeddings" and len(got) == 1:
            want = want[1:]
        error = relative(got, want)
        if show_all:
            print(f"  {name}: {error:.2e}")
        if error != error or error >= worst.get(kind, ("", -1.0))[1]:
            worst[kind] = (name, error)
    for kind, (name, error) in worst.items():
        bound = BOUNDS.get(kind, BOUND)
        within = error <= bound
        good = good and within
        print(f"{kind}: {error:.2e} at {name}, bound {bound:.0e}: {'ok' if within else 'TOO LARGE'}")
    return good


def main():
    options = parse()
    torch.set_grad_enabled(False)
    trace, metadata = read_trace(options.trace)
    job = job_of(options, metadata, trace)
    model = load(options.model).to(torch.float64 if options.double else torch.float32)
    if job.subjects:
        bake(model, job.subjects)
    expected = generate(model, job, trace, options.forced)
    sys.exit(0 if compare(trace, expected, options.all) else 1)


if __name__ == "__main__":
    main()
