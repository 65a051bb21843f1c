"""Which attributes are audited: their names and bands are checked, and they are kept from everything else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field

from features.settings import FeatureSettings
from tables.contracts import DECLARED, Kind
from tables.sources import Source
from tables.yaml_lines import nearest

Sources = Mapping[str, Sequence[Source]]

_GROUPING = {Kind.TEXT, Kind.FLAG}


def _by_name(groups: object) -> object:
    """Turn a list of names, and of names with limits of bands, into the limits by name: none for a name alone."""
    if isinstance(groups, Mapping):
        return groups
    if not isinstance(groups, list | tuple) or any(not isinstance(group, str | Mapping) for group in groups):
        raise ValueError("write a list of names, and of names with limits, as `[language, {age: [18, 65]}]`")
    named = [group if isinstance(group, Mapping) else {group: ()} for group in groups]
    return {name: limits for each in named for name, limits in each.items()}


_Limit = Annotated[float, Field(allow_inf_nan=False)]
AuditGroups = Annotated[Mapping[str, tuple[_Limit, ...]], BeforeValidator(_by_name)]
"""By audited attribute the limits of its bands, each the least value of its own band; none where it holds texts."""


def check_groups(groups: AuditGroups, sources: Sources) -> None:
    """Refuse to audit by what no source tells, by contact data, and by numbers without bands.

    Raises:
        ValueError: naming every such attribute, and what there is.
    """
    kinds = dict(_attributes(sources))
    banded = [name for name, kind in kinds.items() if isinstance(kind, str)]
    named = [*_columns(sources), *(name for name in kinds if name not in banded)]
    problems = [
        problem for name, limits in groups.items() for problem in _problems(name, limits, named, banded)
    ]
    if problems:
        raise ValueError(f"report.audit_groups: {'; '.join(problems)}; found {sorted({*named, *banded})}")


def dates_among(sources: Sources) -> list[str]:
    """List the attributes that are dates; their bands count whole years."""
    return [name for name, kind in _attributes(sources) if kind == "date"]


def without_audited(settings: FeatureSettings, groups: AuditGroups) -> FeatureSettings:
    """Keep audited attributes from the features: what may be protected is read for the audit alone."""
    kept = tuple(attribute for attribute in settings.attributes if attribute.name not in groups)
    return replace(settings, attributes=kept)


def _problems(name: str, limits: Sequence[float], named: list[str], banded: list[str]) -> Iterator[str]:
    if name not in (*named, *banded):
        yield f"nothing to group customers by is called {name}{nearest(name, [*named, *banded])}"
    elif name in banded and not limits:
        yield f"{name} is a number or a date; say its bands, as `{name}: [18, 30, 50, 65]`"
    elif name in named and limits:
        yield f"{name} holds texts, which have no bands; write its name alone"
    if any(upper <= lower for lower, upper in pairwise(limits)):
        yield f"{name}: the limits of bands must rise"


def _columns(sources: Sources) -> Iterator[str]:
    filled = {name for source in sources.get("customers", ()) for name in source.filled()}
    for column in DECLARED["customers"].columns:
        if column.name in filled and column.kind in _GROUPING:
            yield column.name


def _attributes(sources: Sources) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for source in sources.get("attributes", ()):
        yield from source.values.items()
