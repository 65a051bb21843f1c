"""One night: scores, gates, plan, page and list, published together."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actions.learning.effects import EffectCells
from actions.rationale import action_reasons
from models.churn import ChurnModel
from models.deployment import ModelVersion
from models.level import LevelSeries
from models.reference import DateReference
from pipeline.audit.auditing import Audit, audit_night
from pipeline.explaining import explain, most_valuable_at_risk, reasons_json, with_reasons
from pipeline.gates import Vitals, check_gates, spread
from pipeline.handover.private_csv import plain_csv
from pipeline.kinds import kind_of
from pipeline.learning.uplift import PLANNED_FEATURES, features_of_planned
from pipeline.night_facts import facts_for_readers
from pipeline.pages.night_page import tell
from pipeline.pages.night_sheet import render
from pipeline.pages.night_story import NightStory
from pipeline.planning import Planned, plan_night
from pipeline.run import Run
from pipeline.salts import keep_salts, used_salts
from pipeline.scoring import MODEL, Scored, score
from pipeline.snapshots import DateFrame
from pipeline.steps import config_digest
from tables.errors import GateError
from tables.history import History
from tables.publish import Manifest, Publication, Published, published, published_dates
from tables.storage import read_table, write_table, write_text


@dataclass(frozen=True)
class Champion:
    """The model in service, as fetched and verified.

    Attributes:
        version: what the registry says of it.
        model: the model.
        reference: of the date it was retrained for.
        card: its report card: evaluation, calibration, cells of the effects.
        digest: SHA-256 of the model's own files; the registry's packing around them holds random ids.
        is_later: whether it was trained after the night it scores.
    """

    version: ModelVersion
    model: ChurnModel
    reference: DateReference
    card: Mapping[str, Any]
    digest: str
    is_later: bool

    @property
    def cells(self) -> EffectCells:
        """Cells of the effects, cut at the retraining."""
        cells = self.card["effect_cells"]
        low, high = cells["risk_cuts"]
        return EffectCells((low, high), cells["margin_cut"])


@dataclass(frozen=True)
class NightInputs:
    """All that a night is made from, and its manifest where damaged files of it are made again."""

    history: History
    champion: Champion
    frame: DateFrame
    series: LevelSeries
    accept_level: bool
    as_published: Manifest | None = None


def publish_night(run: Run, inputs: NightInputs) -> tuple[dict[str, Any], dict[str, float]]:
    """Score, check, plan and publish; or close a gate and publish nothing.

    Returns:
        What to tell the operator, and the night's figures for the registry.

    Raises:
        GateError: if the night strays too far from those before it, or is damaged and would come out differently.
    """
    started = time.perf_counter()
    as_of, champion = inputs.frame.as_of, inputs.champion
    run.progress(f"nightly {as_of}: score {len(inputs.frame.customer):,} customers")
    scored = score(run, inputs.history, inputs.frame, champion.model, series=inputs.series)
    vitals = _vitals(run, inputs, scored)
    before = _night_before(run, as_of)
    check_gates(
        vitals,
        run.config.gates,
        before=None if before is None else Vitals.read(before.facts, before.as_of),
        retrained=_retrained(champion),
        accept_level=inputs.accept_level,
        watched_by=kind_of(run.rule).watched_by,
    )
    salts = used_salts(run, as_of, again=inputs.as_published is not None)
    run.progress(f"nightly {as_of}: plan")
    planned = plan_night(run, inputs.history, scored, as_of=as_of, cells=champion.cells)
    keep_salts(run, salts)
    run.progress(f"nightly {as_of}: reasons, page, publish")
    story = _story(run, inputs, scored, planned, vitals, before)
    result = _publish(run, inputs, story, seconds=time.perf_counter() - started)
    figures = {
        "level": vitals.level,
        "at_risk": vitals.at_risk,
        "customers": float(vitals.customers),
        "planned_cost": float(planned.plan.summary["total"]["cost"]),
    }
    return _answer(run, result, planned, vitals), figures


def _story(
    run: Run,
    inputs: NightInputs,
    scored: Scored,
    planned: Planned,
    vitals: Vitals,
    before: Manifest | None,
) -> NightStory:
    champion, report = inputs.champion, run.config.report
    listed = most_valuable_at_risk(scored, above=report.at_risk_above, most=report.listed_customers)
    frame = planned.plan.frame
    asked = [*frame.loc[frame["planned_action"] != "none", "customer_id"], *listed["customer_id"]]
    reasons = explain(champion.model, scored, asked)
    told = with_reasons(frame, reasons, language=report.language, currency=run.config.currency)
    return NightStory(
        run=run,
        as_of=inputs.frame.as_of,
        scores=scored.table.assign(model_version=champion.version.version, is_later_model=champion.is_later),
        plan=_marked(run, inputs, told.assign(reason=action_reasons(told, planned.eligible.actions))),
        planned_features=features_of_planned(scored, frame),
        planned=planned,
        listed=listed,
        reasons=reasons,
        audit=_audit(run, inputs, scored, planned),
        reference=scored.reference,
        values=scored.values,
        vitals=vitals,
        version=champion.version,
        model_digest=champion.digest,
        is_later_model=champion.is_later,
        card=champion.card,
        before=before,
        scores_before=None if before is None else read_table(before.table("scores")),
    )


def _publish(run: Run, inputs: NightInputs, story: NightStory, *, seconds: float) -> Published:
    with Publication(run.lock, inputs.frame.as_of) as night:
        write_table(story.scores, night.table("scores"))
        write_table(story.plan, night.table("plan"))
        write_table(story.planned_features, night.table(PLANNED_FEATURES))
        write_text(render(tell(story)), night.report("index.html"))
        write_text(crm_list(story.plan), night.report("crm.csv"))
        write_text(reasons_json(story.reasons, currency=run.config.currency), night.report("reasons.json"))
        for name in ("crm.csv", "reasons.json"):
            night.report(name).chmod(0o600)  # real ids: for their owner only
        write_text(story.planned.plan.certificate.to_json(), night.report("certificate.json"))
        write_text(story.audit.to_json(), night.report("audit.json"))
        write_text(story.reference.to_json(), night.report("reference.json"))
        write_text(story.values.to_json(), night.report("values.json"))
        facts = _facts(run, inputs, story) if inputs.as_published is None else inputs.as_published.facts
        if inputs.as_published is not None:
            _refuse_another(run, night.staged(facts), inputs.as_published)
        return night.publish(facts=facts, timings={"seconds": round(seconds, 3)})


def _refuse_another(run: Run, staged: Manifest, as_published: Manifest) -> None:
    """Let a damaged night be replaced by itself alone: its plan is the record of what was sent."""
    now, then = (
        {(Path(file.path).name, file.sha256) for file in one.files} for one in (staged, as_published)
    )
    if others := sorted({name for name, _ in now ^ then}):
        raise GateError(
            f"nightly: {as_published.as_of} is damaged ({', '.join(as_published.damaged())}), and made again it would "
            f"differ from what was published in {', '.join(others)}. Nothing was replaced: the plan is the record of "
            f"what was sent. {_way_back(run, as_published)}, or restore the night's files from a backup."
        )


def _way_back(run: Run, as_published: Manifest) -> str:
    if as_published.facts["config"] != config_digest(run):
        return "The configuration has changed since: run it once more under that of the night"
    return "The configuration is that of the night: run it once more with the version of Keepwell that published it"


def _audit(run: Run, inputs: NightInputs, scored: Scored, planned: Planned) -> Audit:
    catalogue = (*planned.eligible.actions, *(each.action for each in planned.eligible.dormant))
    return audit_night(
        run, inputs.history, scored.table, planned.plan.frame, catalogue, as_of=inputs.frame.as_of
    )


def crm_list(plan: pd.DataFrame) -> str:
    """Return what is sent tonight as CSV for the CRM, with the real customer ids; no cell runs as a formula."""
    sent = plan[plan["action"] != "none"]
    columns = [
        "customer_id",
        "action",
        "channel",
        "churn_risk",
        "expected_cost",
        "reason_1",
        "reason_2",
        "reason_3",
    ]
    return plain_csv(sent[columns].round({"churn_risk": 4, "expected_cost": 2}))


def _vitals(run: Run, inputs: NightInputs, scored: Scored) -> Vitals:
    risk = scored.table.loc[scored.table["risk_source"] == MODEL, "churn_risk"].to_numpy()
    level = scored.reference.level
    return Vitals(
        as_of=inputs.frame.as_of,
        newest_order_on=run.calendar.day_of(_newest_row(inputs, run)),
        customers=len(risk),
        level=level.level if level else float("nan"),
        at_risk=float(np.mean(risk > run.config.report.at_risk_above)),
        risks=spread(risk),
        model_version=inputs.champion.version.version,
    )


def _newest_row(inputs: NightInputs, run: Run) -> int:
    """Return the newest order or subscription that tonight may see: later rows say nothing of its freshness."""
    since = float(np.nanmin(inputs.frame.features[kind_of(run.rule).age].to_numpy()))
    midnight = run.calendar.midnight(inputs.frame.as_of)
    return midnight - max(round(since * 86_400_000_000), 1)


def _night_before(run: Run, as_of: date) -> Manifest | None:
    earlier = [day for day in published_dates(run.workspace) if day < as_of]
    return published(run.workspace, earlier[-1]) if earlier else None


def _retrained(champion: Champion) -> tuple[date, float]:
    level = champion.reference.level
    return champion.reference.as_of, level.level if level else float("nan")


def _marked(run: Run, inputs: NightInputs, plan: pd.DataFrame) -> pd.DataFrame:
    """Say in every row of the plan what it was made from."""
    return plan.assign(
        model_version=inputs.champion.version.version,
        config_digest=pd.Series([config_digest(run)] * len(plan), index=plan.index, dtype="str"),
        is_later_model=inputs.champion.is_later,
    )


def _facts(run: Run, inputs: NightInputs, story: NightStory) -> dict[str, Any]:
    level = story.reference.level
    return {
        "history": inputs.history.digest,
        "config": config_digest(run),
        "model_version": inputs.champion.version.version,
        "model_digest": inputs.champion.digest,
        "is_later_model": inputs.champion.is_later,
        "level": None if level is None else asdict(level),
        "accepted_level": inputs.accept_level,
        "vitals": story.vitals.facts(),
        "summary": story.planned.plan.summary,
        **facts_for_readers(run, story.planned),
    }


def _answer(run: Run, result: Published, planned: Planned, vitals: Vitals) -> dict[str, Any]:
    manifest = result.manifest
    total = planned.plan.summary["total"]
    page = manifest.report("index.html")
    notes = "".join(f"\nnote: {note}" for note in planned.eligible.notes)
    words = "published" if result.changed else "the same as published; nothing changed"
    return {
        "as_of": manifest.as_of.isoformat(),
        "changed": result.changed,
        "model_version": vitals.model_version,
        "customers": vitals.customers,
        "at_risk": vitals.at_risk,
        "level": vitals.level,
        "planned": total["planned"],
        "sent": total["sent"],
        "withheld": total["withheld"],
        "cost": total["cost"],
        "gap": planned.plan.certificate.gap,
        "notes": list(planned.eligible.notes),
        "page": str(page),
        "text": (
            f"{manifest.as_of}: {words}. {vitals.customers:,} customers watched, {vitals.at_risk:.1%} of them at risk, "
            f"{total['sent']:,} actions sent and {total['withheld']:,} withheld for {total['cost']:,.2f} "
            f"{run.config.currency}. Page: {page}{notes}"
        ),
    }
