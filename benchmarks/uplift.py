"""Measure uplift rankings and policies on the randomised e-mail experiment: ``uplift.py [DATA]``.

64,000 customers drew no mail, the men's or the women's (Hillstrom, MineThatData 2008); the outcome is a visit within
two weeks. Everything is out of fold. Writes ``benchmarks/results/uplift.json``: ``figures`` in the form of
``run.py``, ``rankings`` by mail, ``policies`` of three arms and the ``decisions`` of the gate. Goals are least values.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.run import RESULTS, ROOT, Figure
from models.uplift.gate import MODEL, RISK, best_share, gain_over_single, plain, rankings_of
from models.uplift.intervals import Interval
from models.uplift.metrics import TOP, RankingRow, Trial, compare_rankings
from models.uplift.model import fit_uplift
from models.uplift.out_of_fold import OutOfFold, out_of_fold
from models.uplift.policies import Experiment, budgeted, difference_of, single, value_of

QINI_GOAL, TOP_GOAL = 6.5e-3, 7.0e-2
SPLITS = 5
NONE, MENS, WOMENS = 0, 1, 2
MAILS = {"women's mail": WOMENS, "men's mail": MENS}

Array = npt.NDArray[np.float64]


class Mails(NamedTuple):
    """The experiment.

    Attributes:
        X: features before the mail.
        visited: 1 where the customer came within two weeks.
        arm: no mail 0, men's 1, women's 2.
    """

    X: pd.DataFrame
    visited: Array
    arm: npt.NDArray[np.int64]

    def against_none(self, arm: int) -> "Mails":
        """Return one mail, as arm 1, and no mail."""
        rows = np.isin(self.arm, (NONE, arm))
        return Mails(self.X[rows], self.visited[rows], (self.arm[rows] == arm).astype(np.int64))

    def out_of_fold(self, seed: int) -> OutOfFold:
        """Predict every row by models that did not see it."""
        arms = int(self.arm.max()) + 1
        return out_of_fold(
            self.X.to_numpy(np.float32),
            self.visited,
            self.arm,
            np.full((len(self.arm), arms), 1 / arms),
            np.arange(len(self.arm)),
            seed=seed,
        )


def read_mails(folder: Path) -> Mails:
    """Read the experiment from ``hillstrom/hillstrom.parquet`` under a folder."""
    rows = pd.read_parquet(folder / "hillstrom" / "hillstrom.parquet")
    features = pd.DataFrame(
        {
            "months_since_last_purchase": rows["recency"],
            "spend_365d": rows["history"],
            "bought_mens": rows["mens"],
            "bought_womens": rows["womens"],
            "is_new": rows["newbie"],
            "is_urban": rows["zip_code"] == "Urban",
            "is_rural": rows["zip_code"] == "Rural",
            "uses_web": rows["channel"] != "Phone",
            "uses_phone": rows["channel"] != "Web",
        }
    ).astype(np.float32)
    arm = rows["segment"].map({"No E-Mail": NONE, "Mens E-Mail": MENS, "Womens E-Mail": WOMENS})
    return Mails(features, rows["visit"].to_numpy(np.float64), arm.to_numpy(np.int64))


def main(folder: Path) -> int:
    """Measure, print, write, and return 0 if every goal holds, else 1."""
    mails = read_mails(folder)
    rankings = {name: ranking_table(mails.against_none(arm)) for name, arm in MAILS.items()}
    both = mails.out_of_fold(0)
    policies, gain = policy_table(mails, both), gain_over_single(both, TOP)
    decisions = {name: decision(mails.against_none(arm)) for name, arm in MAILS.items()}
    figures = judged(rankings["women's mail"])
    for name, rows in rankings.items():
        print_rankings(name, rows)
    print_policies(policies)
    print(
        f"\nboth mails: above the best single mail {gain.worded()}; {'serves' if gain.low > 0 else 'does not serve'}"
    )
    for name, told in decisions.items():
        print(f"\n{name}: {told['words']}")
    print()
    for name, figure in figures.items():
        print(f"{name:32s} {figure.value:.2e}  goal {figure.goal:g} {'holds' if figure.holds else 'MISSED'}")
    RESULTS.mkdir(exist_ok=True)
    found = {
        "figures": {name: asdict(figure) for name, figure in figures.items()},
        "rankings": {name: [plain(row) for row in rows] for name, rows in rankings.items()},
        "policies": policies,
        "gain_over_single_mail": plain(gain),
        "decisions": decisions,
    }
    (RESULTS / "uplift.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figure.holds for figure in figures.values()) else 1


def ranking_table(mails: Mails) -> tuple[RankingRow, ...]:
    """Value every ranking over some splits into folds, its distance told from the ranking by churn risk.

    The outcome being a visit, the churn risk is that of staying away without a mail.
    """
    splits = [rankings_of(mails.out_of_fold(100 * split)) for split in range(SPLITS)]
    scores = {name: np.column_stack([split[name] for split in splits]) for name in splits[0]}
    scores["longest away"] = mails.X["months_since_last_purchase"].to_numpy()
    scores["spend of a year"] = mails.X["spend_365d"].to_numpy()
    trial = Trial.of(mails.visited, mails.arm, 0.5)
    return compare_rankings(scores, trial, reference=RISK, seed=1)


def policy_table(mails: Mails, seen: OutOfFold) -> dict[str, dict[str, Any]]:
    """Value policies over three arms, and compare each with the best single mail for as many customers."""
    rows, buys_mens = seen.experiment, mails.X["bought_mens"].to_numpy() > 0
    count = len(rows.arm)
    mens = {share: single(MENS, share, rows=count, arms=3) for share in (1.0, TOP)}
    at_risk = riskiest(seen)
    everybody = {
        "nobody": single(NONE, 1.0, rows=count, arms=3),
        "all women's mail": single(WOMENS, 1.0, rows=count, arms=3),
        "all men's mail": mens[1.0],
        "men's to buyers of men's, else women's": np.eye(3)[np.where(buys_mens, MENS, WOMENS)],
        "mean of the learners, best mail each": best_share(seen, 1.0),
    }
    some = {
        "30 % at random, men's mail": mens[TOP],
        "30 % of highest churn risk, men's mail": riskiest(seen, only=MENS),
        "30 % of highest churn risk, best mail each": at_risk,
        "30 % by mean of the learners, best mail each": best_share(seen, TOP),
    }
    rivals = {name: {"above_single_mail": mens[1.0]} for name in everybody}
    rivals |= {name: {"above_single_mail": mens[TOP], "above_highest_risk": at_risk} for name in some}
    return {name: told(policy, rivals[name], rows) for name, policy in (everybody | some).items()}


def told(policy: Array, rivals: Mapping[str, Array], rows: Experiment) -> dict[str, Any]:
    """Return a policy's value by name of the figure, and its distance from each rival."""
    value = value_of(policy, rows)
    apart = {name: plain(difference_of(policy, rival, rows)) for name, rival in rivals.items()}
    return {**{name: plain(each) for name, each in value._asdict().items()}, **apart}


def riskiest(seen: OutOfFold, *, only: int | None = None) -> Array:
    """Treat those of highest churn risk, with one mail or with the best of each."""
    risk = seen.ranked(-seen.experiment.expected[:, NONE])
    first = budgeted(risk[:, None], TOP)[:, 1]
    best = seen.mean_effect.argmax(axis=1) + 1 if only is None else only
    policy: Array = np.eye(3)[np.broadcast_to(best, len(risk))] * first[:, None]
    policy[:, NONE] = 1 - first
    return policy


def decision(mails: Mails) -> dict[str, Any]:
    """Return what the gate says of a mail, an absent visit being the churn."""
    return fit_uplift(mails.X, 1 - mails.visited, mails.arm, 0.5, seed=0).decision.as_dict()


def judged(rows: tuple[RankingRow, ...]) -> dict[str, Figure]:
    """Hold the model's figures against their goals, beside those of the ranking by churn risk."""
    model, risk = (next(row for row in rows if row.ranking == name) for name in (MODEL, RISK))
    return {
        name: Figure(
            found.value,
            "visits per customer",
            f"churn risk: {rival.value:.2e}",
            None,
            goal,
            found.value >= goal,
        )
        for name, found, rival, goal in (
            ("qini_womens_mail", model.qini, risk.qini, QINI_GOAL),
            ("uplift_of_top_30_womens_mail", model.top, risk.top, TOP_GOAL),
        )
    }


def print_rankings(name: str, rows: tuple[RankingRow, ...]) -> None:
    """Print one table of rankings, visits per 1,000 customers."""
    print(f"\n{name}, visits per 1,000 customers")
    print(f"  {'ranking':24s}{'Qini':>24s}{'uplift of top 30 %':>28s}{'Qini above churn risk':>26s}")
    for row in rows:
        qini, top, apart = (shown(each._asdict()) for each in row[1:])
        print(f"  {row.ranking:24s}{qini:>24s}{top:>28s}{apart:>26s}")


def print_policies(policies: dict[str, dict[str, Any]]) -> None:
    """Print the table of policies, visits per 1,000 customers; the best single mail is the men's, at random."""
    print("\npolicies over three arms, visits per 1,000 customers")
    print(
        f"  {'':46s}{'treated':>8s}{'AIPW':>22s}{'IPS':>8s}{'above single mail':>22s}{'above highest risk':>22s}"
    )
    for name, each in policies.items():
        value, single_mail, risk = (
            shown(each.get(key)) for key in ("doubly_robust", "above_single_mail", "above_highest_risk")
        )
        weighted = 1000 * each["weighted"]["value"]
        print(f"  {name:46s}{each['treated']:8.2f}{value:>22s}{weighted:8.1f}{single_mail:>22s}{risk:>22s}")


def shown(interval: Mapping[str, float] | None) -> str:
    """Return an interval in thousandths, or a dash."""
    return Interval(**interval).worded().removesuffix(" per 1,000") if interval else "-"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(f"usage: uplift.py [DATA]; found {sys.argv[1:]}.")
    data = Path(
        sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KEEPWELL_DATA", ROOT / "../shared/data")
    )
    if (data / "hillstrom").is_dir():
        sys.exit(main(data))
    print(f"uplift.py: skipped, no folder hillstrom in {data}. Set KEEPWELL_DATA to where it lies.")
