"""Mixed latents in PyTorch, from what a trace of `svdiff learn --trace` says was mixed.

    z = scaling mean(E(m_1 x_1 + m_2 x_2))                     mix_masks.N, mix_pictures.N

The same, with prior_ before the names, of the prior's rows. This holds for --latent mean alone: a sample of the
autoencoder has noise that the trace does not have.
"""


def mixed_rows(model, trace, metadata):
    """[(name, row, latents [c, h, w])] in double, for the rows of all steps that can be worked out."""
    rows = []
    for name in sorted(trace) if metadata.get("latent") == "mean" else ():
        prefix, found, n = name.partition("mix_masks.")
        if not found:
            continue
        masks, pictures = trace[name].double(), trace[f"{prefix}mix_pictures.{n}"].double()
        for row in range(len(masks) // 2):
            pair = slice(2 * row, 2 * row + 2)
            if masks[pair].sum() > 0:
                picture = (masks[pair] * pictures[pair]).sum(0, keepdim=True)
                posterior = model.vae.double().encode(2 * picture - 1).latent_dist
                rows.append((f"{prefix}latents.{n}", row, model.scaling * posterior.mode()[0]))
    return rows
