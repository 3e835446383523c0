"""diffusers' own StableDiffusionInpaintPipeline, run on noise from outside: what a trace of an inpainting model holds.

The pipeline gets the picture and the mask as `svdiff generate` shows them to the network (of the working size), the
embeddings of both prompts, and the noise; what it hands over at the end of each step is taken down.
"""

from unittest import mock

import torch
from diffusers import StableDiffusionInpaintPipeline

from sampling import SAMPLERS

DRAW = "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint.randn_tensor"


class Given(StableDiffusionInpaintPipeline):
    """Takes the sample of the picture's latents from outside."""

    init_latents = None

    def _encode_vae_image(self, image, generator):
        return self.init_latents


def inpaint(model, job, given, picture):
    """{latents.K, image} of a run; picture [1, 3, H, W] in -1..1, `given` the noise, the mask [1, 1, h, w] and the
    latents of the masked picture."""
    dtype = next(model.unet.parameters()).dtype
    given = {k: v.to(dtype) for k, v in given.items()}
    pipeline = Given(
        vae=model.vae,
        text_encoder=None,
        tokenizer=None,
        unet=model.unet,
        scheduler=SAMPLERS[job.sampler].from_config(model.scheduler_config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.init_latents = given["init_latents"]
    out = {}

    def keep(_, k, timestep, values):
        out[f"latents.{k}"] = values["latents"].clone()
        return {}

    mask = torch.nn.functional.interpolate(given["mask"], scale_factor=8)
    embeddings = [model.embed(model.tokens(p)) for p in (job.prompt, job.negative)]
    pipeline.set_progress_bar_config(disable=True)
    # noise handed in as `latents` would be taken as it is, whatever the strength
    with mock.patch(DRAW, lambda *args, **kwargs: given["initial_noise"]):
        result = run(pipeline, job, picture, mask, embeddings, given, keep)
    out["image"] = result.images * 2 - 1
    return out


def run(pipeline, job, picture, mask, embeddings, given, keep):
    return pipeline(
        image=(picture + 1) / 2,
        mask_image=mask,
        masked_image_latents=given["masked_image_latents"],
        prompt_embeds=embeddings[0],
        negative_prompt_embeds=embeddings[1],
        height=picture.shape[2],
        width=picture.shape[3],
        strength=job.strength,
        num_inference_steps=job.steps,
        guidance_scale=job.guidance,
        eta=job.eta,
        output_type="pt",
        callback_on_step_end=keep,
        callback_on_step_end_tensor_inputs=["latents"],
    )
