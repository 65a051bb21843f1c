"""How much help a customer asked for, how long they waited for it, and how they rated it."""

from features.ratios import Floats, ratio
from features.records import Records
from features.settings import YEAR, FeatureSettings, slug
from features.view import AsOfView, Features

SOLVED_DAYS = 30


def tickets(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count tickets and say when the last one was opened.

    Args:
        tickets: tickets as known at the snapshot.
        settings: look-back lengths.

    Returns:
        Per customer ``tickets_total``, ``tickets_{w}d`` and ``days_since_last_ticket`` (missing without one).
    """
    features: Features = {
        "tickets_total": tickets.count(),
        "days_since_last_ticket": tickets.days_since_last(),
    }
    for window in settings.windows:
        features[f"tickets_{window}d"] = tickets.count(window)
    return features


def solutions(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say which tickets are open, which of them wait too long, and how long a solution takes.

    A ticket is open until it is solved, and again once it is reopened, for which its first opening counts. An
    open ticket is over target where it waits longer than ``reply_target_hours`` for a first reply or than
    ``solve_target_hours`` for its solution.

    Args:
        tickets: tickets as known at the snapshot; needs ``solved_at``.
        settings: gives the targets and the year.

    Returns:
        Per customer ``tickets_open``, ``tickets_open_over_target``, ``tickets_solved_30d`` and
        ``solve_hours_365d``, the hours which the tickets opened in the year waited over the solutions they
        got; open ones add their waiting so far. It is missing without a solution.
    """
    unsolved = _open(tickets, None)
    over_target = unsolved.older_than(settings.solve_target_hours)
    if tickets.has("first_reply_at"):
        silent = unsolved.lacking("first_reply_at")
        over_target = over_target | silent.older_than(settings.reply_target_hours)
    waiting = _open(tickets, YEAR)
    solved = tickets.records(YEAR).having("solved_at") - waiting
    return {
        "tickets_open": unsolved.count(),
        "tickets_open_over_target": over_target.count(),
        f"tickets_solved_{SOLVED_DAYS}d": tickets.retimed("solved_at").count(SOLVED_DAYS),
        f"solve_hours_{YEAR}d": _hours(solved, waiting, "solved_at"),
    }


def replies(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how long a first reply takes.

    Args:
        tickets: tickets as known at the snapshot; needs ``first_reply_at``.
        settings: gives the year.

    Returns:
        Per customer ``reply_hours_365d``, the hours which the tickets opened in the year waited over the
        replies they got; those without one add their waiting so far, unless they were solved without a word.
        It is missing without a reply.
    """
    asked = tickets.records(YEAR)
    waiting = asked.lacking("first_reply_at")
    if tickets.has("solved_at"):
        waiting = waiting.lacking("solved_at")
    return {f"reply_hours_{YEAR}d": _hours(asked.having("first_reply_at"), waiting, "first_reply_at")}


def reopenings(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the tickets whose solution did not hold.

    Args:
        tickets: tickets as known at the snapshot; needs ``reopened_at``.
        settings: gives the year.

    Returns:
        Per customer ``tickets_reopened_365d``.
    """
    return {f"tickets_reopened_{YEAR}d": tickets.retimed("reopened_at").count(YEAR)}


def ratings(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how the customer rated the help they got.

    Args:
        tickets: tickets as known at the snapshot; needs ``csat`` and ``rated_at``.
        settings: gives the year.

    Returns:
        Per customer ``csat_last`` and its age ``csat_last_age_days`` (missing without a rating), and
        ``csat_mean_365d`` (missing without one in the year), as rated.
    """
    rated = tickets.retimed("rated_at").where_given("csat")
    return {
        "csat_last": rated.last("csat"),
        "csat_last_age_days": rated.days_since_last(),
        f"csat_mean_{YEAR}d": rated.mean("csat", YEAR),
    }


def reasons(tickets: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count tickets by what they were about.

    Args:
        tickets: tickets as known at the snapshot; needs ``reason``.
        settings: look-back lengths and the reasons that count on their own.

    Returns:
        Per customer ``complaints_{w}d``, ``how_to_questions_{w}d`` and ``{reason}_tickets_365d`` for each of
        the reasons in the settings.
    """
    features: Features = {}
    for reason, name in (("complaint", "complaints"), ("how_to", "how_to_questions")):
        asked = tickets.where("reason", reason)
        features |= {f"{name}_{window}d": asked.count(window) for window in settings.windows}
    for reason in settings.ticket_reasons:
        features[f"{slug(reason)}_tickets_{YEAR}d"] = tickets.where("reason", reason).count(YEAR)
    return features


def _open(tickets: AsOfView, days: int | None) -> Records:
    """Return the tickets opened in the window that are open; one reopened at the instant of its solution is."""
    unsolved = tickets.records(days).lacking("solved_at")
    if not tickets.has("reopened_at"):
        return unsolved
    return unsolved | tickets.records(days).having_after("reopened_at", "solved_at")


def _hours(answered: Records, waiting: Records, moment: str) -> Floats:
    """Divide all waiting by the answers: the mean time to one if they come at a steady rate."""
    hours = answered.waited_hours(moment) + waiting.waited_hours()
    return ratio(hours, answered.count())
