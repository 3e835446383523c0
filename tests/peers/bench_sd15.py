"""Times svdiff beside PyTorch on Stable Diffusion 1.5's shapes, on this machine, and prints the ratios.

    bench_sd15.py SVDIFF [--cache FILE] [--only unet learn memory spectrum]

Random weights, no download. Measured, peer and command in turns:
    unet      UNet forward, 512x512, batch 2: diffusers channels-last in float32 and bfloat16, the better one,
              against the command's better one                                        at least as fast
    learn     learning step of all UNet shifts, 256x256, batch 2, float32: the formulation that rebuilds
              U diag(relu(s + d)) Vt, a dense diagonal, at each forward               at least 6 times faster
    memory    VmHWM of the command's learning step at 512x512, batch 1, float32       below 7 GiB
    spectrum  torch.linalg.svd over every matrix of the UNet (one of each shape is timed and counted as
              often as the shape occurs) against the command over all of them         at least 4 times faster
Each figure goes to the cache file as it is measured; a run that was stopped goes on from there, and what stands in the
cache is not measured again (--fresh begins anew). --divide N divides all widths, for a trial of the
script itself; the command then runs on --model. Exit 1 when a bound is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

import reference  # quiets diffusers and transformers
from random_sd15 import configs

PARTS = ("unet", "learn", "memory", "spectrum")


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


def best_of(repeats, run):
    """Seconds of the fastest of some runs, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


# the command

def command(options, what, side=512, batch=2, precision="f32", repeats=None):
    """{"seconds", "peak_bytes", ..., "max_rss"} of one svdiff bench."""
    arguments = [options.svdiff, "bench", "--what", what, "--json", "--width", side, "--height", side]
    arguments += ["--batch", batch, "--precision", precision, "--repeats", repeats or options.repeats]
    arguments += ["--threads", options.threads]
    arguments += ["--model", options.model] if options.divide > 1 else ["--shapes", "sd15"]
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, text=True)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"svdiff bench --what {what} failed with status {status}")
    result = next(r for r in map(json.loads, reversed(lines)) if "seconds" in r)
    return {**result, "max_rss": usage.ru_maxrss * 1024}


# PyTorch

def make_unet(options):
    """A UNet with random weights, without grad."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config(configs(options.divide)[0])
    return unet.requires_grad_(False).eval()


def inputs(unet, side, batch, dtype=torch.float32):
    latents = torch.randn(batch, 4, side // 8, side // 8, dtype=dtype)
    text = torch.randn(batch, 77, unet.config.cross_attention_dim, dtype=dtype)
    return latents.contiguous(memory_format=torch.channels_last), torch.full((batch,), 500), text


def peer_unet(options, dtype):
    unet = make_unet(options).to(dtype).to(memory_format=torch.channels_last)
    latents, timestep, text = inputs(unet, options.side, 2, dtype)
    with torch.inference_mode():
        return best_of(options.repeats, lambda: unet(latents, timestep, encoder_hidden_states=text).sample)


def rebuilt(module):
    """Makes a module build its weight from a shift at each forward, as svdiff-pytorch does. Returns the shift."""
    weight = module._parameters.pop("weight").detach()
    if weight.ndim == 1:
        size = torch.linalg.vector_norm(weight)
        shift = torch.zeros(1, requires_grad=True)
        build = lambda: weight * torch.relu(size + shift) / size
    else:
        rows, columns, shape = weight.shape[0], weight[0].numel(), weight.shape
        rank = min(rows, columns)
        u, v = torch.randn(rows, rank) / rows**0.5, torch.randn(rank, columns) / columns**0.5
        sigma = torch.linspace(1, 0.01, rank)
        shift = torch.zeros(rank, requires_grad=True)
        del weight
        build = lambda: (u @ torch.diag(torch.relu(sigma + shift)) @ v).reshape(shape)

    def before(module, arguments):
        module.weight = build()

    module.weight = None
    module.register_forward_pre_hook(before)
    return shift


def peer_learn(options):
    unet = make_unet(options)
    for parameter in unet.parameters():
        parameter.requires_grad_(False)
    modules = [m for m in unet.modules() if getattr(m, "weight", None) is not None]
    shifts = [rebuilt(m) for m in modules]
    optimizer = torch.optim.AdamW(shifts, lr=1e-3, weight_decay=1e-2)
    latents, timestep, text = inputs(unet, options.side // 2, 2)
    target = torch.randn_like(latents)

    def step():
        loss = (unet(latents, timestep, encoder_hidden_states=text).sample - target).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(shifts, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return best_of(options.repeats, step)


def matrix_shapes(options):
    """How often each matrix shape (rows, columns) occurs among the UNet's weights."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(configs(options.divide)[0])
    weights = [p for n, p in unet.named_parameters() if n.endswith(".weight") and p.ndim > 1]
    return Counter((w.shape[0], w[0].numel()) for w in weights)


def svd_seconds(shape):
    x = torch.randn(shape)
    begin = time.perf_counter()
    torch.linalg.svd(x, full_matrices=False)
    return time.perf_counter() - begin


# the four comparisons: each prints its ratio and returns whether the bound holds

def verdict(title, figure, bound, above):
    good = figure >= bound if above else figure < bound
    print(f"{title}: {figure:.2f}, bound {bound}: {'ok' if good else 'MISSED'}", flush=True)
    return good


def compare_unet(options, cache):
    ours, theirs = [], []
    for precision, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        figure = lambda p=precision: command(options, "unet", options.side, 2, p)["seconds"]
        ours.append(cache.figure(f"unet {precision} svdiff", figure))
        theirs.append(cache.figure(f"unet {precision} diffusers", lambda d=dtype: peer_unet(options, d)))
    return verdict("UNet forward, times faster than diffusers", min(theirs) / min(ours), 1, True)


def compare_learn(options, cache):
    ours = cache.figure("learn f32 svdiff", lambda: command(options, "learn", options.side // 2, 2)["seconds"])
    theirs = cache.figure("learn f32 rebuilding", lambda: peer_learn(options))
    return verdict("learning step, times faster than rebuilding", theirs / ours, 6, True)


def compare_memory(options, cache):
    size = cache.figure("learn memory svdiff", lambda: command(options, "learn", options.side, 1, "f32", 1)["max_rss"])
    return verdict("learning step, VmHWM in GiB", size / 2**30, 7, False)


def compare_spectrum(options, cache):
    ours = cache.figure("spectrum svdiff", lambda: command(options, "spectrum", repeats=1)["seconds"])
    total = 0
    svd_seconds((64, 64))  # the library's own start does not count
    for shape, count in sorted(matrix_shapes(options).items()):
        seconds = cache.figure(f"svd {shape[0]}x{shape[1]}", lambda s=shape: svd_seconds(s))
        total += count * seconds
    print(f"  torch.linalg.svd over all matrices: {total:.1f}")
    return verdict("spectra, times faster than torch.linalg.svd", total / ours, 4, True)


def machine():
    """One line: processor, cores, versions, date."""
    names = [l.split(":", 1)[1].strip() for l in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in l]
    name = names[0] if names else platform.processor()
    return f"{name}, {os.cpu_count()} processors, torch {torch.__version__}, {date.today()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svdiff", help="the built command")
    parser.add_argument("--cache", default="bench_sd15.json", help="file of figures (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="measure all again")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--divide", type=int, default=1, help="divide all widths; a trial of this script")
    parser.add_argument("--model", help="what the command runs on with --divide")
    parser.add_argument("--side", type=int, default=512, help="pixels; a trial of this script (%(default)s)")
    options = parser.parse_args()
    if options.divide > 1 and options.model is None:
        parser.error("--divide needs --model")
    torch.set_num_threads(options.threads)
    cache = Cache(options.cache, options.fresh)
    print(cache.figure("machine", machine))
    runs = {"unet": compare_unet, "learn": compare_learn, "memory": compare_memory, "spectrum": compare_spectrum}
    results = [runs[part](options, cache) for part in options.only]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
