"""Everything the shop carries from one day to the next, and how it is kept between commands."""

import json
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np

from pipeline.shop.baskets import LINES, Lines
from pipeline.shop.behaviour import Mood, mood_of
from pipeline.shop.draws import Draws
from pipeline.shop.effects import EFFECTS, Effects
from pipeline.shop.people import PEOPLE, People, first_people
from pipeline.shop.settings import ShopSettings, day_number
from pipeline.shop.ties import Ties
from tables.errors import DataError

_FILE = "shop.npz"


@dataclass(frozen=True)
class ShopState:
    """The shop at the midnight before ``day``.

    Attributes:
        settings: what the shop is like.
        seed: its luck.
        day: the next day to happen.
        people: lasting traits of every customer; a customer's position is their number.
        mood: who is still a customer, how satisfied and how warm.
        ties: what binds customers or drives them away, and open tickets, offers and subscriptions.
        running: actions that still work.
        pending: lines that happened, or will be sent back, and are in no file yet.
    """

    settings: ShopSettings
    seed: int
    day: date
    people: People
    mood: Mood
    ties: Ties
    running: Effects
    pending: Lines

    @property
    def draws(self) -> Draws:
        """The shop's luck."""
        return Draws(self.seed)

    def save(self, folder: Path) -> None:
        """Write the state as one file of plain arrays; a run killed meanwhile leaves the older state whole."""
        facts = {"seed": self.seed, "day": str(self.day), "settings": self.settings.model_dump(mode="json")}
        arrays = {
            "facts": np.array(json.dumps(facts)),
            "people": self.people,
            "is_alive": self.mood.is_alive,
            "satisfaction": self.mood.satisfaction,
            "warmth": self.mood.warmth,
            "last_order_on": self.mood.last_order_on,
            "running": self.running,
            "pending": self.pending,
            **self.ties.arrays(),
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = folder.parent / f".unfinished-{_FILE}"
        np.savez(unfinished, allow_pickle=False, **arrays)
        folder.mkdir(exist_ok=True)
        unfinished.replace(folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved state.

        Raises:
            DataError: the folder holds no state.
        """
        if not (folder / _FILE).is_file():
            raise DataError(f"{folder}: no saved shop; found no {_FILE}. Simulate a history first.")
        with np.load(folder / _FILE, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            return cls(
                settings=ShopSettings.model_validate(facts["settings"]),
                seed=facts["seed"],
                day=date.fromisoformat(facts["day"]),
                people=arrays["people"].astype(PEOPLE),
                mood=Mood(**{field.name: arrays[field.name] for field in fields(Mood)}),
                ties=Ties.of(arrays),
                running=arrays["running"].astype(EFFECTS),
                pending=arrays["pending"].astype(LINES),
            )


def start(settings: ShopSettings, seed: int) -> ShopState:
    """Open a shop on the morning of its first day; all its customers are alive and content."""
    people = first_people(settings, Draws(seed), day_number(settings.first_day))
    mood = mood_of(people, Draws(seed), first_number=0, day=day_number(settings.first_day))
    return ShopState(
        settings=settings,
        seed=seed,
        day=settings.first_day,
        people=people,
        mood=mood,
        ties=Ties.none(len(people)),
        running=np.empty(0, EFFECTS),
        pending=np.empty(0, LINES),
    )
