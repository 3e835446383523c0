"""Mixed latents in PyTorch, from what a trace of `svdiff learn --trace` says was mixed.

    z = scaling mean(E(m_1 x_1 + m_2 x_2))                     mix_masks.N, mix_pictures.N

This holds for --latent mean alone: a sample of the autoencoder has noise that the trace does not have.
"""


def mixed_rows(model, trace, n, metadata):
    """{row: latents [c, h, w]} of micro-step n in double, for the rows that can be worked out."""
    rows = {}
    if f"mix_masks.{n}" not in trace or metadata.get("latent") != "mean":
        return rows
    masks, pictures = trace[f"mix_masks.{n}"].double(), trace[f"mix_pictures.{n}"].double()
    for row in range(len(masks) // 2):
        pair = slice(2 * row, 2 * row + 2)
        if masks[pair].sum() > 0:
            picture = (masks[pair] * pictures[pair]).sum(0, keepdim=True)
            posterior = model.vae.double().encode(2 * picture - 1).latent_dist
            rows[row] = model.scaling * posterior.mode()[0]
    return rows


def mixed_steps(trace):
    return sorted(int(name.split(".")[1]) for name in trace if name.startswith("mix_masks."))
