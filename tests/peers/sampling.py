"""diffusers' samplers under the names that `svdiff generate` gives them, with all noise handed in from outside.

A sampler is diffusers' own class made by Class.from_config of a model's scheduler_config.json. The ancestral
sampler draws its noise itself, so its random generator is replaced for the length of a step by the tensor given.
diffusers has no Karras spacing for the ancestral sampler: it gets the sigmas and timesteps of the plain one.
"""

from unittest import mock

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
)

SAMPLERS = {
    "ddim": DDIMScheduler,
    "euler": EulerDiscreteScheduler,
    "euler-a": EulerAncestralDiscreteScheduler,
    "dpmpp-2m": DPMSolverMultistepScheduler,
}
DRAW = "diffusers.schedulers.scheduling_euler_ancestral_discrete.randn_tensor"


class Sampler:
    """One run of a sampler over `steps` steps; `strength` below 1 starts late, as image to image does."""

    def __init__(self, config, name, steps, spacing="normal", eta=0.0, strength=1.0):
        if spacing == "karras" and name == "ddim":
            raise ValueError("ddim has no Karras spacing")
        karras = {"use_karras_sigmas": spacing == "karras"} if name in ("euler", "dpmpp-2m") else {}
        self.name, self.eta = name, eta
        self.scheduler = SAMPLERS[name].from_config(config, **karras)
        self.scheduler.set_timesteps(steps)
        if spacing == "karras" and name == "euler-a":
            plain = EulerDiscreteScheduler.from_config(config, use_karras_sigmas=True)
            plain.set_timesteps(steps)
            self.scheduler.sigmas, self.scheduler.timesteps = plain.sigmas, plain.timesteps
        self.start = max(steps - min(int(steps * strength), steps), 0)
        if self.start > 0:
            self.scheduler.set_begin_index(self.start) if name != "ddim" else None
        self.timesteps = self.scheduler.timesteps[self.start :]

    def begin(self, noise, init_latents=None):
        """The latents before the first step: scaled noise, or a picture's latents with noise for that time.
        A whole run (start 0) that has a picture starts from its noised latents too."""
        if init_latents is None:
            return noise * self.scheduler.init_noise_sigma
        return self.noised(init_latents, noise, 0)

    def noised(self, init_latents, noise, k):
        """A picture's latents with as much noise as the latents have before step k."""
        return self.scheduler.add_noise(init_latents, noise, self.timesteps[k : k + 1])

    def model_input(self, latents, k):
        return self.scheduler.scale_model_input(latents, self.timesteps[k])

    def step(self, prediction, latents, k, noise=None):
        """The latents after step k; noise is the unit normal tensor of a sampler that adds some."""
        t = self.timesteps[k]
        if self.name == "ddim":
            with_noise = {"variance_noise": noise} if self.eta > 0 else {}
            return self.scheduler.step(prediction, t, latents, eta=self.eta, **with_noise).prev_sample
        if self.name == "euler-a":
            noise = torch.zeros_like(latents) if noise is None else noise
            with mock.patch(DRAW, lambda *args, **kwargs: noise):
                return self.scheduler.step(prediction, t, latents).prev_sample
        return self.scheduler.step(prediction, t, latents).prev_sample
