"""A run of `svdiff learn` in PyTorch autograd, its random numbers taken from a trace: what the trace should hold.

Every step builds each weight from its shift by the paper's formula (reference.py), runs the networks on the trace's
latents, noise, timesteps and tokens, and lets autograd and torch.optim.AdamW do the rest. Loss of one micro-step:
    mean (prediction - target)^2 of the instance rows, each row times its min-SNR weight
    + prior_weight * the same mean over the prior rows, without min-SNR weights
divided by the number of micro-steps that are accumulated. With masks each place of an instance row counts as the
trace's loss_weights [n, 1, h, w] say.
"""

import math
from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler

from reference import Spectra


@dataclass
class Rules:
    steps: int
    learning_rate: float = 1e-3
    learning_rate_1d: float = 1e-6
    weight_decay: float = 0.01
    clip: float = 1.0
    prior: str = "none"  # none, images, prediction
    prior_weight: float = 1.0
    min_snr: float = 0.0
    accumulate: int = 1
    schedule: str = "constant"
    warm_up: int = 0


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


class Relearner:
    """The model, one shift for each name, and the optimiser."""

    def __init__(self, model, rules, lengths):
        self.model, self.rules = model, rules
        self.dtype = next(model.unet.parameters()).dtype
        self.schedule = DDPMScheduler.from_config(model.scheduler_config)
        self.spectra = Spectra(model, lengths)
        self.shifts = {n: torch.zeros(k, dtype=self.dtype, requires_grad=True) for n, k in lengths.items()}
        groups = {True: [], False: []}
        for name, shift in self.shifts.items():
            groups[self.spectra.weight(name).ndim == 1].append(shift)
        rates = {False: rules.learning_rate, True: rules.learning_rate_1d}
        self.optimizer = torch.optim.AdamW(
            [{"params": groups[k], "lr": rates[k]} for k in groups if groups[k]],
            betas=(0.9, 0.999),
            eps=1e-8,
            weight_decay=rules.weight_decay,
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]

    def weights(self):
        """Parameters by name of the two networks, shifted."""
        out = {"unet": {}, "text": {}}
        for name, shift in self.shifts.items():
            network, key = self.spectra.names[name]
            out[network][key] = self.spectra.shifted(name, shift)
        return out

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
        timesteps, tokens = read("timestep").long(), read("tokens").long()
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        prediction = self.predict(weights, noisy, timesteps, tokens)
        if prefix and self.rules.prior == "prediction":
            with torch.no_grad():
                target = self.predict({"unet": {}, "text": {}}, noisy, timesteps, tokens)
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
        weights = self.weights()
        losses, timesteps = self.part(weights, given, "", m, out)
        total = (losses * self.snr_weights(timesteps)).mean()
        if self.rules.prior != "none":
            losses, _ = self.part(weights, given, "prior_", m, out)
            total = total + self.rules.prior_weight * losses.mean()
        total = total / self.rules.accumulate
        out[f"total_loss.{m}"] = total.detach().reshape(1)
        total.backward()

    def step(self, given, k, out):
        self.optimizer.zero_grad(set_to_none=False)
        for i in range(self.rules.accumulate):
            self.micro_step(given, k * self.rules.accumulate + i, out)
        if k == 0:
            out.update({f"gradient.{n}": s.grad.clone() for n, s in self.shifts.items()})
        if self.rules.clip > 0:
            norm = torch.nn.utils.clip_grad_norm_(self.shifts.values(), self.rules.clip)
            out[f"#clipped.{k}"] = (norm > self.rules.clip).reshape(1)
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * rate_factor(self.rules, k)
        self.optimizer.step()


def relearn(model, rules, given, lengths):
    """The expected trace of a run; names that begin with # are for people. `lengths`: shift name -> length."""
    learner, out = Relearner(model, rules, lengths), {}
    for k in range(rules.steps):
        learner.step(given, k, out)
    out.update({f"shift.{n}": s.detach().clone() for n, s in learner.shifts.items()})
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
