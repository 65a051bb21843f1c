"""What a bucket's new rows are: first versions, corrections, repetitions; and which stored rows they end.

Rows come from two views of the connection: ``incoming`` (split rows of this run) and ``stored`` (rows of the
history, every version, with the part and row where each lies). The outcome is a table ``resolved`` with one
row per incoming or ended row and its ``verdict``: ``new``, ``ended``, ``within`` (repeated in its file),
``replaced`` (its file holds a later row of the key), ``across`` (an earlier file or the history holds it),
``ghost`` (removed by a filter) or ``kept`` (a stored row that stays as it is).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from tables.calendar import NEVER
from tables.sql import listed

_BEFORE_ALL = -1
_TIMES = "customer, event_at, known_at, superseded_at, is_return"


@dataclass(frozen=True)
class Identity:
    """How the rows of a table are told apart.

    Attributes:
        columns: content columns of the table.
        key: columns that with the customer make a row's key; none where the whole content does.
        restate: a newer file's rows of an order replace the earlier ones.
        dropping: numbers of the files whose own repetitions are dropped.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    restate: bool = False
    dropping: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Name the rule, for the manifest and for messages."""
        rule = ", ".join(self.key) if self.key else "content"
        return f"{rule}, restated by order" if self.restate else rule

    @property
    def unit(self) -> str:
        """Columns that two rows share if one can matter to the other."""
        if self.restate:
            return "customer, order_id"
        return f"customer, {listed(self.key)}" if self.key else self.whole

    @property
    def whole(self) -> str:
        """Columns in which two rows agree if one repeats the other."""
        return f"customer, event_at, is_return, is_ghost, {listed(self.columns)}"


def resolve(
    connection: duckdb.DuckDBPyConnection, identity: Identity, *, stamp: int | None, has_stored: bool
) -> None:
    """Decide what becomes of every incoming row of a bucket; see the module for the outcome.

    Rows that share their unit with no other row, nearly all of a first load, need no decision: they are
    told apart by one grouping on a hash (which may only send too many rows the long way) and pass.

    Args:
        connection: DuckDB with the views ``incoming`` and, if there is anything, ``stored``.
        identity: how rows are told apart.
        stamp: rows without a known time count as known no earlier; none at a first load.
        has_stored: whether there is anything in ``stored``.
    """
    base = "event_at" if stamp is None else f"greatest(event_at, {stamp})"
    rows = (
        f"select customer, event_at, known_given, coalesce(known_given, {base}) as base, source_file, "
        f"is_ghost, is_return, {listed(identity.columns)}, "
        f"null::bigint as ends, null::int as home, null::int as part, null::bigint as row, "
        f"hash({identity.unit}) as unit from "
        "(select *, removed > 0 as is_ghost from incoming)"
    )
    if has_stored:
        rows = _set_beside(connection, rows, identity)
    shared = f"select unit from ({rows}) group by unit having count(*) > 1"
    if has_stored:
        shared += " union select unit from concerned"
    connection.execute(f"create or replace temp table shared as {shared}")
    ((contests,),) = connection.execute("select count(*) from shared").fetchall()
    passed = f"select {_TIMES_OF_ROWS}, {listed(identity.columns)}, home, part, row, {_PLAIN_VERDICT} from ({rows})"
    if not contests:
        connection.execute(f"create or replace temp view resolved as {passed}")
        return
    connection.execute(f"create or replace temp table contested as {_contested(rows, identity, has_stored)}")
    rule = (
        _restated(identity)
        if identity.restate
        else _keyed(identity)
        if identity.key
        else _by_content(identity)
    )
    connection.execute(f"create or replace temp table decided as {rule}")
    connection.execute(
        f"create or replace temp view resolved as {passed} where unit not in (select unit from shared) "
        f"union all select {_TIMES}, {listed(identity.columns)}, home, part, row, verdict from decided"
    )


_TIMES_OF_ROWS = f"customer, event_at, base as known_at, {NEVER} as superseded_at, is_return"
_PLAIN_VERDICT = "case when is_ghost then 'ghost' else 'new' end as verdict"


def _set_beside(connection: duckdb.DuckDBPyConnection, rows: str, identity: Identity) -> str:
    """Keep a night's rows at hand, and of the history, read once, what may concern them."""
    connection.execute(f"create or replace temp table arriving as {rows}")
    connection.execute(
        f"create or replace temp table concerned as select *, hash({identity.unit}) as unit "
        "from (select *, false as is_ghost from stored) where unit in (select unit from arriving)"
    )
    return "select * from arriving"


def _contested(rows: str, identity: Identity, has_stored: bool) -> str:
    """List the rows that share their unit; a stored version that never was valid has no say in what is."""
    found = f"select * from ({rows}) where unit in (select unit from shared)"
    if not has_stored:
        return found
    return (
        f"{found} union all select customer, event_at, known_at, known_at, {_BEFORE_ALL}, false, is_return, "
        f"{listed(identity.columns)}, superseded_at, home, part, row, unit from concerned "
        "where superseded_at > known_at"
    )


def _content(identity: Identity) -> str:
    return f"row(event_at, is_return, is_ghost, {listed(identity.columns)})"


def _keyed(identity: Identity) -> str:
    """One version per key and known time of a file; a version ends when the next one becomes known.

    A filtered row ends a version only where it speaks of the same moment: a cancelled order, not the row of a
    mail log that says that a mail once sent was opened.
    """
    key, content = identity.unit, _content(identity)
    return f"""
    with told as (
        select *, is_ghost and bool_and(is_ghost) over (partition by {key}, event_at) as is_stray
        from contested),
    ranked as (
        select * exclude (is_stray), {content} as content,
            row_number() over (partition by {key}, source_file, known_given
                order by event_at desc, is_ghost, {content} desc) as place,
            row_number() over (partition by {identity.whole}, source_file, known_given) as copy
        from told where not is_stray),
    chained as (
        select *, case when known_given is not null then base else greatest(base, max(base) over (
            partition by {key} order by source_file range between unbounded preceding and 1 preceding))
            end as known_at
        from ranked where place = 1 or part is not null),
    compared as (
        select *, part is null and content is not distinct from lag(content) over chain
            and coalesce(lag(ends) over chain, {NEVER}) > known_at as is_repeated
        from chained window chain as (partition by {key} order by known_at, source_file, content)),
    dated as (
        select *, lead(known_at) over chain as next_at, row_number() over chain as version
        from compared where not is_repeated
        window chain as (partition by {key} order by known_at, source_file, content))
    select customer, event_at, known_at, is_return, {listed(identity.columns)}, home, part, row,
        least(coalesce(ends, {NEVER}), coalesce(next_at, {NEVER})) as superseded_at,
        case when part is not null then
                case when next_at < coalesce(ends, {NEVER}) then 'ended' else 'kept' end
            when is_ghost then 'ghost' when version > 1 then 'correction' else 'new' end as verdict
    from dated
    union all select customer, event_at, known_at, is_return, {listed(identity.columns)}, home, part, row,
        {NEVER}, 'across'
    from compared where is_repeated
    union all select customer, event_at, base, is_return, {listed(identity.columns)}, home, part, row, {NEVER},
        case when is_ghost then 'ghost' when copy > 1 then 'within' else 'replaced' end
    from ranked where place > 1 and part is null
    union all select customer, event_at, base, is_return, {listed(identity.columns)}, home, part, row, {NEVER},
        'ghost'
    from told where is_stray"""


def _by_content(identity: Identity) -> str:
    """The n-th occurrence of a content is new in the first file that has it."""
    return f"""
    with counted as (
        select *, row_number() over (partition by {identity.whole}, source_file order by base) as occurrence
        from contested),
    placed as (
        select *, row_number() over (partition by {identity.whole}, occurrence order by source_file) as place
        from counted)
    select customer, event_at, base as known_at, is_return, {listed(identity.columns)}, home, part, row,
        {NEVER} as superseded_at,
        case when part is not null then 'kept' when place > 1 then 'across'
            when occurrence > 1 and {_dropped(identity)} then 'within'
            when is_ghost then 'ghost' else 'new' end as verdict
    from placed"""


def _restated(identity: Identity) -> str:
    """An order is a row of states, one per file; a line lives from the state it enters to the one it left."""
    line = f"{identity.whole}, occurrence"
    return f"""
    with counted as (
        select *, row_number() over (partition by {identity.whole}, source_file order by base) as occurrence
        from contested where ends is null or ends = {NEVER}),
    kept as (select * from counted where occurrence = 1 or not {_dropped(identity)}),
    files as (
        select customer, order_id, source_file, max(base) as base from kept group by all),
    states as (
        select customer, order_id, source_file,
            row_number() over chain as state, max(base) over chain as stated_at
        from files window chain as (partition by customer, order_id order by source_file)),
    nexts as (
        select *, lead(stated_at) over (partition by customer, order_id order by state) as next_at from states),
    present as (
        select kept.*, state, stated_at, next_at,
            state - row_number() over (partition by {_listed_from(line, "kept")} order by state) as island
        from kept join nexts on kept.customer = nexts.customer
            and kept.order_id is not distinct from nexts.order_id and kept.source_file = nexts.source_file),
    placed as (
        select *, row_number() over (partition by {line}, island order by state) as place,
            last_value(next_at) over (partition by {line}, island order by state
                rows between unbounded preceding and unbounded following) as left_at
        from present)
    select customer, event_at, case when part is not null or state = 1 then base else stated_at end as known_at,
        is_return, {listed(identity.columns)}, home, part, row, coalesce(left_at, {NEVER}) as superseded_at,
        case when part is not null then case when left_at is not null then 'ended' else 'kept' end
            when place > 1 then 'across' when is_ghost then 'ghost'
            when state > 1 then 'correction' else 'new' end as verdict
    from placed
    union all select customer, event_at, base, is_return, {listed(identity.columns)}, home, part, row, {NEVER}, 'within'
    from counted where occurrence > 1 and {_dropped(identity)}"""


def _dropped(identity: Identity) -> str:
    numbers = ", ".join(str(number) for number in identity.dropping)
    return f"source_file in ({numbers})" if numbers else "false"


def _listed_from(columns: str, relation: str) -> str:
    """Put a relation's name before each of a list of columns."""
    return ", ".join(f"{relation}.{name}" for name in columns.split(", "))


def tally(connection: duckdb.DuckDBPyConnection, *, with_amount: bool) -> dict[str, tuple[int, int]]:
    """Count resolved rows per verdict, with the sum of their amounts in fixed point."""
    amount = "sum(case when is_return then -amount else amount end)" if with_amount else "0"
    rows: Sequence[tuple[str, int, int]] = connection.execute(
        f"select verdict, count(*), coalesce({amount}, 0) from resolved group by verdict"
    ).fetchall()
    return {verdict: (count, total) for verdict, count, total in rows}
