"""The KL autoencoder: 128x128x3 pictures in [-1,1] <-> 16x16x12 latents.

Loss per picture: |x - y| + 2 (x - y)^2 + |dx - dy| over horizontal and vertical differences d
(which keeps edges) + 1e-4 KL(q(z|x) || N(0,1)).  In every fourth step a part of the latents, made half
as large by averaging, has to give the picture made half as large (Kouzelis et al., EQ-VAE, 2025): latents
that scale as pictures do are learned sooner by the UNet.  Training pictures come from all emoji but the
held-out ones.  `scaling_factor` is 1 over the latents' standard deviation, as measured at the end.
"""
import random

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn.functional import avg_pool2d

from . import pictures
from .optim import Clock, MovingAverage, Optimiser, load_checkpoint, rank, save_checkpoint
from .things import Glyphs, Thing, held_out_things, other_emoji, training_things

WIDTHS = (16, 24, 64, 128)
CHANNELS = 12
BATCH = 16  # crops, or a quarter as many whole pictures
CROP = 64
WHOLE = 0.85  # from this share of the time on, whole pictures
EDGES = 1.0
KL = 1e-4
HALVED, EVERY = 0.5, 4  # weight of halved pictures, and in which steps


def build():
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=WIDTHS, layers_per_block=1, latent_channels=CHANNELS, norm_num_groups=8,
        mid_block_add_attention=False, sample_size=pictures.SIZE)


def to_tensor(painted, device="cpu"):
    """Returns painted pictures (a list of uint8 h,w,3) as n,3,h,w floats in [-1,1].

    Contiguous: channels-last, as the bytes lie, GroupNorm's gradient takes three times as long.
    """
    array = torch.from_numpy(np.stack(painted)).to(device)
    return array.permute(0, 3, 1, 2).contiguous().float().div_(127.5).sub_(1)


class PictureSource:
    """Paints the autoencoder's training pictures: half scenes of things, half any emoji."""

    def __init__(self, seed):
        self.rng, self.glyphs = random.Random(seed), Glyphs()
        self.things = training_things()
        self.others = [Thing("", "", text, False) for text in other_emoji()
                       if self.glyphs.get(text) is not None]

    def batch(self, count):
        return [pictures.paint(self._scene(), self.glyphs) for _ in range(count)]

    def crops(self, count):
        """Paints pictures and cuts a square around one of the things out of each."""
        cut = []
        for _ in range(count):
            scene = self._scene()
            x, y = self.rng.choice(scene.items).centre
            left, top = (min(max(at + self.rng.randint(-56, -8), 0), pictures.SIZE - CROP)
                         for at in (x, y))
            cut.append(pictures.paint(scene, self.glyphs)[top:top + CROP, left:left + CROP])
        return cut

    def _scene(self):
        if self.rng.random() < 0.5:
            return pictures.random_scene(self.rng, self.things)
        return pictures.any_scene(self.rng, self.others)


def difference(y, x):
    """Returns (loss, mean squared error) of decoded pictures y beside the pictures x."""
    error = y.float() - x
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    square = error.square().mean()
    edges = across.abs().mean() + down.abs().mean()
    return error.abs().mean() + 2 * square + EDGES * edges, square.detach()


def loss_of(model, x, halved=False):
    """Returns (loss, mean squared error) for pictures x."""
    posterior = model.encode(x).latent_dist
    z = posterior.sample()
    loss, square = difference(model.decode(z).sample, x)
    if halved:
        some = slice(0, max(1, len(x) // 2))
        loss = loss + HALVED * difference(model.decode(avg_pool2d(z[some], 2)).sample,
                                          avg_pool2d(x[some], 2))[0]
    kl = 0.5 * (posterior.mean.float().square() + posterior.var.float() - 1
                - posterior.logvar.float()).mean()
    return loss + KL * kl, square


def train(folder, seconds, device, start=None, say=print):
    """Trains for `seconds` in all (resuming from folder/autoencoder.pt); returns the model."""
    torch.manual_seed(0)
    model = build() if start is None else AutoencoderKL.from_pretrained(start, subfolder="vae")
    source = run(model.to(device), folder / "autoencoder.pt", Clock(seconds), device, say)
    model.register_to_config(scaling_factor=measured_scale(model, source, device))
    return model


def run(model, checkpoint, clock, device, say):
    """Trains the model in place until the clock is over; returns the source of its pictures."""
    optimiser = Optimiser([model], 0.02, 2e-3, outer=("conv_in", "conv_out", "quant_conv"))
    average = MovingAverage([model], 0.998)
    state = load_checkpoint(checkpoint, clock, model=model, optimiser=optimiser)
    if state is not None:
        average.weights = [weight.to(device) for weight in state["average"]]
        average.steps = clock.step
    source, squares = PictureSource(f"{clock.step} {rank()}"), []
    torch.manual_seed(clock.step * 100 + rank())
    while not clock.over():
        whole = clock.now > WHOLE * clock.seconds
        x = to_tensor(source.batch(BATCH // 4) if whole else source.crops(BATCH), device)
        with torch.autocast(device, torch.bfloat16):
            loss, square = loss_of(model, x, clock.step % EVERY == 0)
        loss.backward()
        optimiser.step(clock.factor())
        average.update()
        squares.append(float(square))
        if clock.step % 100 == 0:
            psnr = 10 * np.log10(4 / np.mean(squares[-100:]))
            say(f"autoencoder step {clock.step} {clock.elapsed():.0f} s PSNR {psnr:.2f} dB")
        if clock.step % 250 == 0:
            save_checkpoint(checkpoint, clock, model=model, optimiser=optimiser,
                            average=average.weights)
    save_checkpoint(checkpoint, clock, model=model, optimiser=optimiser, average=average.weights)
    average.swap()
    model.eval()
    return source


@torch.no_grad()
def measured_scale(model, source, device, count=256):
    """Returns 1 / standard deviation of the latents of `count` training pictures."""
    means = [model.encode(to_tensor(source.batch(16), device)).latent_dist.mean
             for _ in range(count // 16)]
    return round(1 / float(torch.cat(means).std()), 5)


@torch.no_grad()
def held_out_psnr(model, device="cpu"):
    """Returns the mean PSNR in dB over held-out things, each on four backgrounds."""
    glyphs, values = Glyphs(), []
    for thing in held_out_things():
        painted = [pictures.paint(pictures.Scene((pictures.Item(thing, (64, 64), length),), ground,
                                                 False), glyphs)
                   for length, ground in ((60, "white"), (82, "red"), (104, "blue"), (90, "beach"))]
        x = to_tensor(painted, device)
        y = model.decode(model.encode(x).latent_dist.mean).sample.clamp(-1, 1)
        values += (10 * torch.log10(4 / (x - y).square().mean((1, 2, 3)))).tolist()
    return float(np.mean(values))
