"""The decoder's last training, on whole pictures, the encoder and the denoiser being what they are.

What it decodes: the encoder's latents, and latents that the denoiser drew again from a noise level between
SOFTEST and HARDEST, by their captions, so that it learns to paint well from what it will be given; the picture
that either should become is the painted one.  The loss is the autoencoder's, plus how much the contrast of fine
detail differs, wherever in a few pixels it lies, plus how far the whole picture's energy of it is from the painted
one's (the contrast alone is right in the median, which is too soft where most windows are plain), plus the critic's features, plus the critic's opinion, weighted
so that its gradient in the last layer is OPINION of the loss's (Esser et al., VQGAN, 2021): squares alone would
have it paint the mean of all edges that may be there, which is blurred.
"""
import random

import torch
from torch.nn.functional import avg_pool2d

from . import pictures
from .autoencoder import difference, to_tensor
from .critic import RATE, Critic, critic_loss, decoder_loss
from .denoiser import autocast, build_scheduler
from .latents import TrainingSet
from .optim import Clock, MovingAverage, Optimiser, add_up, load_checkpoint, processes, rank, save_checkpoint
from .tokens import encode

BATCH, DRAWN = 8, 5  # pictures in a step, those of them whose latents are drawn
SOFTEST, HARDEST, STEPS = 100, 700, 6  # noise levels to draw from, steps
CONTRAST, ENERGY, FEATURES, OPINION, BLIND = 0.5, 0.03, 0.2, 0.3, 200  # the last: steps before the critic has a say
WINDOW = 8  # pixels over which contrast is seen


def fine(picture):
    """Returns what a 3x3 mean takes away."""
    return picture - avg_pool2d(picture, 3, 1, 1, count_include_pad=False)


def contrast(picture):
    """Returns the root mean square of fine detail over windows; n,3,h,w -> n,3,h/4-1,w/4-1."""
    return (avg_pool2d(fine(picture).square(), WINDOW, WINDOW // 2) + 1e-4).sqrt()


def energy(picture):
    """Returns the logarithm of a picture's energy of fine detail; n,3,h,w -> n."""
    return (fine(picture).square().mean((1, 2, 3)) + 1e-4).log()


class DecoderTraining:
    """Trains model.vae's decoder in place, going on from folder/decoder.pt."""

    def __init__(self, model, folder, seconds, device):
        self.model, self.device, self.path = model, device, folder / "decoder.pt"
        for part in (model.vae.encoder, model.vae.quant_conv, *model.modules()):
            part.requires_grad_(False)
        self.critic = Critic().to(device)
        self.optimiser = Optimiser([model.vae], 0.005, 5e-4, ("conv_in", "conv_out", "quant_conv"))
        self.judge = torch.optim.AdamW(self.critic.parameters(), RATE, (0.5, 0.99), weight_decay=0.0)
        self.average, self.clock = MovingAverage([model.vae], 0.998), Clock(seconds)
        state = load_checkpoint(self.path, self.clock, vae=model.vae, critic=self.critic,
                                optimiser=self.optimiser, judge=self.judge)
        if state is not None:
            self.average.weights = [weight.to(device) for weight in state["average"]]
            self.average.steps = self.clock.step
        torch.manual_seed(self.clock.step * 100 + rank())
        self.rng = random.Random(f"decoder {self.clock.step} {rank()}")
        self.scenes = TrainingSet(model.vae, device, folder, "decoder")
        self.signal = build_scheduler().alphas_cumprod.to(device)

    def batch(self):
        """Returns (latents, painted pictures)."""
        scenes = [self.scenes.scene(f"of the decoder {self.rng.random()}") for _ in range(BATCH)]
        x = to_tensor([pictures.paint(scene, self.scenes.glyphs) for scene in scenes], self.device)
        with torch.no_grad(), autocast(self.device):
            latents = self.model.vae.encode(x).latent_dist.sample().float()
            scale = self.model.vae.config.scaling_factor
            captions = [pictures.caption(self.rng, scene) for scene in scenes[:DRAWN]]
            latents[:DRAWN] = self._drawn(latents[:DRAWN] * scale, captions) / scale
        return latents, x

    def _drawn(self, x, captions):
        """Noises latents to a level and draws them again: DDIM without guidance."""
        words = self.model.text(encode(self.model.tokenizer, captions).to(self.device)).last_hidden_state
        levels = torch.linspace(self.rng.uniform(SOFTEST, HARDEST), 0, STEPS + 1).long().tolist()
        a = self.signal[levels[0]]
        x = a.sqrt() * x + (1 - a).sqrt() * torch.randn_like(x)
        for level, later in zip(levels, levels[1:]):
            a, b = self.signal[level], self.signal[later]
            v = self.model.unet(x, level, words).sample.float()
            clean, noise = a.sqrt() * x - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * x
            x = b.sqrt() * clean + (1 - b).sqrt() * noise if later else clean
        return x

    def step(self):
        """Makes one step of the decoder and one of the critic; returns (squared error, adversarial)."""
        latents, x = self.batch()
        with autocast(self.device):
            y = self.model.vae.decode(latents).sample.float()
            loss, square = difference(y, x)
            loss = loss + CONTRAST * (contrast(y) - contrast(x)).abs().mean()
            loss = loss + ENERGY * (energy(y) - energy(x)).abs().mean()
            opinion, features = decoder_loss(self.critic, x, y)
            judged = critic_loss(self.critic, x, y.detach())
        if self.clock.step > BLIND:
            loss = loss + FEATURES * features + self._weight(loss, opinion) * opinion
        loss.backward(inputs=self.optimiser.weights)
        self.optimiser.step(self.clock.factor())
        self.average.update()
        judged.backward()
        add_up([weight.grad for weight in self.critic.parameters()])
        for weight in self.critic.parameters():
            weight.grad.div_(processes())
        self.judge.step()
        self.judge.zero_grad(set_to_none=True)
        return float(square), float(opinion.detach())

    def _weight(self, loss, opinion):
        last = self.model.vae.decoder.conv_out.weight
        of_loss, of_opinion = (torch.autograd.grad(part, last, retain_graph=True)[0].norm()
                               for part in (loss, opinion))
        return (OPINION * of_loss / (of_opinion + 1e-6)).clamp(max=10.0).detach()

    def save(self):
        save_checkpoint(self.path, self.clock, vae=self.model.vae, critic=self.critic,
                        optimiser=self.optimiser, judge=self.judge, average=self.average.weights)


def train(model, folder, seconds, device, say=print):
    """Trains model.vae's decoder for `seconds` in all; the averaged weights are in place at the end."""
    training = DecoderTraining(model, folder, seconds, device)
    clock, told = training.clock, []
    while not clock.over():
        told.append(training.step())
        if clock.step % 50 == 0:
            square, opinion = torch.tensor(told).mean(0).tolist()
            say(f"decoder step {clock.step} {clock.elapsed():.0f} s squared error {square:.5f} opinion {opinion:+.3f}")
            told = []
            training.save()
    training.save()
    training.average.swap()
    model.vae.eval()
