"""``keepwell export``: tonight's plan as one file per channel, each for its own system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from actions.catalogue import CHANNELS, NONE, Catalogue, load_catalogue
from actions.rules.standing import Night
from pipeline.attributes import history_table
from pipeline.handover.consents import still_allowed
from pipeline.handover.lists import AUDIENCE, audience_list, contact_fields, contact_list
from pipeline.handover.private_csv import write_private, write_private_csv
from pipeline.run import Run
from pipeline.steps import config_digest, ingested
from tables.errors import ConfigError, DataError
from tables.history import History
from tables.publish import Manifest, published, published_dates
from tables.storage import read_table, storage

INDEX = "export.json"
_PLAN_COLUMNS = ("customer_id", "action", "channel", "churn_risk")
_PROFILE = ("language", "region", "objects_to_profiling")


@dataclass(frozen=True)
class _Contacts:
    """The contacts of a plan, and how many may no longer be made."""

    rows: pd.DataFrame
    withdrawn: int


def export(run: Run, *, as_of: date | None, today: date, out: Path) -> dict[str, Any]:
    """Write what is sent of a published plan as one CSV file per channel.

    What is new in the sources is taken in first, and consents are asked as they are known by now. Every channel
    has its file each time, one without contacts too: no file of an earlier night stays behind.

    Args:
        run: the run, holding the workspace.
        as_of: the night; today if not given.
        today: the day it is where the business is.
        out: folder of the files.

    Raises:
        ConfigError: if the night is neither today's nor the newest, or an action has left the catalogue.
        SchemaError: if columns of a source are missing.
        DataError: if no plan was published, its file is not what was published, or a source cannot be read.
        StorageError: if the disk is full or may not be written.
    """
    night = _night(run, as_of or today, today)
    catalogue = load_catalogue(run.config.actions.catalogue)
    history = ingested(run)  # a consent withdrawn since the night lies in the sources alone
    run.progress(f"export {night.as_of}: contacts of the plan")
    contacts = _contacts(run, history, night, catalogue, today=today)
    run.progress(f"export {night.as_of}: one file per channel under {out}")
    with storage(out):
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    files: dict[str, dict[str, Any]] = {}
    for channel in CHANNELS:
        rows = contacts.rows[contacts.rows["channel"] == channel]
        told = _list(run, history, rows, catalogue, channel=channel, as_of=night.as_of)
        digest = write_private_csv(told, out / f"{channel}.csv")
        files[channel] = {
            "file": f"{channel}.csv",
            "contacts": len(rows),
            "rows": len(told),
            "sha256": digest,
        }
    write_private(_index(run, night, files), out / INDEX)
    return _answer(run, night, contacts, files, out=out, today=today)


def _night(run: Run, as_of: date, today: date) -> Manifest:
    """Return the night to hand over: a plan is valid for its own date, and an older one than the newest never is."""
    dates = published_dates(run.workspace)
    if not dates:
        raise DataError(f"{run.workspace}: no night is published yet. Run `keepwell nightly` first.")
    newest, night = dates[-1], published(run.workspace, as_of)
    if night is None:
        raise DataError(
            f"export: no plan was published for {as_of}; the newest is of {newest}. Run `keepwell nightly` first, "
            f"or name --as-of {newest} where its contacts are still to be made."
        )
    if as_of not in {today, newest}:
        raise ConfigError(
            f"export: the plan of {as_of} was valid on that day alone; today is {today}, the newest plan is of "
            f"{newest}. Name that one."
        )
    if night.tables["plan"].path in night.damaged():
        raise DataError(
            f"export: the plan of {as_of} is not what was published. Run `keepwell nightly --as-of {as_of}` again."
        )
    return night


def _contacts(run: Run, history: History, night: Manifest, catalogue: Catalogue, *, today: date) -> _Contacts:
    plan = read_table(night.table("plan"), _PLAN_COLUMNS)
    sent = plan[plan["action"] != NONE].reset_index(drop=True)
    gone = sorted(set(sent["action"]) - set(catalogue.actions))
    if gone:
        raise ConfigError(
            f"export: the plan of {night.as_of} sends {', '.join(gone)}, which the catalogue no longer holds. "
            "Put the entries back until the plan is handed over."
        )
    tomorrow = today + timedelta(days=1)  # what is known before its midnight is known by now
    profile = _profiles(run, history, sent["customer_id"], tomorrow)
    consents = history_table(history, "consents", as_of=tomorrow, calendar=run.calendar)
    allowed = still_allowed(
        sent,
        Night(profile, tomorrow, run.calendar),
        consents,
        catalogue=catalogue,
        rules=run.config.actions.rules,
    )
    kept = sent[allowed].merge(profile, on="customer_id", how="left")
    return _Contacts(kept, withdrawn=int((~allowed).sum()))


def _profiles(run: Run, history: History, customers: pd.Series, day: date) -> pd.DataFrame:
    """Return language, region and objection of some customers, one row each; missing where nobody told."""
    base = customers.drop_duplicates().to_frame()
    told = history_table(history, "customers", as_of=day, calendar=run.calendar, columns=_PROFILE)
    columns = ["customer_id", *_PROFILE]
    if told is None:
        return base.reindex(columns=columns)
    newest = told.drop_duplicates("customer_id", keep="last").reindex(columns=columns)
    return base.merge(newest, on="customer_id", how="left")


def _list(
    run: Run, history: History, rows: pd.DataFrame, catalogue: Catalogue, *, channel: str, as_of: date
) -> pd.DataFrame:
    if channel == AUDIENCE:
        return audience_list(rows, contact_fields(history, rows["customer_id"]), run.config.handover)
    return contact_list(rows, catalogue, run.config.actions.rules, as_of=as_of)


def _index(run: Run, night: Manifest, files: Mapping[str, Mapping[str, Any]]) -> str:
    """Describe the files for the job that reads them; it is written last, and names their digests."""
    content = {
        "valid_on": night.as_of.isoformat(),
        "time_zone": run.config.time_zone,
        "currency": run.config.currency,
        "model_version": night.facts["model_version"],
        "config_digest": night.facts["config"],
        "files": list(files.values()),
    }
    return json.dumps(content, indent=1) + "\n"


def _answer(
    run: Run,
    night: Manifest,
    contacts: _Contacts,
    files: Mapping[str, Mapping[str, Any]],
    *,
    out: Path,
    today: date,
) -> dict[str, Any]:
    counts = {channel: file["contacts"] for channel, file in files.items() if file["contacts"]}
    notes = []
    if night.as_of != today:
        notes.append(f"the plan is of {night.as_of}; today is {today}")
    if night.facts["config"] != config_digest(run):
        notes.append(
            "the configuration has changed since the plan was made; wordings and hours are those of now"
        )
    if contacts.withdrawn:
        notes.append(
            f"{contacts.withdrawn:,} contacts left out: consent was withdrawn since the plan was made"
        )
    in_audience, hashes = files[AUDIENCE]["contacts"], files[AUDIENCE]["rows"]
    if hashes < in_audience:
        notes.append(
            f"{AUDIENCE}: {hashes:,} rows of hashes for {in_audience:,} customers; the others gave no usable e-mail "
            "or telephone number, or share one"
        )
    told = ", ".join(f"{channel} {count:,}" for channel, count in counts.items()) or "nobody"
    lines = [f"{night.as_of}: {len(contacts.rows):,} contacts ({told}). Files: {out}"]
    return {
        "as_of": night.as_of.isoformat(),
        "contacts": counts,
        "audience_rows": hashes,
        "withdrawn": contacts.withdrawn,
        "notes": notes,
        "out": str(out),
        "text": "\n".join([*lines, *(f"note: {note}" for note in notes)]),
    }
