"""SVDiff's published successors in its place, in PyTorch: each weight is U N Vt, with at most as many numbers for N as
SVDiff has.

    formed.py FORM MODEL TRACE RATE FOLDER

SVDiff has N = diag(relu(s + d)): one number for each of the r singular values s. With r numbers as well, zeros at first:
    svft-banded       diag(s) + M, M three diagonals over the r/3 largest values           (SVFT, arXiv 2405.19597)
    svft-random       diag(s) + M, M at r places of the r x r, drawn once                  (the same)
    lora-xs           diag(s) + diag(s) M, M of sqrt(r) x sqrt(r) over the largest         (LoRA-XS, arXiv 2405.17604)
    spectral-adapter  A diag(s) Bt, rotations A, B of the sqrt(r) largest values' vectors  (arXiv 2405.13952, its rotations)
    soda              diag(s + d) (A x B x C), Kronecker product of three rotations, of sizes whose product is r, which
                      turn all of Vt; d over the largest values                            (SODA, arXiv 2405.21050)
A rotation is Cayley's, (I - K)(I + K)^-1 with K skew. (Spectral Adapter's other form, columns added to the vectors of the
largest values, has at least out + in numbers a weight, more than SVDiff.) Norms and the word's vector learn as in SVDiff.

Pictures, noise and timesteps are those in the trace of `svdiff learn`, all settings but the rate too, so that all forms see
the same, SVDiff's own among them. FOLDER becomes the model with what was learned in its weights, which `generate` draws.
"""
import functools
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests" / "peers"))

import relearn  # noqa: E402 (after the path is set)
from check_learn import OPTIONS, rules_of  # noqa: E402
from methods import Shifts  # noqa: E402
from reference import load  # noqa: E402


def skew(numbers, size):
    """Returns K [size, size] with the numbers above its diagonal."""
    k = torch.zeros(size, size, dtype=numbers.dtype)
    k = k.index_put(tuple(torch.triu_indices(size, size, 1)), numbers)
    return k - k.T


def rotation(numbers, size):
    """Returns Cayley's rotation of size (size - 1) / 2 numbers."""
    k, one = skew(numbers, size), torch.eye(size, dtype=numbers.dtype)
    return torch.linalg.solve(one + k, one - k, left=False)


def padded(square, r):
    """Returns the square matrix in the upper left of [r, r]."""
    return torch.nn.functional.pad(square, (0, r - len(square)) * 2)


def svft_banded(s, d):
    k = (len(s) + 2) // 3
    band = torch.diag(d[:k]) + torch.diag(d[k:2 * k - 1], 1) + torch.diag(d[2 * k - 1:3 * k - 2], -1)
    return torch.diag(s) + padded(band, len(s))


def svft_random(s, d):
    r = len(s)
    places = torch.randperm(r * r, generator=torch.Generator().manual_seed(r))[:r]
    return torch.diag(s) + torch.zeros(r * r, dtype=d.dtype).index_put((places,), d).view(r, r)


def lora_xs(s, d):
    k = math.isqrt(len(s))
    return torch.diag(s) + padded(s[:k, None] * d[:k * k].view(k, k), len(s))


def spectral_adapter(s, d):
    k = next(k for k in range(math.isqrt(len(s)) + 1, 0, -1) if k * (k - 1) <= len(s))
    each = k * (k - 1) // 2
    turned = rotation(d[:each], k) @ torch.diag(s[:k]) @ rotation(d[each:2 * each], k).T
    return torch.diag(s) + padded(turned - torch.diag(s[:k]), len(s))


@functools.cache
def sizes_of(r):
    """Returns three sizes, whose product is r, of the fewest numbers."""
    divisors = [n for n in range(1, r + 1) if r % n == 0]
    return min(((a, b, r // (a * b)) for a in divisors for b in divisors if r % (a * b) == 0),
               key=lambda sizes: sum(n * (n - 1) for n in sizes))


def soda(s, d):
    turned, used = torch.ones(1, 1, dtype=d.dtype), 0
    for size in sizes_of(len(s)):
        each = size * (size - 1) // 2
        if used + each > len(s):  # r is prime: nothing of that size fits
            return torch.diag(s + d)
        turned, used = torch.kron(turned, rotation(d[used:used + each], size)), used + each
    return torch.diag(s + torch.nn.functional.pad(d[used:], (0, used))) @ turned


def svdiff(s, d):
    return torch.diag(torch.relu(s + d))


FORMS = {"svdiff": svdiff, "svft-banded": svft_banded, "svft-random": svft_random, "lora-xs": lora_xs,
         "spectral-adapter": spectral_adapter, "soda": soda}


class Formed(Shifts):
    """What learns in a form; relearn.py runs it."""

    def __init__(self, form, *arguments):
        super().__init__(*arguments)
        self.form, self.plain_shifted = form, self.spectra.shifted
        self.spectra.shifted = self.shifted

    def shifted(self, name, d):
        w = self.spectra.weight(name)
        if w.ndim == 1:
            return self.plain_shifted(name, d)
        u, s, vt, residual = self.spectra.factor(name)
        return (u @ FORMS[self.form](s, d) @ vt + residual).reshape(w.shape)


def learned(form, model, trace, metadata, rate):
    """Returns the weights by network and name that a form has learned on what a trace holds."""
    lengths = {k.removeprefix("gradient."): v.numel() for k, v in trace.items() if k.startswith("gradient.")}
    rules = rules_of(SimpleNamespace(**dict.fromkeys(OPTIONS)), metadata, trace)
    rules = replace(rules, method=form, learning_rate=rate, learning_rate_1d=rate)
    relearn.METHODS[form] = lambda *arguments: Formed(form, *arguments)
    learner, out = relearn.Relearner(model, rules, lengths, trace), {}
    for k in range(rules.steps):
        learner.step(trace, k, out)
        out.clear()
    with torch.no_grad():
        return learner.method.weights()


def plain(name):
    """Returns a tensor's name as older and newer transformers, and what learns, have it alike."""
    return name.removeprefix("text_model.")


def write_model(folder, model, weights):
    """Writes a copy of the model with these weights, in f32."""
    shutil.copytree(model, folder)
    for part, file in (("unet", "unet/diffusion_pytorch_model"), ("text", "text_encoder/model")):
        path = next(folder.glob(f"{file}*.safetensors"))
        kept = {plain(name): value for name, value in load_file(path).items()}
        learned_here = {plain(name): value for name, value in weights[part].items()}
        unknown = set(learned_here) - set(kept)
        if unknown:
            raise KeyError(f"{path}: no tensor {sorted(unknown)[0]}")
        save_file({name: value.float().contiguous() for name, value in (kept | learned_here).items()}, path)


def main():
    form, model, trace, rate, folder = sys.argv[1:]
    with safe_open(trace, "pt") as file:
        metadata = file.metadata()
    write_model(Path(folder), Path(model), learned(form, load(model), load_file(trace), metadata, float(rate)))


if __name__ == "__main__":
    main()
