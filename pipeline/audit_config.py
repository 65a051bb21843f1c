"""Which attributes are audited: their names are checked, and they are kept from everything else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from features.settings import FeatureSettings
from tables.contracts import DECLARED, Kind
from tables.sources import Source
from tables.yaml_lines import nearest

_GROUPING = {Kind.TEXT, Kind.FLAG}


def check_groups(names: Sequence[str], sources: Mapping[str, Sequence[Source]]) -> None:
    """Refuse to audit by what no source tells, and by what is no group: numbers, dates, contact data.

    Raises:
        ValueError: naming every such name, and what there is.
    """
    there = sorted({*_columns(sources), *_attributes(sources)})
    unknown = [f"{name}{nearest(name, there)}" for name in names if name not in there]
    if unknown:
        raise ValueError(
            f"report.audit_groups: no text or flag of customers or attributes is called {', '.join(unknown)}; "
            f"found {there}. Map it in a source, or leave it out"
        )


def without_audited(settings: FeatureSettings, names: Sequence[str]) -> FeatureSettings:
    """Keep audited attributes from the features: what may be protected is read for the audit alone."""
    kept = tuple(attribute for attribute in settings.attributes if attribute.name not in names)
    return replace(settings, attributes=kept)


def _columns(sources: Mapping[str, Sequence[Source]]) -> Iterator[str]:
    filled = {name for source in sources.get("customers", ()) for name in source.filled()}
    for column in DECLARED["customers"].columns:
        if column.name in filled and column.kind in _GROUPING:
            yield column.name


def _attributes(sources: Mapping[str, Sequence[Source]]) -> Iterator[str]:
    for source in sources.get("attributes", ()):
        yield from (name for name, kind in source.values.items() if not isinstance(kind, str))
