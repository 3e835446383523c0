"""The five methods beside each other, each with its own best of as many settings as the others: four rates.

`tried` learns three things, one that is learned surely and two that are not, with each setting, seed 1; a method's best
is the setting with the largest mean of right and red. `methods` learns all ten things with
that, with three seeds.
"""
from learning import DRAWN, Learning
from table import interval, markdown, share

RATES = {
    "svdiff": (0.003, 0.006, 0.01, 0.02),
    "lora": (0.0003, 0.001, 0.003, 0.01),
    "full": (0.00003, 0.0001, 0.0003, 0.001),
    "custom-diffusion": (0.0003, 0.001, 0.003, 0.01),
    "textual-inversion": (0.003, 0.01, 0.03, 0.1),
}
TRIED = {method: tuple(f"--learning-rate {rate}" + (f" --learning-rate-1d {rate}" if method == "svdiff" else "")
                       for rate in rates) for method, rates in RATES.items()}
TRIED_ON = ("fox", "rabbit", "octopus")
SEEDS = (1, 2, 3)


def tried_learnings():
    return [Learning(method, options, thing, 1) for method, settings in TRIED.items() for options in settings
            for thing in TRIED_ON]


def both(row):
    """Returns the mean of the shares of right and of red pictures."""
    return (int(row["right"]) + int(row["ground"])) / (2 * DRAWN)


def best_setting(tried, method):
    """Returns a method's best setting in the table; None while one of them has not been tried on all things."""
    scores = []
    for options in TRIED[method]:
        rows = tried.find(method=method, options=options)
        if len(rows) < len(TRIED_ON):
            return None
        scores.append((sum(both(row) for row in rows), options))
    return max(scores, key=lambda score: score[0])[1]


def method_learnings(tried, names):
    """Returns the learnings of the methods whose best setting is known."""
    best = {method: best_setting(tried, method) for method in TRIED}
    return [Learning(method, options, name, seed) for seed in SEEDS for name in names
            for method, options in best.items() if options is not None]


def tried_table(tried):
    lines = []
    for method, settings in TRIED.items():
        for options in settings:
            rows = tried.find(method=method, options=options)
            if not rows:
                continue
            counts = [f"{sum(int(row[name]) for row in rows)} of {DRAWN * len(rows)}" for name in ("right", "ground")]
            chosen = "best" if options == best_setting(tried, method) else ""
            lines.append([method, f"`{options}`" if options else "its defaults", *counts, chosen])
    return markdown(["method", "setting", "right", "ground", ""], lines)


def methods_table(results, tried):
    lines = []
    for method in TRIED:
        rows = results.find(method=method, options=best_setting(tried, method))
        if rows:
            lines.append([method, rows[0]["values"], f"{int(rows[0]['bytes']) / 1e6:.3g} MB",
                          interval(*share(rows, "right")), interval(*share(rows, "ground")), len(rows)])
    return markdown(["method", "numbers learned", "file", "right, of 100", "ground, of 100", "learnings"], lines)
