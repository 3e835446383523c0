"""Prompts with weights and of any length, after the rules that A1111's stable-diffusion-webui publishes: brackets weigh 1.1
times as much or as little, chunks of the encoder's length end at a comma among their last 20 tokens or at BREAK, and
a chunk keeps its mean when its tokens are weighted."""

import re

import torch

PIECES = re.compile(r"(?P<escaped>\\[()\[\]\\]?)|(?P<open>[(\[])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<close>[)\]])|[^\\()\[\]:]+|:")
BACKTRACK = 20


def parts(text):
    """[(text, weight)], None for a BREAK; neighbours of one weight are one."""
    found, begun = [], {"(": [], "[": []}

    def weigh(bracket, factor):
        start = begun[bracket].pop()
        found[start:] = [piece and (piece[0], piece[1] * factor) for piece in found[start:]]

    for piece in PIECES.finditer(text):
        kind, closes = piece.lastgroup, {")": "(", "]": "["}.get(piece["close"])
        if kind == "open":
            begun[piece["open"]].append(len(found))
        elif kind == "weight" and begun["("]:
            weigh("(", float(piece["weight"]))
        elif kind == "close" and begun[closes]:
            weigh(closes, 1.1 if closes == "(" else 1 / 1.1)
        elif kind == "escaped":
            found.append((piece[0][1:], 1.0))
        else:
            for i, words in enumerate(re.split(r"\s*\bBREAK\b\s*", piece[0])):
                found += [None] * (i > 0) + [(words, 1.0)]
    for bracket, factor in (("(", 1.1), ("[", 1 / 1.1)):
        while begun[bracket]:
            weigh(bracket, factor)
    merged = []
    for piece in found:
        if merged and piece and merged[-1] and merged[-1][1] == piece[1]:
            piece = (merged.pop()[0] + piece[0], piece[1])
        merged.append(piece)
    return merged


def chunks(tokenizer, text, length):
    """[(ids [length], weights [length])]"""
    room, comma = length - 2, tokenizer.convert_tokens_to_ids(",</w>")
    pad = tokenizer.pad_token_id
    out, now, last = [], [], None

    def end(n):
        nonlocal now, last
        ids = [tokenizer.bos_token_id, *(i for i, _ in now[:n]), tokenizer.eos_token_id] + [pad] * (room - len(now[:n]))
        out.append((ids, [1.0, *(w for _, w in now[:n])] + [1.0] * (length - 1 - len(now[:n]))))
        now, last = now[n:], None

    for piece in parts(text):
        if piece is None:
            end(len(now))
            continue
        for token in tokenizer(piece[0], add_special_tokens=False).input_ids:
            if token == comma:
                last = len(now)
            elif len(now) == room and last is not None and room - last <= BACKTRACK:
                end(last + 1)
            if len(now) == room:
                end(room)
            now.append((token, piece[1]))
    if now or not out:
        end(len(now))
    return out


def embed(model, texts, skip=1):
    """[1, k * positions, width] of each text, k that of the longest."""
    made = [chunks(model.tokenizer, text, model.positions) for text in texts]
    most = max(map(len, made))
    empty = chunks(model.tokenizer, "", model.positions)
    return [torch.cat([_weighted(model, *chunk, skip) for chunk in each + empty * (most - len(each))], 1) for each in made]


def _weighted(model, ids, weights, skip):
    out = model.text(torch.tensor([ids]), output_hidden_states=True)
    z = out.last_hidden_state
    if skip > 1:
        z = getattr(model.text, "text_model", model.text).final_layer_norm(out.hidden_states[-skip])
    weighted = z * torch.tensor(weights, dtype=z.dtype)[None, :, None]
    return weighted * (z.mean() / weighted.mean())
