"""Holds a trace of `svdiff learn --trace` against PyTorch autograd of the paper's formula.

    check_learn.py MODEL TRACE

The run is repeated on the trace's own latents, noise, timesteps and tokens with the weights
    U diag(relu(s + d)) Vt + (W - U diag(s) Vt)     norms gamma + d, or gamma relu(|gamma| + d) / |gamma|
(of other methods what methods.py has) as autograd sees them, AdamW as torch.optim has it, and clipping over all shifts together, in double. Held against
bounds, relative errors (norm of the difference over norm):
    losses of the first step                            1e-5
    the first gradient of each shift, before clipping   2e-3
    losses of all steps, and each shift after them      1e-3
    latents of mixed rows (remix.py)                    1e-5
Where single precision cannot do as much, the bound is what PyTorch's own can, times --slack: the largest error of
--rounded runs of PyTorch in single precision, each with its weights moved by one rounding, against the run in double.
(Adam moves an element whose gradient is lost in rounding as far as any other, in either direction, so a single one
shows in its tensor.) A line at the end sets the errors of all tensors beside PyTorch's: a ratio near 1 means that the
engine is as exact as PyTorch. Which weights have shifts, and of which length, is read from the trace's gradient.NAME;
hyper-parameters from its metadata, the command line goes before. Exit 1 when a bound is passed.
"""

import argparse
import math
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from reference import load, relative
from relearn import Rules, relearn
from remix import mixed_rows

FIRST_LOSS, GRADIENT, LATER, MIXED = 1e-5, 2e-3, 1e-3, 1e-5
SLACK = 10  # how much of PyTorch's own rounding a tensor may have
OPTIONS = {
    "steps": int,
    "method": str,
    "top": int,
    "rank": int,
    "alpha": float,
    "learning_rate": float,
    "learning_rate_1d": float,
    "placeholder_rate": float,
    "weight_decay": float,
    "clip": float,
    "prior": str,
    "prior_weight": float,
    "prior_every": int,
    "min_snr": float,
    "noise_offset": float,
    "unmix_weight": float,
    "unmix_grid": int,
    "unmix_layers": str,
    "unmix_maps": str,
    "accumulate": int,
    "schedule": str,
    "warm_up": int,
}
LOSSES = ("loss", "prior_loss", "unmix_loss", "total_loss")


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("trace")
    for name, kind in OPTIONS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind, help="instead of the trace's metadata")
    parser.add_argument("--rounded", type=int, default=3, metavar="N", help="runs of PyTorch in single precision (3)")
    parser.add_argument("--slack", type=float, default=SLACK, metavar="X", help="times their largest error (%(default)s)")
    parser.add_argument("--worst", type=int, default=3, metavar="N", help="name the N worst gradients and shifts (3)")
    parser.add_argument("--expect-clipping", action="store_true", help="fail unless clipping acted in some step")
    return parser.parse_args(argv)


def rules_of(options, metadata, trace):
    values = {}
    for name, kind in OPTIONS.items():
        value = getattr(options, name)
        if value is None and name in metadata:
            value = kind(metadata[name])
        if value is not None:
            values[name] = value
    accumulate = values.get("accumulate", 1)
    micro_steps = sum(k.startswith("loss.") for k in trace)
    values["steps"] = min(values.get("steps", micro_steps), micro_steps // accumulate)
    if "prior" not in values:
        values["prior"] = "images" if "prior_loss.0" in trace else "none"
    return Rules(**values)


def group(name, accumulate):
    """Which bound a tensor falls under: (title, bound), or None for what is only an intermediate."""
    kind, _, rest = name.partition(".")
    if kind in LOSSES:
        first = int(rest) < accumulate
        return (f"{kind} of the first step", FIRST_LOSS) if first else (f"{kind} of later steps", LATER)
    if kind == "gradient":
        return ("first gradient, each shift", GRADIENT)
    if kind == "shift":
        return ("final shift, each", LATER)
    return None


def with_company(name, trace, expected, accumulate):
    """What is compared under a name. A prior loss that begins at zero stands with the step's loss."""
    names = [name]
    if name.startswith("prior_loss.") and int(name.rsplit(".", 1)[1]) < accumulate:
        names.append(name.removeprefix("prior_"))
    return [torch.cat([source[k].double().reshape(-1) for k in names]) for source in (trace, expected)]


def errors_of(trace, expected, accumulate):
    """The relative error of every tensor that a bound is for; infinite where it is missing or not a number."""
    errors = {}
    for name in expected:
        if group(name, accumulate) is not None:
            error = relative(*with_company(name, trace, expected, accumulate)) if name in trace else math.inf
            errors[name] = math.inf if math.isnan(error) else error
    return errors


def moved(model, seed):
    """The model with every weight moved by at most one rounding of single precision."""
    generator = torch.Generator().manual_seed(seed)
    for module in (model.unet, model.text):
        for weight in module.parameters():
            weight.data *= 1 + 2**-24 * (2 * torch.rand(weight.shape, generator=generator) - 1)
    return model


def rounding(path, rules, trace, lengths, expected, runs, bf16=False):
    """The largest error of each tensor in runs of PyTorch in single precision, or with its products in bfloat16."""
    largest = {}
    for seed in range(runs):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            rounded = relearn(moved(load(path), seed), rules, trace, lengths)
        for name, error in errors_of(rounded, expected, rules.accumulate).items():
            largest[name] = max(error, largest.get(name, 0))
    return largest


def compare(errors, own, options, accumulate):
    """Prints the largest error of each group; True when all are within their bounds."""
    groups, good = {}, True
    for name, error in errors.items():
        title, bound = group(name, accumulate)
        allowed = max(bound, options.slack * own.get(name, 0))
        groups.setdefault((title, bound), []).append((error / allowed, error, own.get(name, 0), name))
    for (title, bound), rows in groups.items():
        rows.sort(reverse=True)
        within = rows[0][0] <= 1
        good = good and within
        wider = sum(options.slack * row[2] > bound for row in rows)
        print(f"{title} ({len(rows)}): bound {bound:.0e}, wider for {wider}: {'ok' if within else 'TOO LARGE'}")
        for _, error, torchs, name in rows[: options.worst if title.endswith(("shift", "each")) else 1]:
            print(f"    {error:.1e} (PyTorch {torchs:.1e}) {name}")
    return good


def mixed_error(model, trace, metadata):
    """(how many mixed rows could be worked out, the largest relative error of their latents)."""
    found = [relative(trace[name][row].double(), latents) for name, row, latents in mixed_rows(model, trace, metadata)]
    return len(found), max(found, default=0.0)


def mean_ratio(errors, own, kind):
    """Geometric mean of the engine's error over PyTorch's largest, over the tensors of one kind."""
    logs = [math.log(errors[n] / own[n]) for n in errors if n.startswith(kind) and errors[n] > 0 and own.get(n, 0) > 0]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def main():
    options = parse()
    with safe_open(options.trace, "pt") as file:
        metadata = file.metadata() or {}
    trace = load_file(options.trace)
    rules = rules_of(options, metadata, trace)
    lengths = {k.removeprefix("gradient."): v.numel() for k, v in trace.items() if k.startswith("gradient.")}
    if not lengths:
        sys.exit("the trace has no gradient.NAME")
    print(rules)
    expected = relearn(load(options.model).to(torch.float64), rules, trace, lengths)
    errors = errors_of(trace, expected, rules.accumulate)
    own = rounding(options.model, rules, trace, lengths, expected, options.rounded)
    good = compare(errors, own, options, rules.accumulate)
    rows, mixed = mixed_error(load(options.model).to(torch.float64), trace, metadata)
    good = good and mixed <= MIXED
    print(f"latents of mixed rows ({rows}): bound {MIXED:.0e}: {'ok' if mixed <= MIXED else 'TOO LARGE'}, {mixed:.1e}")
    ratios = [mean_ratio(errors, own, kind) for kind in ("gradient.", "shift.")]
    print("error over PyTorch's, geometric means: gradients %.2f, shifts %.2f" % tuple(ratios))
    clipped = sum(int(v) for k, v in expected.items() if k.startswith("#clipped."))
    print(f"clipping acted in {clipped} of {rules.steps} steps")
    if options.expect_clipping and clipped == 0:
        good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
