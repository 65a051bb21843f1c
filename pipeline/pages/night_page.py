"""What a night's page tells: figures and sentences, worked out from the published tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from actions.catalogue import NONE
from actions.rules.eligibility import Eligibility
from pipeline.kinds import kind_of
from pipeline.pages.audit_chapter import audit_chapter
from pipeline.pages.beliefs_chapter import beliefs_chapter
from pipeline.pages.charts import Bin, calibration, histogram
from pipeline.pages.night_sheet import (
    ActionRow,
    Bar,
    CustomerRow,
    ModelRow,
    Mover,
    NightPage,
    Resting,
    SegmentRow,
)
from pipeline.pages.night_story import NightStory
from pipeline.pages.page import Figure
from pipeline.pages.picture import said_as
from pipeline.pages.power_chapter import power_chapter
from pipeline.pages.rules_chapter import rules_chapter
from pipeline.pseudonyms import pseudonyms
from pipeline.scoring import MODEL

_MOVERS = 5


def tell(story: NightStory) -> NightPage:
    """Work out the page of a night."""
    run, card = story.run, story.card
    return NightPage(
        business=run.config.name,
        as_of=story.as_of.isoformat(),
        definition=kind_of(run.rule).definition(),
        model_version=str(story.version.version),
        trained_through=story.version.trained_through.isoformat(),
        later_model=story.is_later_model,
        figures=_figures(story),
        beliefs=beliefs_chapter(
            story.planned.beliefs,
            kept=story.planned.plan.summary["total"]["expected_kept"],
            money=story.money,
        ),
        power=power_chapter(story.planned.plan.summary),
        plan_words=_plan_words(story),
        actions=_actions(story),
        certificate=" ".join(story.planned.plan.certificate.sentences(currency=run.config.currency)),
        previous=story.before.as_of.isoformat() if story.before else "",
        changes=_changes(story),
        movers=_moved(story),
        left_out=_left_out(story),
        spread_words=_spread_words(story),
        histogram=histogram(
            story.vitals.risks, title="Customers by churn risk", mark=story.line, mark_label="at risk"
        ),
        calibration_words=_calibration_words(card),
        calibration=calibration(_bins(card), title="Predicted risk against the share that churned"),
        language=story.language.code,
        customers=_customers(story),
        reasons=_reasons(story),
        segments=_segments(story),
        audit=audit_chapter(story.audit),
        ruled=rules_chapter(story.planned.eligible),
        dormant=[Resting(said_as(each.action.id), each.reason) for each in story.planned.eligible.dormant],
        evaluation_words=_evaluation_words(card),
        models=[_model(row) for row in card["models"]],
        facts=_facts(story),
    )


def _spread_words(story: NightStory) -> str:
    return f"{len(story.watched):,} watched customers by churn risk; {len(story.at_risk):,} above {story.line:.0%}."


def _calibration_words(card: Mapping[str, Any]) -> str:
    return (
        f"The champion's recipe, trained on what was known at {card['as_of']}, against what the {card['n']:,} "
        "customers then did: points on the line are right, bars are 95 % intervals."
    )


def _evaluation_words(card: Mapping[str, Any]) -> str:
    words = f"Trained before {card['as_of']}, judged on the {card['horizon_days']} days after it."
    names = ", ".join(map(said_as, card.get("left_out", ())))
    return f"{words} Left out, for nobody leaves by silence here: {names}." if names else words


def _figures(story: NightStory) -> list[Figure]:
    at_risk = story.at_risk
    value = float((at_risk["churn_risk"] * at_risk["margin"]).sum())
    total = story.planned.plan.summary["total"]
    return [
        Figure(f"{len(story.watched):,}", "customers watched"),
        Figure(f"{len(at_risk):,}", f"at risk (above {story.line:.0%})"),
        Figure(story.money(value), "value at risk: risk times what keeping them is worth"),
        Figure(f"{story.vitals.level:.1%}", "forecast to churn, of those watched"),
        Figure(f"{total['sent']:,}", f"actions sent tonight, {total['withheld']:,} withheld to learn"),
        Figure(
            story.money(total["cost"]), f"expected cost, of {story.money(story.planned.tonight)} for tonight"
        ),
    ]


def _plan_words(story: NightStory) -> str:
    total = story.planned.plan.summary["total"]
    arms = story.planned.plan.summary["arms"]
    share = story.run.config.actions.control.withheld_share
    return (
        f"{total['planned']:,} actions are planned; {total['withheld']:,} of them, drawn at {share:.0%}, are withheld "
        f"so that effects can be measured. Of those sent, chance picks the action for {total['explored']:,}, among "
        f"what the rules allow and the budget bears. {arms['global_control']:,} customers are in the global control "
        "and get no marketing. Kept, believed: customers whom these actions keep as far as is believed."
    )


def _actions(story: NightStory) -> list[ActionRow]:
    channels = {action.id: " or ".join(action.channel) for action in story.planned.eligible.actions}
    rows = [row for row in story.planned.plan.summary["actions"] if row["planned"]]
    return [
        ActionRow(
            name=said_as(row["action"]),
            channel=said_as(channels[row["action"]]),
            planned=f"{row['planned']:,}",
            sent=f"{row['sent']:,}",
            explored=f"{row['explored']:,}",
            withheld=f"{row['withheld']:,}" if row["randomised"] else "service: never",
            cost=story.money(row["cost"]),
            kept=f"{row['expected_kept']:.1f}",
        )
        for row in sorted(rows, key=lambda row: -row["sent"])
    ]


def _changes(story: NightStory) -> list[Figure]:
    if story.before is None or story.scores_before is None:
        return []
    earlier = story.scores_before[story.scores_before["risk_source"] == MODEL]
    before = set(earlier.loc[earlier["churn_risk"] > story.line, "customer_id"])
    now = set(story.at_risk["customer_id"])
    watched, watched_before = set(story.watched["customer_id"]), set(earlier["customer_id"])
    level_before = story.before.facts["vitals"]["level"]
    return [
        Figure(f"{len(now - before):,}", "newly at risk"),
        Figure(f"{len((before - now) & watched):,}", "no longer at risk"),
        Figure(f"{len(watched - watched_before):,}", "customers newly watched"),
        Figure(f"{len(watched_before - watched):,}", "customers no longer watched (lapsed)"),
        Figure(f"{story.vitals.level:.1%} (was {level_before:.1%})", "forecast to churn"),
    ]


def _moved(story: NightStory) -> list[Mover]:
    if story.scores_before is None:
        return []
    both = story.watched.merge(story.scores_before, on="customer_id", suffixes=("", "_before"))
    both = both[both["risk_source_before"] == MODEL]
    step = (both["churn_risk"] - both["churn_risk_before"]).abs()
    top = both.loc[step.sort_values(ascending=False, kind="stable").index[:_MOVERS]]
    names = pseudonyms(story.run, top["customer_id"])
    pairs = zip(names, top["churn_risk_before"], top["churn_risk"], strict=True)
    return [
        Mover(name, f"{old:.0%}", f"{new:.0%}", "up" if new > old else "down") for name, old, new in pairs
    ]


def _left_out(story: NightStory) -> list[Bar]:
    counts = story.planned.eligible.left_out()
    return _bars([(str(words), int(count)) for words, count in counts.items() if count])


def _bars(counted: Sequence[tuple[str, int]], *, of: int | None = None) -> list[Bar]:
    most = max((count for _, count in counted), default=1)
    ordered = sorted(counted, key=lambda pair: (-pair[1], pair[0]))
    return [
        Bar(said_as(words), f"{count / of:.0%}" if of else f"{count:,}", round(100 * count / most, 1))
        for words, count in ordered
    ]


def _bins(card: Mapping[str, Any]) -> list[Bin]:
    return [
        Bin(row["mean_predicted"], row["observed"], row["low"], row["high"], row["n"])
        for row in card["calibration"]
    ]


def _customers(story: NightStory) -> list[CustomerRow]:
    names = pseudonyms(story.run, story.listed["customer_id"])
    plan, grouping = story.plan.set_index("customer_id"), kind_of(story.run.rule).grouping
    return [
        CustomerRow(
            pseudonym=name,
            segment=said_as(getattr(row, grouping)),
            risk=f"{row.churn_risk:.0%}",
            value=story.money(row.churn_risk * row.margin),
            action=_tonight(plan, story.planned.eligible, row.customer_id),
            reasons=story.why(row.customer_id),
        )
        for name, row in zip(names, story.listed.itertuples(), strict=True)
    ]


def _tonight(plan: pd.DataFrame, eligible: Eligibility, customer_id: str) -> str:
    if customer_id not in plan.index:
        barred = eligible.in_the_way(eligible.customer_ids.get_loc(customer_id))
        return f"nothing: {', '.join(barred) or 'what is allowed does not pay'}"
    return ", ".join(_told(row) for _, row in plan.loc[[customer_id]].iterrows())


def _told(row: pd.Series) -> str:
    if row["action"] != NONE:
        return f"{said_as(row['action'])} by {said_as(row['channel'])}"
    return (
        "global control" if row["arm"] == "global_control" else f"withheld: {said_as(row['planned_action'])}"
    )


def _reasons(story: NightStory) -> list[Bar]:
    chosen = story.plan[(story.plan["action"] != NONE) & (story.plan["theme_1"] != "")]
    themes = pd.concat([chosen[f"theme_{place}"] for place in (1, 2, 3)])
    counted = themes[themes != ""].value_counts()
    told = [(story.language.themes[theme], int(count)) for theme, count in counted.items()]
    return _bars(told, of=max(len(chosen), 1))


def _segments(story: NightStory) -> list[SegmentRow]:
    watched = story.watched.assign(value=story.watched["churn_risk"] * story.watched["margin"])
    groups = watched.groupby(kind_of(story.run.rule).grouping).agg(
        customers=("customer_id", "size"), risk=("churn_risk", "mean"), value=("value", "sum")
    )
    ordered = groups.sort_values(["value", "customers"], ascending=False, kind="stable")
    return [
        SegmentRow(said_as(row.Index), f"{row.customers:,}", f"{row.risk:.0%}", story.money(row.value))
        for row in ordered.itertuples()
    ]


def _model(row: Mapping[str, Any]) -> ModelRow:
    return ModelRow(
        name=said_as(row["name"]),
        auc=f"{row['auc']:.3f}",
        interval=f"{row['auc_low']:.3f} to {row['auc_high']:.3f}",
        log_loss=f"{row['log_loss']:.3f}",
        ece=f"{row['ece']:.3f}",
        lift=f"{row['lift_at_10pct']:.2f}",
    )


def _facts(story: NightStory) -> list[Figure]:
    level = story.reference.level
    facts = [
        Figure(str(len(story.scores)), "customers scored, those who lapsed included"),
        Figure(story.vitals.newest_order_on.isoformat(), f"newest {kind_of(story.run.rule).watched_by} seen"),
        Figure(story.model_digest[:16], "digest of the model"),
        Figure(
            f"{story.planned.plan.certificate.gap:.4%}",
            "gap between this plan and the best possible one, by the effects drawn tonight",
        ),
    ]
    if level is not None:
        facts.append(
            Figure(f"{level.own:.1%} and {level.series:.1%}", "level by the model, level by past dates")
        )
        facts.append(Figure(level.level_check, "date at which both were tried"))
    facts += [Figure(note, "note") for note in story.planned.eligible.notes]
    return facts
