"""Single steps that the flows are made of: ingest the sources, export features, describe a configuration."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.build import build_features
from pipeline.attributes import customer_ids
from pipeline.handover.delivery_log import DeliveryLog
from pipeline.run import Run
from pipeline.snapshots import feature_builders, feature_settings
from tables.history import History
from tables.ingest import ingest
from tables.report import IngestReport
from tables.storage import sha256_of, write_table


def ingest_sources(run: Run, *, known_cutoff: int | None = None) -> IngestReport:
    """Read what is new in the sources into the history.

    Args:
        run: the run, holding the workspace.
        known_cutoff: the instant up to which this run's date knows; rows that arrive later are known later.
    """
    run.progress("ingest: read what is new in the sources")
    return ingest(
        DeliveryLog(run.workspace).beside(run.config.sources),
        root=run.history_root,
        calendar=run.calendar,
        now=run.now,
        settings=run.config.ingest,
        known_cutoff=known_cutoff,
        progress=run.progress,
    )


def ingest_answer(report: IngestReport) -> Mapping[str, Any]:
    """Return what an ingest did, for people and for machines."""
    lines = [f"generation {report.generation}: {report.customers:,} customers"]
    if not report.changed:
        lines.append("nothing new in the sources; nothing changed")
    for source in report.sources:
        lines.append(f"{source.table} {source.path}: {source.rows:,} rows in {source.files} files")
        lines += [
            f"  {name}: {count.matches:,} rows, {count.removed:,} removed here"
            for name, count in source.filters.items()
        ]
        lines.append(f"  returns: {source.returns:,}; put aside as bad: {source.bad_rows:,}")
        lines += [f"    {reason}: {count:,}" for reason, count in source.quarantined.items()]
    for name, table in report.tables.items():
        lines.append(
            f"{name}: dropped {table.within_files:,} repetitions within files ({table.within_files_amount:,.0f}) and "
            f"{table.across_files:,} across files ({table.across_files_amount:,.0f}); "
            f"{table.corrections:,} corrections; wrote "
            + ", ".join(f"{count:,} {stored}" for stored, count in table.appended.items())
        )
    return {**asdict(report), "text": "\n".join(lines)}


def ingested(run: Run, *, as_of: date | None = None) -> History:
    """Ingest what is new and open the history, for a date without what was reported for the first time after it."""
    cutoff = None if as_of is None else run.calendar.known_cutoff(as_of)
    ingest_sources(run, known_cutoff=cutoff)
    history = History.open(run.history_root)
    if cutoff is None:
        return history
    return DeliveryLog(run.workspace).without_later(history, run.config.sources, cutoff=cutoff)


def export_features(run: Run, *, as_of: date, out: Path) -> Mapping[str, Any]:
    """Write one row per customer with a row visible at a date, sorted by ``customer_id``."""
    history = ingested(run)
    run.progress(f"features at {as_of}")
    blocks = build_features(
        history,
        as_of=[as_of],
        calendar=run.calendar,
        settings=feature_settings(run),
        builders=feature_builders(run),
    )
    frame = pd.concat([block.frame for block in blocks], ignore_index=True)
    frame.insert(0, "customer_id", customer_ids(history, frame["customer"].to_numpy()))
    table = frame.drop(columns="customer").sort_values("customer_id", ignore_index=True)
    write_table(table, out, private=True)
    return {
        "as_of": as_of.isoformat(),
        "rows": len(table),
        "features": table.shape[1] - 2,
        "out": str(out),
        "text": f"{out}: {len(table):,} customers, {table.shape[1] - 2} features as of {as_of}",
    }


def config_digest(run: Run) -> str:
    """Return a digest of everything configured that can change an answer; where files lie does not."""
    settings = run.config.model_dump(
        mode="json", exclude={"workspace", "threads", "registry", "sources", "leaderboard", "handover"}
    )
    settings["sources"] = {
        table: [source.model_dump(mode="json", exclude={"path"}) for source in sources]
        for table, sources in run.config.sources.items()
    }
    settings["actions"]["catalogue"] = sha256_of(run.config.actions.catalogue)
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def recipe_digest(run: Run) -> str:
    """Return a digest of what decides how the model is trained: churn definition, features, model, seed."""
    settings = run.config.model_dump(mode="json", include={"churn", "features", "model", "seed"})
    settings["words"] = asdict(feature_settings(run))  # sources tell some of them
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
