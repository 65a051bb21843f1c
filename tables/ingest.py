"""Sources into history: read, check, split by bucket, resolve, write, and switch to the new generation."""

import shutil
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tables.attributes import attribute_by_attribute
from tables.buckets import BucketOutcome, BucketWriter
from tables.calendar import BusinessCalendar
from tables.compaction import Compactor
from tables.contracts import DECLARED, MONEY_SCALE
from tables.counting import quarantine
from tables.deliveries import Delivery, Progress, Run, find_deliveries
from tables.errors import ConfigError
from tables.manifest import Bucket, Manifest, StoredTable, read_manifest, switch_manifest
from tables.parts import stored_order
from tables.plans import TablePlan, plans_of, with_dropping
from tables.report import IngestReport, SourceReport, TableReport
from tables.resplit import resplit
from tables.sources import IngestSettings, Source
from tables.split import Dictionary, extend_dictionary, split_file
from tables.workroom import storage_errors, sweep, workroom

_PRODUCT_COLUMNS = {"product_id", "category"}
_LINES = ("order_id", "product_id", "category", "amount", "discount", "quantity", "cost", "shipping")


def ingest(
    sources: Mapping[str, Sequence[Source]],
    *,
    root: Path,
    calendar: BusinessCalendar,
    now: int,
    settings: IngestSettings,
    known_cutoff: int | None = None,
    progress: Progress = lambda step: None,
) -> IngestReport:
    """Take what is new in the sources into the history under ``root``.

    Only one ingest may run on a folder at a time; the caller holds the lock. A run that is killed leaves
    files no manifest names; the next one removes them.

    Args:
        sources: sources per declared table.
        root: folder of the history.
        calendar: business zone for times without one, and the offset of known times.
        now: the present instant; later dates are mistakes.
        settings: limits.
        known_cutoff: cutoff of the run this ingest belongs to; raises the stamp that later rows get.
        progress: called with a short text before each step.

    Raises:
        ConfigError: if sources contradict each other or the history's calendar.
        SchemaError: if columns are missing or hold another kind of value.
        DataError: if a file is missing, empty or unreadable, if too many rows are bad, or if currencies mix.
        StorageError: if the disk is full or refuses.
    """
    previous = read_manifest(root) or Manifest()
    _check_calendar(previous, calendar)
    sources = attribute_by_attribute(sources)
    plans = plans_of(sources)
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)  # ids and contact data: for their owner only
        sweep(root, previous)
        with workroom(root, settings) as (connection, temporary):
            run = Run(connection, root, temporary, calendar, now, settings, previous, progress)
            deliveries = find_deliveries(run, sources)
            return _take_in(run, plans, deliveries, known_cutoff)


def _take_in(
    run: Run,
    plans: Mapping[str, TablePlan],
    deliveries: Sequence[Delivery],
    known_cutoff: int | None,
) -> IngestReport:
    changed: dict[str, StoredTable] = {}
    dictionary = Dictionary(run.previous.dictionary, run.previous.customers, run.previous.buckets)
    if deliveries:
        run.progress("customers")
        dictionary = extend_dictionary(
            run.connection,
            [delivery.parsed for delivery in deliveries],
            root=run.root,
            previous=run.previous,
            settings=run.settings,
        )
    if run.previous.buckets not in {0, dictionary.buckets}:
        run = resplit(run, dictionary.buckets)
    for name, found in groupby(deliveries, key=lambda delivery: delivery.table):
        files = list(found)
        plan = with_dropping(plans[name], [delivery.parsed.source for delivery in files])
        changed |= _take_in_table(run, plan, files, dictionary)
    manifest = _next_manifest(run, changed, dictionary, deliveries, known_cutoff)
    return _publish(run, manifest, deliveries)


def _take_in_table(
    run: Run, plan: TablePlan, deliveries: Sequence[Delivery], dictionary: Dictionary
) -> dict[str, StoredTable]:
    folder = run.temporary / plan.name
    for number, delivery in enumerate(deliveries):
        run.progress(f"{plan.name}: splitting {delivery.parsed.file.path.name}")
        split_file(
            run.connection,
            delivery.parsed,
            number,
            columns=plan.identity.columns,
            buckets=dictionary.buckets,
            folder=folder,
        )
    names = dict.fromkeys((*plan.homes, *(("orders",) if plan.derived else ())))
    stored = {name: run.previous.tables.get(name, StoredTable(columns=())) for name in names}
    buckets = _fill_buckets(run, plan, folder, stored, dictionary.buckets)
    shutil.rmtree(folder, ignore_errors=True)
    may_return = any(delivery.parsed.has_returns for delivery in deliveries)
    # As rows without a known time: the first load is known since ever, what comes later since the ingest before.
    since = run.previous.stamp if run.previous.tables else None
    return _stored(plan, stored, buckets, may_return=may_return, since=since)


def _fill_buckets(
    run: Run, plan: TablePlan, folder: Path, stored: Mapping[str, StoredTable], count: int
) -> dict[str, dict[int, Bucket]]:
    """Append to one bucket after the other; rows without a known customer lie behind the last."""
    is_first = not any(table.buckets for table in stored.values())
    stamp = None if is_first else run.previous.stamp
    writer = BucketWriter(run.connection, run.root, run.generation, run.calendar)
    compactor = Compactor(run.connection, run.root, run.generation, run.settings.merge_ratio)
    report = run.report.tables.setdefault(plan.name, TableReport())
    buckets = {name: dict(table.buckets) for name, table in stored.items()}
    for bucket in range(count):
        staged = sorted((folder / f"bucket={bucket}").glob("*.parquet"))
        if not staged:
            continue
        run.progress(f"{plan.name}: bucket {bucket + 1} of {count}")
        present = {name: found[bucket] for name, found in buckets.items() if bucket in found}
        outcome = writer.append(plan, bucket, staged, present, stamp)
        _tally(report, outcome)
        for name, state in outcome.buckets.items():
            columns = (*stored[name].columns, *plan.columns(name))
            buckets[name][bucket] = compactor.tidy(name, columns, bucket, state)
    nobody = sorted((folder / f"bucket={count}").glob("*.parquet"))
    if nobody and not plan.identity.key:
        _tally(report, BucketOutcome(verdicts=writer.count_only(plan, nobody)))
    return buckets


def _stored(
    plan: TablePlan,
    before: Mapping[str, StoredTable],
    buckets: Mapping[str, dict[int, Bucket]],
    *,
    may_return: bool,
    since: int | None,
) -> dict[str, StoredTable]:
    tables = {}
    for name, found in buckets.items():
        # Returns are a table as soon as they may come: the first one may not change which features there are.
        if not found and name != plan.homes[0] and not (name == "returns" and may_return):
            continue
        columns = stored_order(name, (*before[name].columns, *plan.columns(name)))
        new = {} if since is None else dict.fromkeys(sorted({*columns} - {*before[name].columns}), since)
        tables[name] = StoredTable(
            columns=columns, identity=plan.identity.name, buckets=found, since=before[name].since | new
        )
    if plan.homes[0] == "orders" and _PRODUCT_COLUMNS & set(plan.identity.columns):
        columns = tuple(name for name in _LINES if name in plan.identity.columns)
        tables["lines"] = StoredTable(columns=columns, identity=plan.identity.name, shares="orders")
    return tables


def _tally(report: TableReport, outcome: BucketOutcome) -> None:
    def of(verdict: str) -> tuple[int, float]:
        rows, amount = outcome.verdicts.get(verdict, (0, 0))
        return rows, amount / MONEY_SCALE

    within, across = of("within"), of("across")
    report.within_files += within[0]
    report.within_files_amount = round(report.within_files_amount + within[1], 4)
    report.across_files += across[0]
    report.across_files_amount = round(report.across_files_amount + across[1], 4)
    report.replaced += of("replaced")[0]
    report.corrections += of("correction")[0]
    report.closed += outcome.closed
    for name, rows in outcome.appended.items():
        report.appended[name] = report.appended.get(name, 0) + rows


def _next_manifest(
    run: Run,
    changed: Mapping[str, StoredTable],
    dictionary: Dictionary,
    deliveries: Sequence[Delivery],
    known_cutoff: int | None,
) -> Manifest:
    before = run.previous
    counts = [delivery.counts for delivery in deliveries]
    orders = [delivery.counts for delivery in deliveries if delivery.table == "orders"]
    first = [count.first_order_at for count in orders] + [before.first_order_at]
    newest = [count.last_order_at for count in orders] + [before.newest_order_at]
    # A calendar tells of days to come; nothing else happens as late as they will.
    happened = [delivery.counts for delivery in deliveries if DECLARED[delivery.table].has_customer]
    stamps = [before.stamp, known_cutoff, *(count.last_at for count in happened)]
    currencies = [value for count in counts for value in count.currencies]
    return before.model_copy(
        update={
            "buckets": dictionary.buckets,
            "customers": dictionary.customers,
            "dictionary": dictionary.parts,
            "time_zone": run.calendar.time_zone,
            "known_offset_hours": run.calendar.known_offset_hours,
            "tables": {**before.tables, **changed},
            "first_order_at": min((at for at in first if at is not None), default=None),
            "newest_order_at": max((at for at in newest if at is not None), default=None),
            "stamp": max((at for at in stamps if at is not None), default=None),
            "currency": next((value for value in currencies if value), before.currency),
            "files": tuple(sorted({*before.files, *(delivery.identity for delivery in deliveries)})),
            "newest": before.newest | {delivery.place: delivery.identity for delivery in deliveries},
        }
    )


def _publish(run: Run, manifest: Manifest, deliveries: Sequence[Delivery]) -> IngestReport:
    """Put bad rows aside, switch the manifest, and write the report."""
    digest = manifest.content_digest()
    changed = digest != run.previous.digest
    if changed:
        manifest = manifest.model_copy(update={"generation": run.generation, "digest": digest})
    for delivery in deliveries:
        if delivery.counts.bad:
            _report_of(run, delivery).quarantine_files.append(
                quarantine(run.connection, delivery.parsed, run.root)
            )
    if manifest != run.previous:
        run.progress("publishing")
        switch_manifest(run.root, manifest)
    report = run.report
    report.changed, report.generation, report.digest = changed, manifest.generation, manifest.digest
    report.customers, report.buckets = manifest.customers, manifest.buckets
    report.first_order_at, report.newest_order_at = manifest.first_order_at, manifest.newest_order_at
    if deliveries:
        path = run.root / "reports" / f"ingest-{manifest.generation:06d}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(report.to_json())
    return report


def _report_of(run: Run, delivery: Delivery) -> SourceReport:
    source = delivery.parsed.source
    return next(
        found for found in run.report.sources if found.table == delivery.table and found.path == source.path
    )


def _check_calendar(previous: Manifest, calendar: BusinessCalendar) -> None:
    if not previous.generation:
        return
    stored = BusinessCalendar(previous.time_zone, previous.known_offset_hours)
    if stored != calendar:
        raise ConfigError(
            f"history: built for time zone {stored.time_zone} and known_offset_hours {stored.known_offset_hours:g}; "
            f"the configuration says {calendar.time_zone} and {calendar.known_offset_hours:g}. "
            "Use a new workspace for the new calendar."
        )
