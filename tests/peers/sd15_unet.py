#!/usr/bin/env python3
"""Stable Diffusion 1.5's UNet in PyTorch alone, its modules called as diffusers calls them, for machines without diffusers.

    sd15_unet.py --check      holds it against diffusers: the same names, the same result
"""

import math
import sys
from collections import namedtuple

import torch
from torch import nn
from torch.nn import functional

WIDTHS, CONTEXT, HEADS, GROUPS, LAYERS = (320, 640, 1280, 1280), 768, 8, 32, 2
Sample = namedtuple("Sample", "sample")


def timestep_embedding(timestep, width):
    """[n, width]: cosines, then sines."""
    half = width // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=timestep.device) / half)
    angles = timestep.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], 1)


class Resnet(nn.Module):
    def __init__(self, c, out, embedding, groups):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, c, 1e-5), nn.Conv2d(c, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(embedding, out)
        self.norm2, self.conv2 = nn.GroupNorm(groups, out, 1e-5), nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(c, out, 1) if c != out else None

    def forward(self, x, embedding):
        y = self.conv1(functional.silu(self.norm1(x))) + self.time_emb_proj(functional.silu(embedding))[:, :, None, None]
        y = self.conv2(functional.silu(self.norm2(y)))
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    def __init__(self, c, context, heads):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(c, c, bias=False)
        self.to_k, self.to_v = nn.Linear(context, c, bias=False), nn.Linear(context, c, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(c, c)])

    def forward(self, x, context):
        rows = self.to_q(x), self.to_k(context), self.to_v(context)
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2) for y in rows)
        return self.to_out[0](functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Gate(nn.Module):
    def __init__(self, c, out):
        super().__init__()
        self.proj = nn.Linear(c, 2 * out)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * functional.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.net = nn.Sequential(Gate(c, 4 * c), nn.Identity(), nn.Linear(4 * c, c))

    def forward(self, x):
        return self.net(x)


class Block(nn.Module):
    def __init__(self, c, context, heads):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(c), Attention(c, c, heads)
        self.norm2, self.attn2 = nn.LayerNorm(c), Attention(c, context, heads)
        self.norm3, self.ff = nn.LayerNorm(c), FeedForward(c)

    def forward(self, x, context):
        y = self.norm1(x)
        x = x + self.attn1(y, y)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, c, context, heads, groups):
        super().__init__()
        self.norm, self.proj_in = nn.GroupNorm(groups, c, 1e-6), nn.Conv2d(c, c, 1)
        self.transformer_blocks = nn.ModuleList([Block(c, context, heads)])
        self.proj_out = nn.Conv2d(c, c, 1)

    def forward(self, x, context):
        n, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(n, h * w, c)
        y = self.transformer_blocks[0](y, context).reshape(n, h, w, c).permute(0, 3, 1, 2)
        return x + self.proj_out(y)


class Scale(nn.Module):
    """Half as many rows and columns, or twice as many."""

    def __init__(self, c, up):
        super().__init__()
        self.up, self.conv = up, nn.Conv2d(c, c, 3, stride=1 if up else 2, padding=1)

    def forward(self, x):
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x)


class Level(nn.Module):
    """The residual blocks of one width, each with a transformer or none, and what scales their result."""

    def __init__(self, channels, out, embedding, transformer, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(c, out, embedding, groups) for c in channels])
        if transformer is not None:
            self.attentions = nn.ModuleList([transformer(out) for _ in channels])
        if down:
            self.downsamplers = nn.ModuleList([Scale(out, False)])
        if up:
            self.upsamplers = nn.ModuleList([Scale(out, True)])


class Middle(nn.Module):
    def __init__(self, c, embedding, transformer, groups):
        super().__init__()
        self.attentions = nn.ModuleList([transformer(c)])
        self.resnets = nn.ModuleList([Resnet(c, c, embedding, groups) for _ in range(2)])


class UNet(nn.Module):
    """forward(latents [n, 4, h, w], timestep [n], encoder_hidden_states=text [n, t, context]).sample"""

    def __init__(self, divide=1, channels=4):
        super().__init__()
        widths, groups, context = [w // divide for w in WIDTHS], max(GROUPS // divide, 2), CONTEXT // divide
        embedding, last = 4 * widths[0], len(widths) - 1
        transformer = lambda c: Transformer(c, context, HEADS, groups)
        self.first, self.context = widths[0], context
        self.conv_in = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.time_embedding = nn.ModuleDict(
            {"linear_1": nn.Linear(widths[0], embedding), "linear_2": nn.Linear(embedding, embedding)}
        )
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        skips = [widths[0]]  # channels of what the way up meets again
        for i, width in enumerate(widths):
            before = [skips[-1]] + [width] * (LAYERS - 1)
            self.down_blocks.append(
                Level(before, width, embedding, transformer if i < last else None, groups, down=i < last)
            )
            skips += [width] * (LAYERS + (i < last))
        self.mid_block = Middle(widths[-1], embedding, transformer, groups)
        c = widths[-1]
        for i, width in enumerate(reversed(widths)):
            before = []
            for _ in range(LAYERS + 1):
                before.append(c + skips.pop())
                c = width
            self.up_blocks.append(
                Level(before, width, embedding, transformer if i > 0 else None, groups, up=i < last)
            )
        self.conv_norm_out = nn.GroupNorm(groups, widths[0], 1e-5)
        self.conv_out = nn.Conv2d(widths[0], channels, 3, padding=1)

    def forward(self, x, timestep, encoder_hidden_states):
        text = encoder_hidden_states
        e = timestep_embedding(timestep, self.first).to(x.dtype)
        e = self.time_embedding["linear_2"](functional.silu(self.time_embedding["linear_1"](e)))
        x = self.conv_in(x)
        skips = [x]
        for level in self.down_blocks:
            for i, resnet in enumerate(level.resnets):
                x = resnet(x, e)
                x = level.attentions[i](x, text) if hasattr(level, "attentions") else x
                skips.append(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.resnets[0](x, e)
        x = self.mid_block.resnets[1](self.mid_block.attentions[0](x, text), e)
        for level in self.up_blocks:
            for i, resnet in enumerate(level.resnets):
                x = resnet(torch.cat([x, skips.pop()], 1), e)
                x = level.attentions[i](x, text) if hasattr(level, "attentions") else x
            x = level.upsamplers[0](x) if hasattr(level, "upsamplers") else x
        return Sample(self.conv_out(functional.silu(self.conv_norm_out(x))))


def check():
    """Whether diffusers computes the same, at an eighth of the widths; and has as many values at the true ones."""
    from diffusers import UNet2DConditionModel

    from random_sd15 import configs

    torch.manual_seed(0)
    theirs, own = UNet2DConditionModel.from_config(configs(8)[0]).eval(), UNet(8).eval()
    own.load_state_dict(theirs.state_dict())
    x, text, t = torch.randn(2, 4, 16, 24), torch.randn(2, 77, CONTEXT // 8), torch.tensor([3, 900])
    with torch.inference_mode():
        want, got = theirs(x, t, encoder_hidden_states=text).sample, own(x, t, encoder_hidden_states=text).sample
    error = ((got - want).norm() / want.norm()).item()
    with torch.device("meta"):
        networks = UNet2DConditionModel.from_config(configs()[0]), UNet()
        counts = [sum(p.numel() for p in n.parameters()) for n in networks]
    print(f"off by {error:.1e} of diffusers' result; values: {counts[1]}, diffusers' {counts[0]}")
    return error < 1e-5 and counts[0] == counts[1]


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        sys.exit(__doc__)
    sys.exit(0 if check() else 1)
