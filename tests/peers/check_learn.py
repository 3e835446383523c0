"""Holds a trace of `svdiff learn --trace` against PyTorch autograd of the paper's formula.

    check_learn.py MODEL TRACE

The run is repeated on the trace's own latents, noise, timesteps and tokens with the weights
    U diag(relu(s + d)) Vt + (W - U diag(s) Vt)     norms gamma + d, or gamma relu(|gamma| + d) / |gamma|
as autograd sees them, AdamW as torch.optim has it, and clipping over all shifts together. Held against bounds,
relative errors (norm of the difference over norm):
    losses of the first step                       1e-5
    the first gradient of each shift, before clipping   2e-3
    losses of all steps, and each shift after them      1e-3   (shifts of length 1 all together)
Which weights have shifts, and of which length, is read from the trace's gradient.NAME; hyper-parameters from its
metadata, the command line goes before. Exit 1 when a bound is passed.
"""

import argparse
import math
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from reference import load, relative
from relearn import Rules, relearn

FIRST_LOSS, GRADIENT, LATER = 1e-5, 2e-3, 1e-3
OPTIONS = {
    "steps": int,
    "learning_rate": float,
    "learning_rate_1d": float,
    "weight_decay": float,
    "clip": float,
    "prior": str,
    "prior_weight": float,
    "min_snr": float,
    "accumulate": int,
    "schedule": str,
    "warm_up": int,
}
LOSSES = ("loss", "prior_loss", "total_loss")


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("trace")
    for name, kind in OPTIONS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind, help="instead of the trace's metadata")
    parser.add_argument("--double", action="store_true", help="run the reference in double")
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
    """What is compared under a name. A final shift of length 1 stands with all others of length 1, as the sign
    of a gradient near zero alone decides it; a prior loss that begins at zero stands with the step's loss."""
    names = [name]
    if name.startswith("shift.") and expected[name].numel() == 1:
        names = [k for k, v in expected.items() if k.startswith("shift.") and v.numel() == 1 and k in trace]
    if name.startswith("prior_loss.") and int(name.rsplit(".", 1)[1]) < accumulate:
        names.append(name.removeprefix("prior_"))
    return [torch.cat([source[k].reshape(-1) for k in names]) for source in (trace, expected)]


def compare(trace, expected, accumulate, worst):
    """Prints the largest error of each group; True when all are within their bounds."""
    groups, good = {}, True
    for name, want in expected.items():
        which = group(name, accumulate)
        if which is None:
            continue
        if name not in trace:
            print(f"{name}: not in the trace")
            good = False
            continue
        got, want = with_company(name, trace, expected, accumulate)
        error = relative(got, want)
        groups.setdefault(which, []).append((math.inf if math.isnan(error) else error, name))
    for (title, bound), errors in groups.items():
        errors.sort(reverse=True)
        within = errors[0][0] <= bound
        good = good and within
        shown = "; ".join(f"{e:.1e} {n}" for e, n in errors[: worst if title.endswith(("shift", "each")) else 1])
        print(f"{title} ({len(errors)}): bound {bound:.0e}: {'ok' if within else 'TOO LARGE'}: {shown}")
    return good


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
    model = load(options.model).to(torch.float64 if options.double else torch.float32)
    expected = relearn(model, rules, trace, lengths)
    good = compare(trace, expected, rules.accumulate, options.worst)
    shifts = [k for k in expected if k.startswith("shift.") and k in trace]
    together = relative(*(torch.cat([source[k].reshape(-1) for k in shifts]) for source in (trace, expected)))
    print(f"all final shifts together: {together:.1e}")
    clipped = sum(int(v) for k, v in expected.items() if k.startswith("#clipped."))
    print(f"clipping acted in {clipped} of {rules.steps} steps")
    if options.expect_clipping and clipped == 0:
        good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
