"""Mixed latents in PyTorch, from what a trace of `svdiff learn --trace` says was mixed.

    z = w_1 z_1 + w_2 z_2                                      without masks: mix_weights.N, mix_latents.N
    z = scaling mean(E(m_1 x_1 + m_2 x_2))                     with masks: mix_masks.N, mix_pictures.N

The second holds for --latent mean alone: a sample of the autoencoder has noise that the trace does not have.
"""

import torch


def mixed_rows(model, trace, n, metadata):
    """{row: latents [c, h, w]} of micro-step n in double, for the rows that can be worked out."""
    rows = {}
    if f"mix_weights.{n}" not in trace:
        return rows
    weights = trace[f"mix_weights.{n}"].double()
    for row in range(len(weights)):
        pair = slice(2 * row, 2 * row + 2)
        masks = trace[f"mix_masks.{n}"][pair].double() if f"mix_masks.{n}" in trace else torch.zeros(1)
        if masks.sum() > 0:
            if metadata.get("latent") == "mean":
                picture = (masks * trace[f"mix_pictures.{n}"][pair].double()).sum(0, keepdim=True)
                posterior = model.vae.double().encode(2 * picture - 1).latent_dist
                rows[row] = model.scaling * posterior.mode()[0]
        elif weights[row].sum() > 0:
            rows[row] = (weights[row][:, None] * trace[f"mix_latents.{n}"][pair].double()).sum(0)
    return rows


def mixed_steps(trace):
    return sorted(int(name.split(".")[1]) for name in trace if name.startswith("mix_weights."))
