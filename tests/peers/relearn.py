"""A run of `svdiff learn` in PyTorch autograd, its random numbers taken from a trace: what the trace should hold.

Every step takes the weights as what learns makes them (methods.py), runs the networks on the trace's latents, noise,
timesteps and tokens, and lets autograd and torch.optim.AdamW do the rest. Loss of one micro-step:
    mean (prediction - target)^2 of the instance rows, each row times its min-SNR weight
    + prior_weight * the same mean over the prior rows, without min-SNR weights; after the first SETTLING steps only in
      those that prior_every divides, times prior_every
    + unmix_weight * the attention of subjects' words in each other's regions, where a row shows several
divided by the number of micro-steps that are accumulated. With masks each place of an instance row counts as the
trace's loss_weights [n, 1, h, w] say.
"""

import math
from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler

from methods import METHODS


@dataclass
class Rules:
    steps: int
    method: str = "svdiff"
    top: int = 0
    rank: int = 4
    alpha: float = 0.0
    learning_rate: float = 1e-3
    learning_rate_1d: float = 1e-6
    placeholder_rate: float = 0.0
    weight_decay: float = 0.01
    clip: float = 1.0
    prior: str = "none"  # none, images, prediction
    prior_weight: float = 1.0
    prior_every: int = 1
    unmix_weight: float = 0.0
    unmix_grid: int = 16
    unmix_layers: str = "both"
    unmix_maps: str = "plain"
    min_snr: float = 0.0
    noise_offset: float = 0.0
    accumulate: int = 1
    schedule: str = "constant"
    warm_up: int = 0


SETTLING = 20


def prior_times(rules, step):
    """How often the prior's weight counts in a step, counted from 0."""
    if step < SETTLING:
        return 1
    return rules.prior_every if step % rules.prior_every == 0 else 0


def rate_factor(rules, step):
    """What diffusers' get_scheduler makes of the learning rates at a step, counted from 0."""
    if step < rules.warm_up:
        return step / rules.warm_up
    done = (step - rules.warm_up) / max(1, rules.steps - rules.warm_up)
    if rules.schedule == "linear":
        return max(0.0, 1 - done)
    if rules.schedule == "cosine":
        return max(0.0, 0.5 * (1 + math.cos(math.pi * done)))
    return 1.0


class CrossAttention:
    """Keeps the probabilities [n, heads, places, tokens] of the cross-attentions in the down and up blocks, or one of
    these, of the level nearest to a grid. Works as a processor of diffusers' attention."""

    def __init__(self, unet, rules):
        self.unet, self.rules, self.kept = unet, rules, []

    def watch(self, h, w):
        """Sets itself as processor where the level's grid is nearest; returns the grid."""
        levels = []
        for i, block in enumerate(self.unet.down_blocks):
            sides = {"down": block, "up": self.unet.up_blocks[len(self.unet.down_blocks) - 1 - i]}
            sides = [side for name, side in sides.items() if self.rules.unmix_layers in (name, "both")]
            found = [m for side in sides for n, m in side.named_modules() if n.endswith("attn2")]
            if found:
                levels.append((abs(math.log(h * w / self.rules.unmix_grid**2)), i, (h, w), found))
            h, w = (h + 1) // 2, (w + 1) // 2
        _, _, grid, modules = min(levels, key=lambda x: x[:2])
        for module in modules:
            module.set_processor(self)
        return grid

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        heads = lambda x: x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        q, k, v = (heads(f(x)) for f, x in (
            (attn.to_q, hidden_states), (attn.to_k, encoder_hidden_states), (attn.to_v, encoder_hidden_states)))
        probabilities = (q @ k.transpose(-1, -2) * attn.scale).softmax(-1)
        self.kept.append(probabilities)
        out = (probabilities @ v).transpose(1, 2).flatten(2)
        return attn.to_out[1](attn.to_out[0](out))

    def unmix(self, regions, words, grid):
        """The loss over rows: regions [n, s, h, w], words [n, s, t]; rows with fewer than two subjects count as 0."""
        regions = torch.nn.functional.adaptive_avg_pool2d(regions, grid).flatten(2)
        total = 0
        for row in range(len(regions)):
            own = [i for i in range(regions.shape[1]) if words[row, i].sum() > 0]
            for i in own if len(own) > 1 else []:
                share = words[row, i] / words[row, i].sum()
                others = torch.stack([regions[row, j] for j in own if j != i]).amax(0)
                for p in self.kept:
                    a = p[row].mean(0) @ share
                    a = a / {"plain": 1, "mean": a.mean(), "max": a.max()}[self.rules.unmix_maps]
                    total = total + (others * a**2).sum() / others.sum() / len(own) / len(self.kept)
        return total / len(regions)


class Relearner:
    """The model, what learns of it, and the optimiser."""

    def __init__(self, model, rules, lengths, given):
        self.model, self.rules = model, rules
        self.attention, self.grid = CrossAttention(model.unet, rules), None
        self.dtype = next(model.unet.parameters()).dtype
        self.schedule = DDPMScheduler.from_config(model.scheduler_config)
        self.method = METHODS[rules.method](model, rules, lengths, given)
        self.learned = self.method.learned
        self.optimizer = torch.optim.AdamW(
            [{"params": [self.learned[n] for n in names], "lr": rate} for names, rate in self.method.groups],
            betas=(0.9, 0.999),
            eps=1e-8,
            weight_decay=rules.weight_decay,
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]

    def predict(self, weights, noisy, timesteps, tokens):
        call = torch.func.functional_call
        text = call(self.model.text, weights["text"], (tokens,)).last_hidden_state
        return call(self.model.unet, weights["unet"], (noisy, timesteps, text)).sample

    def target(self, latents, noise, timesteps):
        if self.schedule.config.prediction_type == "v_prediction":
            return self.schedule.get_velocity(latents, noise, timesteps)
        return noise

    def snr_weights(self, timesteps):
        if self.rules.min_snr <= 0:
            return torch.ones(len(timesteps), dtype=self.dtype)
        alphas = self.schedule.alphas_cumprod.to(self.dtype)[timesteps]
        snr = alphas / (1 - alphas)
        bounded = snr.clamp(max=self.rules.min_snr)
        v = self.schedule.config.prediction_type == "v_prediction"
        return bounded / (snr + 1) if v else bounded / snr

    def part(self, weights, given, prefix, m, out):
        """Losses [n] of the rows of one part, "" or "prior_"; their prediction goes to out."""
        read = lambda name: given[f"{prefix}{name}.{m}"]
        latents, noise = read("latents").to(self.dtype), read("noise").to(self.dtype)
        if self.rules.noise_offset > 0:
            noise = noise + self.rules.noise_offset * read("noise_offset").to(self.dtype)[:, :, None, None]
        timesteps, tokens = read("timestep").long(), read("tokens").long()
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        prediction = self.predict(weights, noisy, timesteps, tokens)
        if prefix and self.rules.prior == "prediction":
            with torch.no_grad(), self.method.plain():
                target = self.predict(self.method.weights(), noisy, timesteps, tokens)
            out[f"prior_target.{m}"] = target
        else:
            target = self.target(latents, noise, timesteps)
        out[f"{prefix}prediction.{m}"] = prediction.detach()
        errors = (prediction - target).square()
        out[f"{prefix}loss.{m}"] = errors.mean().detach().reshape(1)
        if not prefix and f"loss_weights.{m}" in given:
            errors = errors * given[f"loss_weights.{m}"].to(self.dtype)
        return errors.flatten(1).mean(1), timesteps

    def micro_step(self, given, m, out):
        weights = self.method.weights()
        self.attention.kept.clear()
        losses, timesteps = self.part(weights, given, "", m, out)
        total = (losses * self.snr_weights(timesteps)).mean()
        if self.rules.unmix_weight > 0 and f"regions.{m}" in given:
            regions, words = (given[f"{x}.{m}"].to(self.dtype) for x in ("regions", "subject_tokens"))
            unmix = self.attention.unmix(regions, words, self.grid)
            out[f"unmix_loss.{m}"] = unmix.detach().reshape(1)
            total = total + self.rules.unmix_weight * unmix
        times = prior_times(self.rules, m // self.rules.accumulate)
        if self.rules.prior != "none" and times > 0:
            losses, _ = self.part(weights, given, "prior_", m, out)
            total = total + times * self.rules.prior_weight * losses.mean()
        total = total / self.rules.accumulate
        out[f"total_loss.{m}"] = total.detach().reshape(1)
        total.backward()

    def step(self, given, k, out):
        self.optimizer.zero_grad(set_to_none=False)
        for i in range(self.rules.accumulate):
            self.micro_step(given, k * self.rules.accumulate + i, out)
        if k == 0:
            out.update({f"gradient.{n}": s.grad.clone().flatten() for n, s in self.learned.items()})
        if self.rules.clip > 0:
            norm = torch.nn.utils.clip_grad_norm_(self.learned.values(), self.rules.clip)
            out[f"#clipped.{k}"] = (norm > self.rules.clip).reshape(1)
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * rate_factor(self.rules, k)
        self.optimizer.step()


def relearn(model, rules, given, lengths):
    """The expected trace of a run; names that begin with # are for people. `lengths`: shift name -> length."""
    learner, out = Relearner(model, rules, lengths, given), {}
    if any(k.startswith("regions.") for k in given):
        learner.grid = learner.attention.watch(*given["latents.0"].shape[-2:])
    for k in range(rules.steps):
        learner.step(given, k, out)
    out.update({f"shift.{n}": s.detach().clone().flatten() for n, s in learner.learned.items()})
    return out


def draw(model, rules, seed, batch=1, height=64, width=64, prompts=("a photo of a sks dog", "a photo of a dog")):
    """Latents, noise, timesteps and tokens for a run that has no trace yet."""
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, model.unet.config.in_channels, height // 8, width // 8)
    given = {}
    for m in range(rules.steps * rules.accumulate):
        for prefix, prompt in zip(("", "prior_"), prompts):
            if prefix and rules.prior == "none":
                continue
            given[f"{prefix}latents.{m}"] = 0.8 * torch.randn(shape, generator=generator)
            given[f"{prefix}noise.{m}"] = torch.randn(shape, generator=generator)
            given[f"{prefix}timestep.{m}"] = torch.randint(0, 1000, (batch,), generator=generator).float()
            given[f"{prefix}tokens.{m}"] = model.tokens(prompt).expand(batch, -1).float()
    return given
