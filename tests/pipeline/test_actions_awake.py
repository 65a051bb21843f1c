"""On a shop that delivers every table no action of the catalogue waits for data."""

from pathlib import Path

from tables.publish import published, published_dates


def test_no_action_sleeps_on_the_full_simulated_shop(demo_made: Path) -> None:
    nights = [published(demo_made, day) for day in published_dates(demo_made)]
    assert [night.facts["dormant"] for night in nights if night is not None] == [{}, {}]
