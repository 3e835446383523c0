"""The UNet and the text encoder, trained together on latents that are encoded beforehand.

Each step takes pictures with fresh captions, encodes every caption once and uses it for several
noise levels.  The UNet predicts v = sqrt(a) noise - sqrt(1 - a) latent (a: the share of signal at
that noise level, scaled-linear schedule of Stable Diffusion); the squared error is weighted with
min(SNR + 1, 6) / (SNR + 1): as in min-SNR (Hang et al., 2023) little noise counts less, but the
noisiest levels, where the prompt decides what the picture shows, count in full.  One caption in ten
is emptied for classifier-free guidance.
"""
import random
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextConfig, CLIPTextModel

from . import pictures, tokens
from .autoencoder import CHANNELS, to_tensor
from .optim import Clock, MovingAverage, Optimiser, load_checkpoint, rank, save_checkpoint
from .things import Glyphs, training_things

WIDTHS = (64, 96, 160)
TEXT_WIDTH = 192
BATCH, LEVELS = 16, 4  # captions in a step, noise levels for each
DROPPED = 0.1
WEIGHT_CAP = 6.0
POOL = 16384


@dataclass
class Model:
    """The parts of the model that turn words into latents, and the autoencoder."""
    tokenizer: object
    text: CLIPTextModel
    unet: UNet2DConditionModel
    vae: object

    def modules(self):
        return [self.unet, self.text]


def build_text(tokenizer):
    """Returns an untrained text encoder whose words differ clearly from the start.

    CLIP's 0.02 for embeddings would let the first layers' output drown them.
    """
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=TEXT_WIDTH, intermediate_size=3 * TEXT_WIDTH,
        num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=tokens.LENGTH,
        projection_dim=TEXT_WIDTH, hidden_act="quick_gelu", bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))
    embeddings = text.text_model.embeddings if hasattr(text, "text_model") else text.embeddings
    torch.nn.init.normal_(embeddings.token_embedding.weight, std=0.3)
    torch.nn.init.normal_(embeddings.position_embedding.weight, std=0.1)
    return text


def build_unet():
    return UNet2DConditionModel(
        sample_size=pictures.SIZE // 8, in_channels=CHANNELS, out_channels=CHANNELS,
        block_out_channels=WIDTHS, layers_per_block=1, cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4, norm_num_groups=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"))


def build_scheduler():
    return DDIMScheduler(
        num_train_timesteps=1000, beta_schedule="scaled_linear", beta_start=0.00085,
        beta_end=0.012, clip_sample=False, set_alpha_to_one=False, steps_offset=1,
        prediction_type="v_prediction", timestep_spacing="leading")


class LatentPool:
    """Scenes with their latents; some are exchanged for new ones while the training runs."""

    def __init__(self, vae, device, seed, count=POOL):
        self.vae, self.device, self.rng = vae, device, random.Random(seed)
        self.glyphs, self.things = Glyphs(), training_things()
        self.scenes = [None] * count
        side = pictures.SIZE // 8
        self.latents = torch.zeros(count, CHANNELS, side, side)
        self.oldest = 0

    def fill(self, count):
        """Replaces the `count` oldest entries, 64 at a time."""
        for _ in range(count // 64):
            self._replace(self.oldest, 64)
            self.oldest = (self.oldest + 64) % len(self.scenes)

    @torch.no_grad()
    def _replace(self, start, count):
        scenes = [pictures.random_scene(self.rng, self.things) for _ in range(count)]
        x = to_tensor([pictures.paint(scene, self.glyphs) for scene in scenes], self.device)
        with torch.autocast(self.device, torch.bfloat16):
            latent = self.vae.encode(x).latent_dist.mean
        self.scenes[start:start + count] = scenes
        self.latents[start:start + count] = latent.float().cpu() * self.vae.config.scaling_factor

    def batch(self, count):
        """Returns (latents, captions) of `count` pictures drawn at random."""
        chosen = [self.rng.randrange(len(self.scenes)) for _ in range(count)]
        captions = ["" if self.rng.random() < DROPPED else
                    pictures.caption(self.rng, self.scenes[index]) for index in chosen]
        return self.latents[chosen].to(self.device), captions


def loss_of(model, latents, captions, signal):
    """Returns the weighted v-prediction loss; `signal` holds a for each of the 1000 levels."""
    device = latents.device
    ids = tokens.encode(model.tokenizer, captions).to(device)
    words = model.text(ids).last_hidden_state.repeat(LEVELS, 1, 1)
    x = latents.repeat(LEVELS, 1, 1, 1)
    spread = (torch.arange(len(x), device=device) + torch.rand((), device=device)) / len(x)
    level = (spread * len(signal)).long()[torch.randperm(len(x), device=device)]
    a = signal[level].view(-1, 1, 1, 1)
    noise = torch.randn_like(x)
    noisy = a.sqrt() * x + (1 - a).sqrt() * noise
    target = a.sqrt() * noise - (1 - a).sqrt() * x
    v = model.unet(noisy, level, words).sample.float()
    snr = a.flatten() / (1 - a.flatten())
    weight = (snr + 1).clamp(max=WEIGHT_CAP) / (snr + 1)
    return ((v - target).square().mean((1, 2, 3)) * weight).sum() / weight.sum()


def train(model, folder, seconds, device, export=None, every=900, say=print, pool=POOL):
    """Trains model.unet and model.text for `seconds` in all, resuming from folder/denoiser.pt.

    `export` is called every `every` seconds, and at the end, with the averaged weights in place.
    """
    for module in (*model.modules(), model.vae):
        module.to(device)
    outer = ("conv_in", "conv_out", "embedding")
    optimiser = Optimiser(model.modules(), 0.01, 1e-3, outer)
    average, clock = MovingAverage(model.modules(), 0.998), Clock(seconds)
    state = load_checkpoint(folder / "denoiser.pt", clock, unet=model.unet, text=model.text,
                            optimiser=optimiser)
    if state is not None:
        average.weights = [weight.to(device) for weight in state["average"]]
        average.steps = clock.step
    torch.manual_seed(clock.step * 100 + rank() + 1)
    source = LatentPool(model.vae, device, f"{clock.step} {rank()}", pool)
    source.fill(pool)
    say(f"encoded {pool} pictures, {clock.elapsed():.0f} s")
    signal = build_scheduler().alphas_cumprod.to(device)
    losses, exported = [], clock.elapsed()
    while not clock.over():
        # So few tokens: on a CPU plain attention is several times faster than the fused one.
        with torch.autocast(device, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            loss = loss_of(model, *source.batch(BATCH), signal)
        loss.backward()
        optimiser.step(clock.factor())
        average.update()
        losses.append(float(loss.detach()))
        if clock.step % 100 == 0:
            source.fill(pool // 8)
            mean = sum(losses[-100:]) / len(losses[-100:])
            say(f"denoiser step {clock.step} {clock.elapsed():.0f} s loss {mean:.4f}")
        if clock.now - exported > every:
            save_checkpoint(folder / "denoiser.pt", clock, unet=model.unet, text=model.text,
                            optimiser=optimiser, average=average.weights)
            if export and rank() == 0:
                average.swap()
                export()
                average.swap()
            exported = clock.now
    save_checkpoint(folder / "denoiser.pt", clock, unet=model.unet, text=model.text,
                    optimiser=optimiser, average=average.weights)
    average.swap()
    if export and rank() == 0:
        export()
