"""Measure the allocation against its own bound, and small ones against HiGHS: ``allocation.py 10k|100k|1m``.

Writes ``benchmarks/results/allocation-SIZE.json`` in the form of ``run.py``: up to 20,000 customers at 10k, a million
at 100k, ten million at 1m. Every problem has all rules: budget, places, hours of a team, a cap on discounts and
floors for two regions; ``tight`` ones have floors above the natural shares, a hard cap and few places. A problem is a
process of its own; its plan is counted by the independent checker. Seconds are CPU seconds, beside those of taking
the largest value of each customer in the same process.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

from actions.allocation.allocate import Allocation, allocate
from actions.allocation.feasibility import broken_rules
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.allocation.problem import Values
from actions.catalogue import CHANNELS, load_catalogue
from actions.value import expected_cost
from benchmarks.run import RESULTS, ROOT, Figure, print_figure, run_python

TASKS = {
    "10k": ["5k_12", "20k_12", "20k_12_tight", "5k_27_tight", "5k_12_two", "5k_12_tight_two"],
    "100k": ["1m_12", "1m_12_tight", "1m_27_tight", "1m_12_two"],
    "1m": ["10m_12", "10m_12_tight", "10m_27_tight"],
}
CUSTOMERS = {"5k": 5_000, "20k": 20_000, "1m": 1_000_000, "10m": 10_000_000}
LP_GOAL = 0.1
GAP_GOALS = {"1m": 0.2, "10m": 0.5}
SECONDS_GOALS = {"1m": 15.0, "10m": 60.0}
PEAK_GOAL_GB = 4.0
REGIONS = ("FI", "LT", "LV", "EE", "IS")
_REGION_SHARES = (0.4, 0.25, 0.2, 0.1, 0.05)
_CHUNK = 500_000


class Kind(NamedTuple):
    """What one action of a made-up problem costs and does; ``places`` is a share of the customers."""

    name: str
    cost: float
    save: float
    kind: str
    channel: str
    places: float


TWELVE = (
    Kind("points", 2.0, 0.05, "discount", "email", 0.05),
    Kind("personal_offer", 8.0, 0.09, "discount", "sms", 0.02),
    Kind("service_call", 12.0, 0.12, "content", "phone", 0.004),
    Kind("nps_follow_up", 0.6, 0.03, "content", "email", 0.05),
    Kind("tutorial", 0.3, 0.05, "content", "in_app", 0.10),
    Kind("community", 0.2, 0.03, "content", "email", 0.05),
    Kind("referral", 5.0, 0.02, "discount", "email", 0.02),
    Kind("proactive_support", 6.0, 0.10, "service", "phone", 0.006),
    Kind("win_back", 0.1, 0.015, "content", "email", 1.0),
    Kind("price_review", 15.0, 0.11, "discount", "phone", 0.003),
    Kind("apology", 4.0, 0.10, "service", "email", 0.01),
    Kind("charity_match", 3.0, 0.025, "content", "push", 0.02),
)


def whole_catalogue() -> tuple[Kind, ...]:
    """Return the actions of the shipped catalogue, with fewer places the dearer they are."""
    actions = load_catalogue(ROOT / "configs" / "actions.yaml").actions.values()
    return tuple(
        Kind(
            name=action.id,
            cost=(cost := expected_cost(action)),
            save=2 * action.prior_save,
            kind=action.kind,
            channel=action.channel[0] if action.channel[0] in CHANNELS else "email",
            places=min(max(0.02 / max(cost, 0.02), 0.002), 0.2),
        )
        for action in actions
    )


@dataclass(frozen=True)
class Made:
    """A made-up problem and its rules."""

    kinds: tuple[Kind, ...]
    values: Values
    regions: npt.NDArray[np.int8]
    rules: dict[str, Any]

    @property
    def limits(self) -> Limits:
        """The rules as the solver reads them."""
        return Limits.of([kind.name for kind in self.kinds], **self.rules)

    @property
    def groups(self) -> npt.NDArray[np.int8]:
        """Position of each customer's region in the limits: the last two regions have a floor."""
        return np.maximum(self.regions - 2, 0).astype(np.int8)

    @property
    def channels(self) -> npt.NDArray[np.int8]:
        """Channel of each action, the same for all customers."""
        return np.array([CHANNELS.index(kind.channel) for kind in self.kinds], dtype=np.int8)

    @property
    def most_actions(self) -> int:
        """Most actions for one customer."""
        return int(self.rules["shared"].most_actions)

    def allocate(self) -> Allocation:
        """Solve it."""
        return allocate(
            self.values,
            self.limits,
            groups=self.groups,
            channels=np.broadcast_to(self.channels, self.values.shape),
            most_actions=self.most_actions,
        )


def make(customers: int, kinds: tuple[Kind, ...], *, is_tight: bool, most_actions: int) -> Made:
    """Make up customers with risks, values, segments, open tickets and objections, and rules over all of them."""
    rng = np.random.default_rng(0)
    regions = rng.choice(5, customers, p=_REGION_SHARES).astype(np.int8)
    worth = (rng.beta(1.2, 6, customers) * np.exp(rng.normal(4.4, 0.9, customers))).astype(np.float32)
    tastes = rng.gamma(2.0, 0.5, (4, len(kinds))).astype(np.float32)
    costs, saves = (
        np.array(each, dtype=np.float32) for each in zip(*((k.cost, k.save) for k in kinds), strict=True)
    )
    is_service = np.array([kind.kind == "service" for kind in kinds])
    values = np.empty((customers, len(kinds)), dtype=np.float32)
    for start in range(0, customers, _CHUNK):
        rows = slice(start, min(start + _CHUNK, customers))
        part = values[rows]
        rng.standard_gamma(4.0, dtype=np.float32, out=part)
        part *= saves / 4 * worth[rows, None]
        part *= tastes[rng.integers(0, 4, len(part))]
        part -= costs
        part[(rng.random(len(part)) < 0.21)[:, None] & ~is_service] = -np.inf
        part[rng.random(len(part)) < 0.15] = -np.inf
    return Made(kinds, values, regions, _rules(customers, kinds, is_tight, most_actions))


def _rules(customers: int, kinds: tuple[Kind, ...], is_tight: bool, most_actions: int) -> dict[str, Any]:
    scarce = 0.4 if is_tight else 1.0
    calls = [kind.name for kind in kinds if kind.channel == "phone"]
    desk = {
        "hours_per_night": 0.0015 * scarce * customers,
        "minutes_per_contact": {name: 10.0 + 5 * at for at, name in enumerate(calls)},
    }
    return {
        "cost": {kind.name: kind.cost for kind in kinds},
        "budget": (0.6 if is_tight else 0.15) * customers,
        "capacity": {kind.name: kind.places * scarce * customers for kind in kinds},
        "discounts": frozenset(kind.name for kind in kinds if kind.kind == "discount"),
        "shared": LimitSettings(
            discount_share=0.10 if is_tight else 0.25,
            region_floors={"EE": 0.13, "IS": 0.09} if is_tight else {"EE": 0.08, "IS": 0.04},
            teams={"desk": desk},
            most_actions=most_actions,
        ),
    }


def solve(task: str) -> dict[str, Any]:
    """Solve one problem and judge the plan."""
    size, count, *how = task.split("_")
    kinds = TWELVE if count == "12" else whole_catalogue()
    made = make(CUSTOMERS[size], kinds, is_tight="tight" in how, most_actions=1 + ("two" in how))
    began = time.process_time()
    made.values.max(axis=1)
    largest = time.process_time() - began
    began, wall = time.process_time(), time.perf_counter()
    found = made.allocate()
    told: dict[str, Any] = {
        "cpu_seconds": time.process_time() - began,
        "wall_seconds": time.perf_counter() - wall,
        "largest_value_seconds": largest,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "gap_percent": 100 * found.gap,
        "pairs": len(found.rows),
        "broken": _broken(made, found),
        "prices": {
            name: round(price, 3) for name, price in made.limits.named(found.prices).items() if price > 1e-4
        },
    }
    return told | (_beside_highs(made, found) if size in {"5k", "20k"} else {})


def _broken(made: Made, found: Allocation) -> list[str]:
    names = pd.Index([kind.name for kind in made.kinds])
    sent = pd.DataFrame(
        {
            "customer_id": found.rows,
            "action": names.take(found.columns),
            "channel": made.channels[found.columns],
            "region": pd.Index(REGIONS).take(made.regions[found.rows]),
        }
    )
    return broken_rules(sent, **made.rules)


def _beside_highs(made: Made, found: Allocation) -> dict[str, float]:
    """Solve the problem relaxed to parts of customers by HiGHS: no plan can be worth more."""
    rows, columns = np.nonzero(made.values > 0)
    pairs = np.arange(len(rows))

    def at_most(owner: npt.NDArray[np.intp], weight: npt.NDArray[np.float64] | None = None) -> csr_matrix:
        return csr_matrix((np.ones(len(pairs)) if weight is None else weight, (owner, pairs)))

    limits, most = made.limits, made.most_actions
    by_channel = at_most(rows * len(CHANNELS) + made.channels[columns])
    discounts = at_most(rows, limits.discounts[columns].astype(np.float64))
    shared = csr_matrix(limits.weights[:, made.groups[rows], columns])
    blocks = [at_most(rows), by_channel, discounts, shared]
    ends = [
        np.full(blocks[0].shape[0], most),
        np.ones(by_channel.shape[0]),
        np.ones(discounts.shape[0]),
        limits.most,
    ]
    began = time.process_time()
    relaxed = linprog(
        -made.values[rows, columns].astype(np.float64),
        A_ub=vstack(blocks).tocsr(),
        b_ub=np.concatenate(ends),
        method="highs",
    )
    return {
        "highs_seconds": time.process_time() - began,
        "below_highs_percent": 100 * (1 + found.primal / relaxed.fun),
        "bound_above_highs_percent": 100 * (-found.bound / relaxed.fun - 1),
    }


def judge(task: str, told: dict[str, Any]) -> dict[str, Figure]:
    """Compare one problem's figures with its goals; a broken rule holds for nobody."""
    size = task.split("_", maxsplit=1)[0]
    fits = not told["broken"]
    cpu = round(told["cpu_seconds"], 2)
    beside = f"largest value per customer: {told['largest_value_seconds']:.3f} CPU s"
    if size in {"5k", "20k"}:
        below = round(told["below_highs_percent"], 4)
        words = (
            f"HiGHS LP in {told['highs_seconds']:.1f} CPU s, ours in {cpu}; gap {told['gap_percent']:.4f} %"
        )
        return {f"{task}_below_lp": Figure(below, "%", words, None, LP_GOAL, fits and below <= LP_GOAL)}
    gap, goal = round(told["gap_percent"], 4), GAP_GOALS[size]
    peak = round(told["peak_gb"], 2)
    ratio = round(told["cpu_seconds"] / told["largest_value_seconds"], 1)
    seconds = SECONDS_GOALS[size]
    return {
        f"{task}_gap": Figure(gap, "%", f"{told['pairs']:,} pairs", None, goal, fits and gap <= goal),
        f"{task}_seconds": Figure(cpu, "CPU s", f"{beside}, {ratio} times", None, seconds, cpu <= seconds),
        f"{task}_peak": Figure(peak, "GB", "the whole process", None, PEAK_GOAL_GB, peak <= PEAK_GOAL_GB),
    }


def main(size: str) -> int:
    """Measure one size and return 0 if every goal holds, else 1."""
    told = {
        task: json.loads(run_python(["-m", "benchmarks.allocation", "task", task]).splitlines()[-1])
        for task in TASKS[size]
    }
    figures = {name: figure for task in told for name, figure in judge(task, told[task]).items()}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(
        {**{name: asdict(figure) for name, figure in figures.items()}, "problems": told}, indent=1
    )
    (RESULTS / f"allocation-{size}.json").write_text(text + "\n", encoding="utf-8")
    for name, figure in figures.items():
        print_figure(name, figure)
    return 0 if all(figure.holds for figure in figures.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "task":
        print(json.dumps(solve(sys.argv[2])))
    elif len(sys.argv) == 2 and sys.argv[1] in TASKS:
        sys.exit(main(sys.argv[1]))
    else:
        sys.exit(f"usage: allocation.py {'|'.join(TASKS)}; found {sys.argv[1:]}.")
