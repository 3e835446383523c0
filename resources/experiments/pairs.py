"""Two things learned together, with and without cut-mix and unmix, by svdiff and by full fine-tuning (the paper's Figure 5).

The pairs and what counts as right are tests/model/mixed.py's; `full` learns at the rate that is best of those tried.
"""
from itertools import product

from learning import mixed  # whose path it set
from learning import Learning
from methods import SEEDS, best_setting
from table import interval, markdown, share

METHODS = ("svdiff", "full")
WAYS = {"neither": "--cut-mix 0", "cut-mix": "--unmix-weight 0", "cut-mix and unmix": ""}


def options_of(method, way, tried):
    """Returns a learning's options; None while the method's best setting is not known."""
    best = "" if method == "svdiff" else best_setting(tried, method)
    return None if best is None else f"{best} {WAYS[way]}".strip()


def pair_learnings(tried):
    wanted = [Learning(method, options_of(method, way, tried), ", ".join(pair), seed)
              for seed, pair, method, way in product(SEEDS, mixed.PAIRS, METHODS, WAYS)]
    return [learning for learning in wanted if learning.options is not None]


def pairs_table(results, tried):
    lines = []
    for method, way in product(METHODS, WAYS):
        rows = results.find(method=method, options=options_of(method, way, tried))
        by_pair = [[row for row in rows if row["thing"] == ", ".join(pair)] for pair in mixed.PAIRS]
        if rows:
            lines.append([method, way, *(interval(*share(part, "right")) if part else "" for part in by_pair),
                          interval(*share(rows, "right"))])
    return markdown(["method", "", *(", ".join(pair) for pair in mixed.PAIRS), "all"], lines)
