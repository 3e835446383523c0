"""Holds a trace of `svdiff edit --trace` with inversion against diffusers.

    check_edit.py MODEL TRACE --subject SHIFT --target ... [the options of the run]

MODEL is the diffusers folder, SHIFT the file of what was learned (--shift). The run is repeated from the trace's
init_latents on its own noise: DDIM inversion, spherical interpolation, sampling with eta. The relative error, norm of
the difference over norm, of each tensor must be at most 1e-4. Exit 1 when it is not.

Models of random weights make a hundred times of a rounding within a few steps, in PyTorch as well: with --forced every
step starts from the trace's tensors, and each figure is one step's own error.
"""

import argparse
import sys

import torch
from safetensors.torch import load_file

from reinvert import edit
from reference import bake, load, relative
from replay import Job

BOUND = 1e-4


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("trace")
    parser.add_argument("--subject", required=True, help="the learned shifts")
    parser.add_argument("--target", required=True)
    parser.add_argument("--source", help="inverted under this prompt (the target)")
    parser.add_argument("--negative", default="")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--eta", type=float, default=0.25)
    parser.add_argument("--noise", type=float, default=0.25)
    parser.add_argument("--refine", type=int, default=0)
    parser.add_argument("--forced", action="store_true", help="start each step from the trace's latents")
    parser.add_argument("--double", action="store_true", help="run the reference in double")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_grad_enabled(False)
    trace = load_file(options.trace)
    model = load(options.model).to(torch.float64 if options.double else torch.float32)
    bake(model, [(load_file(options.subject), 1.0)])
    job = Job(
        prompt=options.target,
        negative=options.negative,
        steps=options.steps,
        guidance=options.guidance,
        eta=options.eta,
    )
    expected = edit(model, job, trace, (options.source or options.target, []), options.noise, options.refine, options.forced)
    worst = {}
    for name, want in expected.items():
        kind = name.rsplit(".", 1)[0]
        worst[kind] = max(worst.get(kind, 0), relative(trace[name], want) if name in trace else float("inf"))
    for kind, error in worst.items():
        print(f"{kind}: {error:.2e}")
    sys.exit(0 if all(error <= BOUND for error in worst.values()) else 1)


if __name__ == "__main__":
    main()
