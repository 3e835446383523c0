#!/usr/bin/env python3
"""Trains the model in resources/model from nothing, with one command.

    python3 resources/train.py

It needs PyTorch, diffusers, transformers and Pillow from PyPI, and Debian's packages
fonts-noto-color-emoji and unicode-cldr-core.  The steps: tokenizer, autoencoder, UNet with text
encoder, the autoencoder's decoder once more, the folder, the subjects' pictures, the figures
(tests/model/evaluate.py).  Checkpoints lie
in a cache folder; the same command goes on where it was stopped.  --continue starts from the model
in the tree instead of from nothing.  A GPU is used when there is one; on a machine with few cores
`torchrun --nproc-per-node 2 resources/train.py --threads 1` shares the work between processes.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.distributed as distributed
from diffusers import AutoencoderKL

from training import autoencoder, decoder, denoiser, export, subjects, tokens
from training.optim import rank

RESOURCES = Path(__file__).resolve().parent


def say(text):
    if rank() == 0:
        print(time.strftime("%H:%M:%S"), text, flush=True)


def options():
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "svdiff-training"
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cache", type=Path, default=cache, help="folder for checkpoints")
    parser.add_argument("--output", type=Path, default=RESOURCES / "model")
    parser.add_argument("--autoencoder-minutes", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=240, help="for UNet and text encoder")
    parser.add_argument("--decoder-minutes", type=float, default=10, help="for the decoder alone")
    parser.add_argument("--batch", type=int, default=denoiser.BATCH, help="captions in a step")
    parser.add_argument("--export-every", type=float, default=15, help="minutes between folders")
    parser.add_argument("--threads", type=int, default=0, help="PyTorch's threads, 0 for all")
    parser.add_argument("--continue", dest="go_on", action="store_true",
                        help="start from the model in --output")
    parser.add_argument("--no-figures", action="store_true", help="leave the evaluation out")
    return parser.parse_args()


def trained_autoencoder(chosen, device):
    """Returns the autoencoder: from the cache where it is finished, else trained."""
    finished = chosen.cache / "vae"
    if not finished.exists():
        start = chosen.output if chosen.go_on else None
        vae = autoencoder.train(chosen.cache, chosen.autoencoder_minutes * 60, device, start, say)
        if rank() == 0:
            vae.save_pretrained(finished)
        if distributed.is_initialized():
            distributed.barrier()
    vae = AutoencoderKL.from_pretrained(finished).to(device).eval()
    if rank() == 0:
        say(f"held-out things: PSNR {autoencoder.held_out_psnr(vae, device):.2f} dB")
    return vae


def untrained_model(chosen, vae):
    """Returns the model that the second training starts from."""
    if chosen.go_on:
        model = export.read_model(chosen.output)
        model.vae = vae
        return model
    torch.manual_seed(0)
    tokenizer = tokens.kept_tokenizer(chosen.cache / f"tokenizer-{rank()}")
    return denoiser.Model(tokenizer, denoiser.build_text(tokenizer), denoiser.build_unet(), vae)


def main():
    chosen = options()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen.cache.mkdir(parents=True, exist_ok=True)
    denoiser.BATCH = chosen.batch
    model = untrained_model(chosen, trained_autoencoder(chosen, device))
    denoiser.train(model, chosen.cache, chosen.minutes * 60, device,
                   lambda: export.write_model(model, chosen.output),
                   chosen.export_every * 60, say)
    decoder.train(model, chosen.cache, chosen.decoder_minutes * 60, device, say)
    if rank() == 0:
        say(f"held-out things: PSNR {autoencoder.held_out_psnr(model.vae, device):.2f} dB")
        export.write_model(model, chosen.output)
        subjects.write_subjects(RESOURCES / "subjects")
        if not chosen.no_figures:
            script = RESOURCES.parent / "tests" / "model" / "evaluate.py"
            subprocess.run([sys.executable, script, "--model", chosen.output], check=True)


if __name__ == "__main__":
    main()
