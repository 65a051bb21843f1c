"""``keepwell deliveries``: what became of our contacts, checked and logged among all contacts."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actions.catalogue import Catalogue, load_catalogue
from actions.rules.contacts import OWN_TEAM
from pipeline.handover.delivery_log import DeliveryLog
from pipeline.handover.judging import DELIVERED, Judged, judge, planned_contacts
from pipeline.handover.reports import Reports, read_reports
from pipeline.run import Run
from pipeline.steps import ingest_sources
from tables.errors import DataError, SchemaError
from tables.history import History
from tables.publish import published
from tables.report import TableReport
from tables.storage import read_table, write_table

_PLAN_COLUMNS = ("customer_id", "planned_action", "action", "arm", "channel")
_LINES_NAMED = 3


def import_deliveries(run: Run, files: Sequence[Path]) -> dict[str, Any]:
    """Take reported deliveries and redemptions into the history, as contacts of our own team.

    The same file twice changes nothing; a later row of a contact, in this file or another, replaces the earlier
    one. Bad rows are put aside with their lines; every row stands for itself, so the others are taken.

    Args:
        run: the run, holding the workspace.
        files: CSV files, oldest first.

    Raises:
        SchemaError: if a file lacks columns; problems of all files together.
        DataError: if a file cannot be read, or none of the rows is good.
    """
    log = DeliveryLog(run.workspace)
    log.check_keys(run.config.sources)
    reports = _read(files)
    contacts = _planned(run, reports)
    run.progress(f"deliveries: check {sum(len(each.rows) for each in reports):,} rows")
    judged = [judge(each, contacts, run.calendar, now=run.now) for each in reports]
    aside = [path for each in judged if len(each.bad) and (path := _put_aside(log, each))]
    _require_good(judged, aside)
    catalogue = load_catalogue(run.config.actions.catalogue)
    ingest_sources(run)  # what else is new first, so that the counts below are of these files alone
    stamp = History.open(run.history_root).stamp
    added = [
        log.add(_known(_as_contacts(each, catalogue), stamp, run.now)) for each in judged if len(each.good)
    ]
    table = ingest_sources(run).tables.get("contacts", TableReport())
    return _answer(judged, aside, table, files_added=sum(path is not None for path in added))


def _read(files: Sequence[Path]) -> list[Reports]:
    reports, problems = [], []
    for path in files:
        try:
            reports.append(read_reports(path))
        except (DataError, SchemaError) as error:
            problems.append(str(error))
    if problems:
        raise SchemaError("\n".join(problems))
    return reports


def _planned(run: Run, reports: Sequence[Reports]) -> pd.DataFrame:
    """List what the nights planned that the files speak of."""
    nights = sorted(set().union(*(each.nights for each in reports)))
    manifests = {night: found for night in nights if (found := published(run.workspace, night)) is not None}
    parts = [
        planned_contacts(read_table(manifest.table("plan"), _PLAN_COLUMNS), night)
        for night, manifest in manifests.items()
    ]
    nothing = pd.DataFrame(
        columns=["customer_id", "action", "arm", "channel", "is_sent", "as_of"], dtype=object
    )
    return pd.concat([nothing, *parts]) if parts else nothing


def _put_aside(log: DeliveryLog, judged: Judged) -> Path:
    digest = hashlib.sha256(judged.bad.to_csv(index=False).encode()).hexdigest()[:12]
    path = log.private_folder() / "quarantine" / f"{judged.path.stem}-{digest}.parquet"
    write_table(judged.bad.assign(source_file=judged.path.name), path, private=True)
    return path


def _require_good(judged: Sequence[Judged], aside: Sequence[Path]) -> None:
    if any(len(each.good) for each in judged) or not any(len(each.bad) for each in judged):
        return
    told = "; ".join(_bad_words(each) for each in judged if len(each.bad))
    raise DataError(
        f"{told}. No row is good, nothing was taken in; mend them. They lie in {aside[0].parent}."
    )


def _as_contacts(judged: Judged, catalogue: Catalogue) -> pd.DataFrame:
    """Write reports as rows of contacts.

    Where no cost is told the catalogue's is: of the contact, and of the incentive once redeemed. A file that would
    not tell of redemptions leaves the cost open, and what was expected stands.
    """
    good, actions = judged.good, catalogue.actions
    known = [actions.get(name) for name in good["action"]]
    contact_cost = np.array([action.contact_cost if action else np.nan for action in known])
    incentive = np.array([action.incentive_cost if action else np.nan for action in known])
    spent = contact_cost + np.where(good["redeemed_at"].notna(), incentive, 0.0)
    booked = np.where(good["status"] == DELIVERED, spent if judged.tells_redemptions else np.nan, 0.0)
    return good.assign(
        team=OWN_TEAM,
        purpose=[action.purpose if action else "marketing" for action in known],
        cost=good["cost"].fillna(pd.Series(booked, index=good.index)),
    )


def _known(rows: pd.DataFrame, stamp: int, now: int) -> pd.DataFrame:
    """Say from when a report counts as known: once all it tells has come, and never in a night that has passed."""
    earliest, latest = (pd.Timestamp(instant, unit="us", tz="UTC") for instant in (min(stamp, now), now))
    told_at = rows["sent_at"].mask(rows["redeemed_at"] > rows["sent_at"], rows["redeemed_at"])
    return rows.assign(known_at=told_at.clip(earliest, latest))


def _bad_words(judged: Judged) -> str:
    counts = Counter(reason for reasons in judged.bad["reasons"] for reason in reasons)
    told = []
    for reason, count in sorted(counts.items()):
        lines = judged.bad.loc[[reason in reasons for reasons in judged.bad["reasons"]], "line"]
        named = ", ".join(map(str, lines[:_LINES_NAMED])) + (", ..." if count > _LINES_NAMED else "")
        told.append(f"{reason} {count:,} (line {named})")
    return f"{judged.path}: {len(judged.bad):,} bad rows: {'; '.join(told)}"


def _answer(
    judged: Sequence[Judged], aside: Sequence[Path], table: TableReport, *, files_added: int
) -> dict[str, Any]:
    taken, bad = sum(len(each.good) for each in judged), sum(len(each.bad) for each in judged)
    good = pd.concat([each.good for each in judged])
    corrected = table.corrections
    new = table.appended.get("contacts", 0) - corrected
    lines = [
        f"{taken:,} reports: {(good['status'] == DELIVERED).sum():,} delivered, "
        f"{good['redeemed_at'].notna().sum():,} redeemed; {new:,} new in the history, {corrected:,} corrected"
        if files_added
        else f"{taken:,} reports, all taken in before; nothing changed"
    ]
    lines += [f"put aside: {_bad_words(each)}" for each in judged if len(each.bad)]
    lines += [f"they lie in {path}" for path in aside]
    return {
        "reports": taken,
        "new": new,
        "corrected": corrected,
        "repeated": sum(each.repeated for each in judged),
        "bad": bad,
        "quarantine": [str(path) for path in aside],
        "changed": files_added > 0,
        "text": "\n".join(lines),
    }
