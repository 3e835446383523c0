"""A whole `svdiff generate` in diffusers, its random numbers taken from a trace: what the trace should hold.

`Job` is the command's options; `generate` returns the tensors of `--trace` under their names. All noise comes from
the trace: `initial_noise`, `step_noise.K` (unit normal; what eta or an ancestral step scales and adds), and
for a run that starts from a picture `init_latents` and `mask`. A mask is soft: after step j of n, latents whose mask is
at most 1 - j / n are the picture's with the noise of the next level (differential diffusion). An inpainting model's
network sees [latents, mask, `masked_image_latents`], and nothing is put back between its steps. Texts of regions stand
behind the rest of the prompt's, each with the factor of its mask in the attention on its words (`regions` [1, r, h, w]); the negative
prompt acts everywhere. Where regions have subjects of their own there are several models, one for each set of subjects,
and what is guided is the mean of their predictions by `share_out`'s weights.
"""

from dataclasses import dataclass, field

import re

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

import a1111
from sampling import Sampler


@dataclass
class Job:
    prompt: str = ""
    negative: str = ""
    steps: int = 25
    guidance: float = 7.5
    sampler: str = "ddim"
    spacing: str = "normal"
    eta: float = 0.0
    guidance_rescale: float = 0.0
    clip_skip: int = 1
    strength: float = 1.0
    subjects: list = field(default_factory=list)  # (shifts by name, scale)
    regions: list = field(default_factory=list)  # texts

    def has_step_noise(self):
        return self.sampler == "euler-a" or (self.sampler == "ddim" and self.eta > 0)


def area_mean(old, new):
    """[new, old]: the length of each old cell within each new one, over the new one's."""
    edges = torch.arange(new + 1).double() * old / new
    low, high = edges[:-1, None], edges[1:, None]
    cells = torch.arange(old).double()
    return (torch.minimum(high, cells + 1) - torch.maximum(low, cells)).clamp(min=0) * new / old


class Regional:
    """A processor of diffusers' attention: the words of region i, behind the prompt's, count as its mask says."""

    def __init__(self, masks, tokens):
        self.masks, self.tokens = masks, tokens

    def bias(self, places):
        h, w = self.masks.shape[-2:]
        while h * w > places:
            h, w = (h + 1) // 2, (w + 1) // 2
        means = [area_mean(m.shape[0], h) @ m.double() @ area_mean(m.shape[1], w).T for m in self.masks]
        factors = torch.stack([torch.ones(h * w, dtype=torch.float64), *(m.flatten() for m in means)])
        return factors.log().T.repeat_interleave(self.tokens, 1)

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **_):
        heads = lambda x: x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        q, k, v = (heads(f(x)) for f, x in (
            (attn.to_q, hidden_states), (attn.to_k, encoder_hidden_states), (attn.to_v, encoder_hidden_states)))
        scores = q @ k.transpose(-1, -2) * attn.scale
        if k.shape[-2] > self.tokens:
            scores = scores + self.bias(q.shape[-2]).to(scores.dtype)
        out = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        return attn.to_out[1](attn.to_out[0](out))


def rest_of(prompt, regions):
    """The prompt without the regions' texts, each taken out once where it stands as whole words."""
    for text in regions:
        prompt = re.sub(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])", "", prompt, count=1)
    return prompt


def embed(model, job, given):
    """[2, (1 + regions) tokens, width]: the negative prompt as often as there are texts, then the texts."""
    all_texts = (job.negative, rest_of(job.prompt, job.regions), *job.regions)
    negative, *texts = a1111.embed(model, all_texts, job.clip_skip)
    if job.regions:
        for name, module in model.unet.named_modules():
            if name.endswith("attn2"):
                module.set_processor(Regional(given["regions"][0], negative.shape[1]))
    return torch.cat([torch.cat([negative] * len(texts), 1), torch.cat(texts, 1)])


def share_out(masks, owners):
    """[(subjects, weight [h, w])]: the regions' masks [r, h, w] shared out between the sets of subjects that own them;
    first what is left for those without a region, unless that is nothing."""
    total = {}
    for mask, own in zip(masks.double(), owners):
        if own:
            total[own] = (total.get(own, torch.zeros_like(mask)) + mask).clamp(max=1)
    over = sum(total.values()).clamp(min=1)
    shares = {own: weight / over for own, weight in total.items()}
    rest = 1 - sum(shares.values())
    return ([(frozenset(), rest)] if rest.max() > 1e-6 else []) + list(shares.items())


def generate(model, job, given, forced=False, others=()):
    """The expected trace. `given` has the noise; with `forced` every step starts from the given latents
    and prediction, so that each figure is one step's own error. others: (model, weight [h, w]) of further sets of
    subjects; the first one has what these leave."""
    dtype = next(model.unet.parameters()).dtype
    given = {k: v.to(dtype) for k, v in given.items()}
    sets = [(model, 1 - sum(weight for _, weight in others)), *others]
    texts = [embed(each, job, given) for each, _ in sets]
    embeddings = texts[0]
    sampler = Sampler(model.scheduler_config, job.sampler, job.steps, job.spacing, job.eta, job.strength)
    out = {"text_embeddings": embeddings, "timesteps": sampler.timesteps.to(dtype)}
    out.update({f"text_embeddings.{i}": text for i, text in enumerate(texts) if i > 0})
    mask, init, noise = given.get("mask"), given.get("init_latents"), given["initial_noise"]
    more = torch.cat([mask, given["masked_image_latents"]], 1) if model.unet.config.in_channels == 9 else None
    if mask is not None and job.strength >= 1:
        latents = sampler.begin(noise)
    else:
        latents = sampler.begin(noise, init)
    for k, t in enumerate(sampler.timesteps):
        shown = sampler.model_input(latents, k)
        shown = shown if more is None else torch.cat([shown, more], 1)
        prediction = sum(weight * predict(each, job, shown, t, text) for (each, weight), text in zip(sets, texts))
        out[f"noise_prediction.{k}"] = prediction
        if forced:
            prediction = given[f"noise_prediction.{k}"]
        latents = sampler.step(prediction, latents, k, given.get(f"step_noise.{k}"))
        out[f"latents.{k}"] = latents
        if forced:
            latents = given[f"latents.{k}"]
        if mask is not None and more is None:
            steps = len(sampler.timesteps)
            kept = init if k + 1 == steps else sampler.noised(init, noise, k + 1)
            latents = torch.where(mask.double() * steps <= steps - k - 1, kept, latents)
    out["image"] = model.decode(latents).clamp(-1, 1)
    return out


def predict(model, job, latents, timestep, embeddings):
    """The network's guided output; guidance at most 1 means no unconditional pass."""
    if job.guidance <= 1:
        return model.predict(latents, timestep, embeddings[1:])
    if job.regions:
        without = model.predict(latents, timestep, embeddings[:1, : embeddings.shape[1] // (1 + len(job.regions))])
        with_prompt = model.predict(latents, timestep, embeddings[1:])
        return without + job.guidance * (with_prompt - without)
    without, with_prompt = model.predict(torch.cat([latents] * 2), timestep, embeddings).chunk(2)
    guided = without + job.guidance * (with_prompt - without)
    return rescale_noise_cfg(guided, with_prompt, job.guidance_rescale) if job.guidance_rescale > 0 else guided


def encode(model, picture, noise):
    """Scaled latents of a picture [1, 3, H, W] in -1..1, sampled with this noise."""
    moments = model.vae.encode(picture).latent_dist
    return (moments.mean + moments.std * noise) * model.scaling


def draw(model, job, height, width, seed):
    """Noise for a job that has no trace yet."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, model.unet.config.in_channels, height // 8, width // 8)
    given = {"initial_noise": torch.randn(shape, generator=generator)}
    if job.has_step_noise():
        for k in range(job.steps):
            given[f"step_noise.{k}"] = torch.randn(shape, generator=generator)
    return given
