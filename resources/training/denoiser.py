"""The UNet and the text encoder, trained together on latents that are encoded beforehand.

Each step takes pictures with fresh captions, encodes every caption once and uses it for several
noise levels.  The UNet predicts v = sqrt(a) noise - sqrt(1 - a) latent (a: the share of signal at
that noise level, scaled-linear schedule of Stable Diffusion); the squared error is weighted with
min(SNR + 1, 6) / (SNR + 1): as in min-SNR (Hang et al., 2023) little noise counts less, but the
noisiest levels, where the prompt decides what the picture shows, count in full.  One caption in ten
is emptied for classifier-free guidance.
"""
import random
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextConfig, CLIPTextModel

from . import pictures, tokens
from .attention import SharedWords
from .autoencoder import CHANNELS
from .latents import TrainingSet
from .optim import Clock, MovingAverage, Optimiser, load_checkpoint, rank, save_checkpoint

WIDTHS = (64, 96, 160)
TEXT_WIDTH = 192
BATCH, LEVELS = 12, 6  # captions in a step of a process, noise levels for each
DROPPED = 0.1
WEIGHT_CAP = 6.0
RATE, DECAY = 0.01, 0.998
VALIDATION, VALIDATED = 20, 256  # a seed, scenes
FIRST, MORE, EVERY = 16384, 512, 100  # scenes before the first step, and then in every EVERY-th


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


def loss_of(model, latents, captions, signal):
    """Returns the weighted v-prediction loss; `signal` holds a for each of the 1000 levels."""
    device = latents.device
    ids = tokens.encode(model.tokenizer, captions).to(device)
    words = model.text(ids).last_hidden_state  # n captions for LEVELS * n pictures: SharedWords
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


def validation_set(scenes):
    """Returns (latents, captions) of scenes that training never draws: numbers beyond the set's end."""
    rng = random.Random(VALIDATION)
    drawn = [scenes.scene(f"of validation {number}") for number in range(VALIDATED)]
    return scenes.encoded(drawn), [pictures.caption(rng, scene) for scene in drawn]


def validation_loss(model, kept, signal):
    """Returns the loss of `kept` (latents, captions) with noise that is the same each time."""
    state, losses = torch.get_rng_state(), []
    torch.manual_seed(VALIDATION)
    with torch.no_grad(), autocast(kept[0].device.type):
        for start in range(0, len(kept[1]), BATCH):
            some = slice(start, start + BATCH)
            losses.append(float(loss_of(model, kept[0][some], kept[1][some], signal)))
    torch.set_rng_state(state)
    return sum(losses) / len(losses)


@contextmanager
def autocast(device):
    """bfloat16 where it does; so few tokens: on a CPU plain attention is faster than the fused one."""
    with torch.autocast(device, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        yield


class Training:
    """A training of model.unet and model.text that goes on where it stopped.

    It is kept in folder/denoiser.pt as long as the rate is the full one, and while it falls in
    folder/denoiser-falling.pt: a longer training goes on from the former, as if it had not fallen.
    """

    def __init__(self, model, folder, seconds, device):
        self.model, self.folder, self.device = model, folder, device
        for module in (*model.modules(), model.vae):
            module.to(device)
        model.unet.set_attn_processor(SharedWords())
        self.optimiser = Optimiser(model.modules(), RATE, RATE / 10, ("conv_in", "conv_out", "embedding"))
        self.average, self.clock = MovingAverage(model.modules(), DECAY), Clock(seconds)
        self._resume()
        torch.manual_seed(self.clock.step * 100 + rank() + 1)
        self.signal = build_scheduler().alphas_cumprod.to(device)
        self.set = TrainingSet(model.vae, device, folder, f"{self.clock.step} {rank()}")

    def _resume(self):
        for name in ("denoiser-falling.pt", "denoiser.pt"):
            path = self.folder / name
            if path.exists() and (name == "denoiser.pt" or
                                  torch.load(path, weights_only=True)["seconds"] == self.clock.seconds):
                state = load_checkpoint(path, self.clock, unet=self.model.unet, text=self.model.text,
                                        optimiser=self.optimiser)
                self.average.weights = [weight.to(self.device) for weight in state["average"]]
                self.average.steps = self.clock.step
                return

    def step(self):
        """Makes one step; returns its loss."""
        with autocast(self.device):
            loss = loss_of(self.model, *self.set.batch(BATCH, DROPPED), self.signal)
        loss.backward()
        self.optimiser.step(self.clock.factor())
        self.average.update()
        return float(loss.detach())

    def save(self):
        name = "denoiser-falling.pt" if self.clock.falling() else "denoiser.pt"
        save_checkpoint(self.folder / name, self.clock, unet=self.model.unet, text=self.model.text,
                        optimiser=self.optimiser, average=self.average.weights,
                        seconds=self.clock.seconds)


def train(model, folder, seconds, device, export=None, every=900, say=print):
    """Trains model.unet and model.text for `seconds` in all, those of earlier runs included.

    `export` is called every `every` seconds, and at the end, with the averaged weights in place.
    """
    training = Training(model, folder, seconds, device)
    clock, losses = training.clock, []
    if clock.step == 0:
        training.set.encode_more(FIRST - int(training.set.there.sum()))
    kept = validation_set(training.set)
    say(f"{int(training.set.there.sum())} scenes are encoded, step {clock.step}")

    def exported():
        training.save()
        training.average.swap()
        if rank() == 0:
            say(f"validation loss {validation_loss(model, kept, training.signal):.5f}")
            if export:
                export()
        training.average.swap()
        return clock.elapsed()

    told = clock.elapsed()
    while not clock.over():
        losses.append(training.step())
        if clock.step % EVERY == 0:
            training.set.encode_more(MORE)
            say(f"denoiser step {clock.step} {clock.elapsed():.0f} s loss {sum(losses) / len(losses):.4f}")
            losses = []
        if clock.now - told > every:
            told = exported()
    exported()
    training.average.swap()
