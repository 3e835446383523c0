"""Edits of one picture by DDIM inversion, in PyTorch with diffusers' classes: what svdiff's edits are compared with.

A picture's latents are inverted under its own words without guidance and drawn again under others with guidance. A
plain step of inversion asks the network at the latents that it leaves, where drawing will ask at those that it comes
to: a network that knows one picture by heart is not smooth enough for that (after 400 steps of full fine-tuning a fox
came back with 11 dB). So each step is then corrected as `svdiff edit` does: twice it begins anew from where drawing,
asked there, steps back to the latents that it left (33 dB). Null-text optimisation (Mokady et al., CVPR 2023) then
changes the empty prompt's embedding, one of its own for each step, until drawing under the picture's own words with
guidance follows the inverted path.
"""
import numpy as np
import torch
from diffusers import DDIMInverseScheduler, StableDiffusionPipeline
from safetensors.torch import load_file
from torch.nn.functional import mse_loss

STEPS, GUIDANCE = 25, 4.5
CORRECTIONS = 2
INNER, RATE, ENOUGH = 10, 1e-2, 1e-5  # the published ones


class Inverter:
    """A model folder's networks, and with them the ways there and back."""

    def __init__(self, model):
        self.pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
        self.unet, self.scheduler = self.pipeline.unet.requires_grad_(False), self.pipeline.scheduler
        self.there = DDIMInverseScheduler.from_config(self.scheduler.config)

    def add_differences(self, path):
        """Adds what `learn --method full` wrote to the UNet's weights (LyCORIS' keys)."""
        modules = {"lora_unet_" + name.replace(".", "_"): module for name, module in self.unet.named_modules()}
        kinds = {"diff": "weight", "diff_b": "bias", "w_norm": "weight", "b_norm": "bias"}
        for key, difference in load_file(path).items():
            name, kind = key.rsplit(".", 1)
            getattr(modules[name], kinds[kind]).data.add_(difference)

    def words(self, prompt):
        ids = self.pipeline.tokenizer(prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
        return self.pipeline.text_encoder(ids.input_ids).last_hidden_state.detach()

    def stepped_from(self, prediction, t, latents):
        """Returns the latents from which a step of drawing, which is linear in both, comes to these."""
        one, zero = torch.ones(1), torch.zeros(1)
        of_latents = self.scheduler.step(zero, t, one).prev_sample
        of_prediction = self.scheduler.step(one, t, zero).prev_sample
        return (latents - of_prediction * prediction) / of_latents

    @torch.no_grad()
    def inverted(self, picture, prompt, corrections=CORRECTIONS):
        """Returns the latents of the picture [h, w, 3] (uint8) and of each step of its inversion."""
        x = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        path = [self.pipeline.vae.encode(x).latent_dist.mean * self.pipeline.vae.config.scaling_factor]
        self.there.set_timesteps(STEPS)
        self.scheduler.set_timesteps(STEPS)
        words = self.words(prompt)
        for t in self.there.timesteps:
            after = self.there.step(self.unet(path[-1], t, words).sample, t, path[-1]).prev_sample
            for _ in range(corrections):
                after = self.stepped_from(self.unet(after, t, words).sample, t, path[-1])
            path.append(after)
        return path

    def step(self, latents, t, words, empty, guidance):
        text = self.unet(latents, t, words).sample
        if guidance != 1:
            nothing = self.unet(latents, t, empty).sample
            text = nothing + guidance * (text - nothing)
        return self.scheduler.step(text, t, latents).prev_sample

    @torch.no_grad()
    def drawn(self, latents, prompt, guidance=GUIDANCE, empties=None):
        """Returns the picture that the latents become under the prompt; `empties`: an embedding for each step."""
        self.scheduler.set_timesteps(STEPS)
        words, empty = self.words(prompt), self.words("")
        for i, t in enumerate(self.scheduler.timesteps):
            latents = self.step(latents, t, words, empty if empties is None else empties[i], guidance)
        y = self.pipeline.vae.decode(latents / self.pipeline.vae.config.scaling_factor).sample
        return ((y[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().byte().numpy()

    def null_texts(self, path, prompt):
        """Returns the empty prompt's embedding for each step, optimised; path: of `inverted`."""
        self.scheduler.set_timesteps(STEPS)
        words, empty, latents, found = self.words(prompt), self.words(""), path[-1], []
        for i, t in enumerate(self.scheduler.timesteps):
            empty = empty.clone().requires_grad_(True)
            optimiser = torch.optim.Adam([empty], RATE * (1 - i / 100))
            with torch.no_grad():
                text = self.unet(latents, t, words).sample
            for _ in range(INNER):
                nothing = self.unet(latents, t, empty).sample
                after = self.scheduler.step(nothing + GUIDANCE * (text - nothing), t, latents).prev_sample
                loss = mse_loss(after, path[-2 - i])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                if loss.item() < ENOUGH + i * 2 * ENOUGH:
                    break
            empty = empty.detach()
            found.append(empty)
            with torch.no_grad():
                latents = self.step(latents, t, words, empty, GUIDANCE)
        return found
