"""A whole `svdiff edit` in diffusers, its random numbers taken from a trace: what the trace should hold.

    inversion   DDIMInverseScheduler at guidance 1, from `init_latents`, all timesteps; with `refine` each step is that
                often corrected: the latents from which DDIMScheduler, with the prediction for them, steps back
    fit         `init_latents` from the encoder's mean, through the decoder
    start       slerp(alpha; inverted latents, fresh noise) over the whole tensor
    sampling    DDIMScheduler with eta and guidance

A target that names two places has its picture moved before it is encoded, each text in its half alone, and a second
model, without what was learned, for the half beside the picture's subject: `others`, as in replay.generate.
"""

from dataclasses import replace

import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler

from replay import embed, generate


def fit(model, picture, latents, steps, rate=0.05):
    """Latents corrected by Adam so that the decoder gives the picture [1, 3, H, W] in -1..1 back: the best of all."""
    z = latents.clone().requires_grad_(True)
    adam, best, least = torch.optim.Adam([z], lr=rate), latents, float("inf")
    for step in range(steps + 1 if steps else 0):
        with torch.enable_grad():
            shown = model.decode(z)
            # what is clamped to what is wanted is right; elsewhere the slope goes on beyond the clamp
            difference = shown.detach().clamp(-1, 1) - picture
            (2 * difference / difference.numel() * shown).sum().backward()
        loss = difference.square().mean().item()
        if loss < least:
            best, least = z.detach().clone(), loss
        adam.step()
        adam.zero_grad()
    return best


def slerp(alpha, a, b):
    """Shoemake's interpolation of two tensors as vectors."""
    phi = torch.arccos((a * b).sum() / (a.norm() * b.norm()))
    return (torch.sin((1 - alpha) * phi) * a + torch.sin(alpha * phi) * b) / torch.sin(phi)


def stepped_from(scheduler, t, prediction, latents):
    """Latents from which a step of DDIM, which is linear, comes to these."""
    one, zero = torch.ones(1, dtype=latents.dtype), torch.zeros(1, dtype=latents.dtype)
    of_latents = scheduler.step(zero, t, one).prev_sample
    of_prediction = scheduler.step(one, t, zero).prev_sample
    return (latents - of_prediction * prediction) / of_latents


def invert(model, job, given, refine=0, forced=False, others=()):
    """The tensors of the inversion under job.prompt; the last latents are what it comes to. With `forced` every step
    starts from the given tensors."""
    latents, steps = given["init_latents"], job.steps
    sets = [(model, 1 - sum(weight for _, weight in others)), *others]
    texts = [embed(each, job, given)[1:] for each, _ in sets]

    def predict(at, t):
        return sum(weight * each.predict(at, t, text) for (each, weight), text in zip(sets, texts))

    scheduler = DDIMInverseScheduler.from_config(model.scheduler_config)
    scheduler.set_timesteps(steps)
    sampling = DDIMScheduler.from_config(model.scheduler_config)
    sampling.set_timesteps(steps)
    out = {"inversion_timesteps": scheduler.timesteps.to(latents), "inversion_embeddings": texts[0]}
    out.update({f"inversion_embeddings.{i}": text for i, text in enumerate(texts) if i > 0})
    for k, t in enumerate(scheduler.timesteps):
        before, prediction = latents, predict(latents, t)
        latents = scheduler.step(prediction, t, before).prev_sample
        for _ in range(refine):
            prediction = predict(latents, t)
            latents = stepped_from(sampling, t, prediction, before)
        out[f"inversion_prediction.{k}"], out[f"inversion_latents.{k}"] = prediction, latents
        latents = given[f"inversion_latents.{k}"] if forced else latents
    return out


def edit(model, job, given, source, alpha, refine=0, forced=False, others=()):
    """The expected trace of a run that inverts under the prompt `source`, with these texts in its regions: (prompt,
    texts); job.prompt is the target. With `forced` every step starts from the given tensors, so that each figure is one
    step's own error."""
    dtype = next(model.unet.parameters()).dtype
    given = {k: v.to(dtype) for k, v in given.items()}
    inverting = replace(job, prompt=source[0], regions=source[1])
    out = invert(model, inverting, given, refine, forced, others)
    inverted = (given if forced else out)[f"inversion_latents.{job.steps - 1}"]
    start = inverted if alpha == 0 else slerp(alpha, inverted, given["fresh_noise"])
    noise = {k: v for k, v in given.items() if k not in ("init_latents", "moved")}
    noise["initial_noise"] = given["start_latents"] if forced else start
    drawn = generate(model, job, noise, forced, others)
    return {**out, "start_latents": start, **drawn}
