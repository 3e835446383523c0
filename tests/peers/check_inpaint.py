"""Holds a trace of `svdiff generate --mask --trace` with an inpainting model against diffusers' inpainting pipeline.

    check_inpaint.py MODEL TRACE PICTURE --prompt ... [the options of the run]

MODEL is the diffusers folder that the trace was made with. PICTURE must have the working size (--width, --height, the
model's own by default) and the mask must reach far enough that all of it was shown: then nothing was scaled. The
pipeline runs on the trace's noise; the relative error, norm of the difference over norm, of the latents after each step
and of the picture must be at most 1e-4. Exit 1 when it is not.
"""

import argparse
import sys

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file

from inpaint import inpaint
from reference import load, relative
from replay import Job, encode

BOUND = 1e-4


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "trace", "picture"):
        parser.add_argument(name)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--negative", default="")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--strength", type=float, default=0.75)
    parser.add_argument("--sampler", default="ddim")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_grad_enabled(False)
    trace = load_file(options.trace)
    model = load(options.model)
    values = numpy.asarray(Image.open(options.picture).convert("RGB"), dtype=numpy.float32)
    picture = torch.from_numpy(values / 127.5 - 1).permute(2, 0, 1)[None]
    job = Job(
        prompt=options.prompt,
        negative=options.negative,
        steps=options.steps,
        guidance=options.guidance,
        sampler=options.sampler,
        strength=options.strength,
    )
    masked = picture * (torch.nn.functional.interpolate(trace["mask"], scale_factor=8) < 0.5)
    expected = {
        "init_latents": encode(model, picture, trace["init_latents_noise"]),
        "masked_image_latents": encode(model, masked, trace["masked_image_latents_noise"]),
    }
    expected.update(inpaint(model, job, {**trace, **expected}, picture))
    errors = {name: relative(trace[name], want) for name, want in expected.items()}
    for name, error in errors.items():
        print(f"{name}: {error:.2e}")
    sys.exit(0 if all(error <= BOUND for error in errors.values()) else 1)


if __name__ == "__main__":
    main()
