"""PyTorch's side of bench_sd15.py: one measurement in a process of its own, so that its memory and its settings are its own.

    peer_sd15.py PART [--dtype bfloat16] [--side 512] [--batch 1] [--repeats 3] [--model FOLDER] [--divide N]
        [--device cuda] [--compile]

Prints {"seconds": ...} as the last line. Networks have random weights but where a model's files are read; without
diffusers the UNet is that of sd15_unet.py, which computes the same. --compile: unet and decode by torch.compile.
    generate  the whole of a diffusers script, from its imports to the written picture: 25 steps of DDIM, guidance
              7.5, from the files of --model
    unet      UNet forward of two, which is a guided step
    decode    latents to a picture
    learn     learning step of all UNet shifts that rebuilds U diag(relu(s + d)) Vt, a dense diagonal, at each forward,
              as svdiff-pytorch does, with AdamW; --checkpoint runs segments again on the way back
    svd       torch.linalg.svd over every matrix of the UNet: one of each shape is timed and counted as often as the
              shape occurs
All are channels-last.
"""

import time

BEGAN = time.perf_counter()

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

import torch


def best_of(repeats, run):
    """Seconds of the fastest of some runs, after two that do not count: until the device is done, if there is one."""
    wait = torch.cuda.synchronize if torch.cuda.is_initialized() else lambda: None
    times = []
    for _ in range(repeats + 2):
        begin = time.perf_counter()
        run()
        wait()
        times.append(time.perf_counter() - begin)
    return min(times[2:])


def generate(options, dtype):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        options.model, dtype=dtype, safety_checker=None, requires_safety_checker=False
    )
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.Generator().manual_seed(1)
    result = pipeline(
        "a photo of a dog",
        num_inference_steps=options.steps,
        guidance_scale=7.5,
        width=options.side,
        height=options.side,
        generator=noise,
    )
    with tempfile.TemporaryDirectory() as folder:
        result.images[0].save(Path(folder) / "dog.png")
    return time.perf_counter() - BEGAN


def make_unet(options):
    """A UNet with random weights, without grad."""
    torch.manual_seed(0)
    try:
        from diffusers import UNet2DConditionModel

        from random_sd15 import configs
    except ImportError:
        from sd15_unet import UNet

        unet = UNet(options.divide)
    else:
        unet = UNet2DConditionModel.from_config(configs(options.divide)[0])
    return unet.requires_grad_(False).eval().to(options.device)


def compiled(options, network):
    return torch.compile(network) if options.compile else network


def inputs(options, dtype):
    n, side = options.batch, options.side // 8
    latents = torch.randn(n, 4, side, side, dtype=dtype, device=options.device)
    text = torch.randn(n, 77, 768 // options.divide, dtype=dtype, device=options.device)
    timestep = torch.full((n,), 500, device=options.device)
    return latents.contiguous(memory_format=torch.channels_last), timestep, text


def unet(options, dtype):
    network = compiled(options, make_unet(options).to(dtype).to(memory_format=torch.channels_last))
    latents, timestep, text = inputs(options, dtype)
    with torch.inference_mode():
        return best_of(options.repeats, lambda: network(latents, timestep, encoder_hidden_states=text).sample)


def decode(options, dtype):
    from diffusers import AutoencoderKL

    from random_sd15 import configs

    torch.manual_seed(0)
    network = AutoencoderKL.from_config(configs(options.divide)[1]).requires_grad_(False).eval()
    network = compiled(options, network.to(options.device, dtype).to(memory_format=torch.channels_last))
    latents = inputs(options, dtype)[0]
    with torch.inference_mode():
        return best_of(options.repeats, lambda: network.decode(latents).sample)


def rebuilt(module, dtype):
    """Makes a module build its weight from a shift at each forward, as svdiff-pytorch does. Returns the shift."""
    weight = module._parameters.pop("weight").detach()
    if weight.ndim == 1:
        weight = weight.to(dtype)
        size = torch.linalg.vector_norm(weight)
        shift = torch.zeros(1, requires_grad=True, device=weight.device)
        build = lambda: weight * (torch.relu(size + shift) / size).to(dtype)
    else:
        rows, columns, shape = weight.shape[0], weight[0].numel(), weight.shape
        rank = min(rows, columns)
        device = weight.device
        u = (torch.randn(rows, rank, device=device) / rows**0.5).to(dtype)
        v = (torch.randn(rank, columns, device=device) / columns**0.5).to(dtype)
        sigma = torch.linspace(1, 0.01, rank, device=device)
        shift = torch.zeros(rank, requires_grad=True, device=device)
        del weight
        build = lambda: (u @ torch.diag(torch.relu(sigma + shift)).to(dtype) @ v).reshape(shape)

    def before(module, arguments):
        module.weight = build()

    module.weight = None
    module.register_forward_pre_hook(before)
    return shift


def learn(options, dtype):
    network = make_unet(options)
    modules = [m for m in network.modules() if getattr(m, "weight", None) is not None]
    shifts = [rebuilt(m, dtype) for m in modules]
    network.to(dtype)  # biases; the shifts, which the optimiser holds, stay in float32
    if options.checkpoint:
        network.train()
        network.enable_gradient_checkpointing()
    optimizer = torch.optim.AdamW(shifts, lr=1e-3, weight_decay=1e-2)
    latents, timestep, text = inputs(options, dtype)
    target = torch.randn_like(latents)

    def step():
        loss = (network(latents, timestep, encoder_hidden_states=text).sample - target).float().square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(shifts, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return best_of(options.repeats, step)


def svd(options, dtype):
    from diffusers import UNet2DConditionModel

    from random_sd15 import configs

    with torch.device("meta"):
        network = UNet2DConditionModel.from_config(configs(options.divide)[0])
    weights = [p for n, p in network.named_parameters() if n.endswith(".weight") and p.ndim > 1]
    shapes = Counter((w.shape[0], w[0].numel()) for w in weights)
    torch.linalg.svd(torch.randn(64, 64))  # the library's own start does not count
    total = 0
    for shape, count in sorted(shapes.items()):
        x = torch.randn(shape)
        begin = time.perf_counter()
        torch.linalg.svd(x, full_matrices=False)
        total += count * (time.perf_counter() - begin)
    return total


PARTS = {"generate": generate, "unet": unet, "decode": decode, "learn": learn, "svd": svd}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model")
    parser.add_argument("--divide", type=int, default=1)
    parser.add_argument("--checkpoint", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.device != "cpu":
        torch.cuda.init()
    print(json.dumps({"seconds": PARTS[options.part](options, getattr(torch, options.dtype))}))


if __name__ == "__main__":
    main()
