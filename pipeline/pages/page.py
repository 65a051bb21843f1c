"""What all pages share: one self-contained HTML file each, every text escaped, no script, no network."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@dataclass(frozen=True)
class Figure:
    """One large number and what it counts."""

    value: str
    label: str


def fill(template: str, page: object) -> str:
    """Fill a page's template, which sees it as ``page``, every word escaped."""
    environment = Environment(
        loader=PackageLoader("pipeline.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(page=page) + "\n"
