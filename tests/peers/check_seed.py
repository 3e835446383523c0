#!/usr/bin/env python3
"""Whether a seed gives the picture that diffusers' pipelines give: `svdiff generate --noise torch` beside
StableDiffusionPipeline and StableDiffusionImg2ImgPipeline with torch.Generator().manual_seed(seed), in float on the CPU.

    tests/peers/check_seed.py build/engine/svdiff [MODEL]

For samplers that draw noise as they go, and some that do not. Exit 1 when a picture differs by more than BOUND of -1..1."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    TCDScheduler,
)
from PIL import Image
from safetensors.torch import load_file

from reference import load

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
BOUND = 2e-3
PROMPT, NEGATIVE, SEED, STEPS = "a photo of a dog on the beach", "blurry", 11, 6
SDE = {"algorithm_type": "sde-dpmsolver++"}
# options of the command, class, what its config is given, what the call is given
CASES = [
    (["--sampler", "ddim"], DDIMScheduler, {}, {}),
    (["--sampler", "ddim", "--eta", "1"], DDIMScheduler, {}, {"eta": 1.0}),
    (["--sampler", "pndm"], PNDMScheduler, {"skip_prk_steps": True}, {}),
    (["--sampler", "euler", "--spacing", "karras"], EulerDiscreteScheduler, {"use_karras_sigmas": True}, {}),
    (["--sampler", "euler", "--timesteps", "trailing"], EulerDiscreteScheduler, {"timestep_spacing": "trailing"}, {}),
    (["--sampler", "euler-a"], EulerAncestralDiscreteScheduler, {}, {}),
    (["--sampler", "heun"], HeunDiscreteScheduler, {}, {}),
    (["--sampler", "dpm2-a"], KDPM2AncestralDiscreteScheduler, {}, {}),
    (["--sampler", "lcm"], LCMScheduler, {}, {}),
    (["--sampler", "tcd", "--eta", "0.3"], TCDScheduler, {}, {"eta": 0.3}),
    (["--sampler", "dpmpp-2m-sde", "--guidance-rescale", "0.7"], DPMSolverMultistepScheduler, SDE, {"guidance_rescale": 0.7}),
    (["--sampler", "dpmpp-3m-sde"], DPMSolverMultistepScheduler, {**SDE, "solver_order": 3}, {}),
]
INIT = FIXTURES / "pictures" / "paint.png"


def pipeline(model, kind, scheduler):
    parts = {"vae": model.vae, "text_encoder": model.text, "tokenizer": model.tokenizer, "unet": model.unet}
    pipe = kind(**parts, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(model, kind, case, **more):
    _, cls, config, call = case
    scheduler = cls.from_config(model.scheduler_config, **config)
    generator = torch.Generator().manual_seed(SEED)
    out = pipeline(model, kind, scheduler)(
        PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=5.0, generator=generator,
        output_type="np", **call, **more)
    return out.images[0] * 2 - 1


def ours(svdiff, model, options):
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        command = [svdiff, "generate", "--model", model, "--prompt", PROMPT, "--negative", NEGATIVE, "--seed", SEED]
        command += ["--steps", STEPS, "--guidance", 5, "--noise", "torch", "--precision", "f32", "--device", "cpu", "--quiet"]
        command += ["--trace", trace, "--output", Path(folder) / "out.png", *options]
        subprocess.run(list(map(str, command)), check=True)
        return load_file(trace)["image"][0].permute(1, 2, 0).numpy()


def main():
    svdiff, path = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else FIXTURES / "models" / "sd1"
    torch.set_grad_enabled(False)
    model, good = load(path), True
    size = Image.open(INIT).size
    for case in CASES:
        started = [(StableDiffusionPipeline, {"width": size[0], "height": size[1]}, ["--width", size[0], "--height", size[1]])]
        if case[0][1] in ("ddim", "euler-a", "dpmpp-2m-sde"):
            image = Image.open(INIT).convert("RGB")
            started.append((StableDiffusionImg2ImgPipeline, {"image": image, "strength": 0.7}, ["--init-image", INIT, "--strength", 0.7, "--width", size[0], "--height", size[1]]))
        for kind, more, options in started:
            if kind is StableDiffusionImg2ImgPipeline and "guidance_rescale" in case[3]:
                continue
            difference = numpy.abs(theirs(model, kind, case, **more) - ours(svdiff, path, [*case[0], *options])).max()
            good = good and difference <= BOUND
            print(f"{difference:.1e}  {kind.__name__}  {' '.join(case[0])}", flush=True)
    sys.exit(not good)


if __name__ == "__main__":
    main()
