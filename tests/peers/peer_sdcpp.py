"""stable-diffusion.cpp's side of bench_sd15.py: one guided step of it, in a process of its own.

    peer_sdcpp.py MODEL [--side 512] [--steps 2] [--threads N]

MODEL: a diffusers folder in float16, as random_sd15.py writes it; the package stable-diffusion-cpp-python is PyPI's, built
for this processor. Prints {"seconds": ..., "load": ..., "whole": ...} as the last line: of the fastest step but the first,
which allocates; of opening the model; of all with loading, `--steps` steps and decoding.
"""

import argparse
import json
import time

BEGAN = time.perf_counter()

from stable_diffusion_cpp import StableDiffusion


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=-1)
    options = parser.parse_args()
    ends = []
    model = StableDiffusion(
        model_path=options.model.rstrip("/") + "/", n_threads=options.threads, diffusion_flash_attn=True, verbose=False
    )
    load = time.perf_counter() - BEGAN
    model.generate_image(
        prompt="a photo of a dog",
        width=options.side,
        height=options.side,
        cfg_scale=7.5,
        sample_method="euler",
        sample_steps=options.steps,
        seed=1,
        progress_callback=lambda step, steps, seconds: ends.append(time.perf_counter()),
    )
    # decoding may tell progress, too: the steps come first
    steps = [b - a for a, b in zip(ends, ends[1 : options.steps])]
    print(json.dumps({"seconds": min(steps), "load": load, "whole": time.perf_counter() - BEGAN}))


if __name__ == "__main__":
    main()
