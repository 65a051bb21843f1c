"""The leaderboard as a page of Markdown tables."""

from collections.abc import Iterator, Mapping, Sequence

from models.evaluation import Row
from pipeline.board.figures import Figures, Verdict, size
from pipeline.training.evaluating import OURS
from pipeline.training.flat import NOT_OUT_OF_TIME

_METRICS = {
    "auc": ("AUC", 4),
    "average_precision": ("average precision", 3),
    "log_loss": ("log loss", 4),
    "brier": ("Brier", 4),
    "ece": ("ECE", 3),
    "lift_at_10pct": ("lift at 10 %", 2),
    "emp": ("EMPC", 2),
}
_COMPARED = ("auc", "average_precision", "log_loss", "emp")
_HEAD = f"""\
# Leaderboard

```console
make leaderboard
```

wrote this page: `keepwell leaderboard` on the example configurations, whose data [data.md](data.md) names. A run that
was killed goes on where it stopped, and the same data, recipe and program give the same page.

Every model learns from what was known at a test date and is judged by what came after. Test dates lie one horizon
apart; a metric is taken at each and averaged. Intervals (95 %) come from drawing customers, the same ones for all
models and dates. `{OURS}` is the recipe as it is retrained, `level uncorrected` its ranking at the mean that boosting
alone predicts. Rivals are trained on the same features at dates one horizon apart; CatBoost is the outsider. ECE has
ten bins of equal count, and a perfect model of that size has one above 0, too. EMPC is in currency units per customer
at the usual costs of its authors.
"""


def page(tasks: Sequence[Figures]) -> str:
    """Return the leaderboard of some tasks as Markdown."""
    verdicts = [verdict for figures in tasks for verdict in figures.verdicts()]
    parts = [_HEAD, _goals(verdicts), *("\n".join(_task(figures)) for figures in tasks)]
    return "\n".join(parts)


def _goals(verdicts: Sequence[Verdict]) -> str:
    missed = sum(verdict.word == "missed" for verdict in verdicts)
    rows = [
        f"| {each.task} | {each.at} | {each.figure} | {each.sign} {each.goal:g} | "
        f"{'' if each.far_goal is None else f'{each.far_goal:g}'} | {each.found:.4f} | {_emphasised(each.word)} |"
        for each in verdicts
    ]
    return "\n".join(
        [
            f"## Goals: {len(verdicts) - missed} reached, {missed} missed\n",
            "Where a second set of rivals lacks tables, goals that speak of the best rival mean that set.\n",
            "| task | test date | figure | goal | far goal | found | |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _task(figures: Figures) -> Iterator[str]:
    task = figures.task
    yield f"## {task.name}\n"
    yield f"{task.about[0].upper()}{task.about[1:]}{_mark(figures)}.\n"
    kind = "test dates" if task.is_out_of_time else "splits"
    yield f"| mean of {len(task.outcomes)} {kind} | {' | '.join(name for name, _ in _METRICS.values())} |"
    yield f"|---|{'---|' * len(_METRICS)}"
    for row in figures.metrics:
        yield f"| {row['name']} | {' | '.join(_cell(row, metric) for metric in _METRICS)} |"
    yield f"\n| `{OURS}` less | {' | '.join(_METRICS[metric][0] for metric in _COMPARED)} |"
    yield f"|---|{'---|' * len(_COMPARED)}"
    apart = {(row["name"], row["metric"]): row for row in figures.differences}
    for name in dict.fromkeys(row["name"] for row in figures.differences):
        yield f"| {name} | {' | '.join(_difference(apart[name, metric]) for metric in _COMPARED)} |"
    yield f"\n| AUC, log loss, ECE | {' | '.join(task.outcomes)} |"
    yield f"|---|{'---|' * len(task.outcomes)}"
    for name in figures.each[next(iter(figures.each))]:
        yield f"| {name} | {' | '.join(_at_once(each[name]) for each in figures.each.values())} |"
    sizes = [size(outcome) for outcome in task.outcomes.values()]
    yield f"| customers, churned | {' | '.join(f'{n:,}, {share:.1%}' for n, share in sizes)} |"
    yield f"| ECE of a perfect model | {' | '.join(f'{each:.3f}' for each in figures.perfect_ece)} |\n"


def _mark(figures: Figures) -> str:
    return "" if figures.task.is_out_of_time else f"; **{NOT_OUT_OF_TIME}**"


def _cell(row: Row, metric: str) -> str:
    digits = _METRICS[metric][1]
    if metric == "ece":  # drawn customers raise it, so that its interval does not hold it
        return f"{row[metric]:.{digits}f}"
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    interval = (
        "" if low is None or high is None else f" [{low:.{min(digits, 3)}f}, {high:.{min(digits, 3)}f}]"
    )
    return f"{row[metric]:.{digits}f}{interval}"


def _difference(row: Row) -> str:
    return f"{row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _at_once(metrics: Mapping[str, float]) -> str:
    return f"{metrics['auc']:.4f}, {metrics['log_loss']:.4f}, {metrics['ece']:.3f}"


def _emphasised(word: str) -> str:
    return f"**{word}**" if word == "missed" else word
