"""Reports on contacts, judged row by row against the plans that made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from actions.catalogue import NONE
from actions.rules.contacts import NOT_DELIVERED, REPORT_WITHIN_DAYS
from pipeline.handover.contact_ids import contact_ids
from pipeline.handover.reports import Reports
from tables.calendar import BusinessCalendar
from tables.mending import FAULTS

DELIVERED = "delivered"
STATUSES = (DELIVERED, NOT_DELIVERED)
_INSTANTS = "datetime64[us, UTC]"
_OF_PLAN = ("customer_id", "action", "arm", "channel")


@dataclass(frozen=True)
class Judged:
    """The rows of one file, told apart.

    Attributes:
        path: where the file lies.
        good: ``contact_id, customer_id, action, arm, channel, status``, ``sent_at`` (the midnight of its night
            where not reported), ``redeemed_at`` and ``cost`` (missing where not reported); one row per contact.
        tells_redemptions: whether the file would tell of a redemption.
        bad: the rows put aside, as they were, with ``line`` and ``reasons``.
        repeated: rows that a later row of the same contact replaces.
    """

    path: Path
    good: pd.DataFrame
    tells_redemptions: bool
    bad: pd.DataFrame
    repeated: int


def planned_contacts(plan: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """List the contacts that a night planned, sent or withheld.

    Args:
        plan: ``customer_id, planned_action, action, arm, channel`` of the night.
        as_of: the night.

    Returns:
        ``customer_id, action, arm, channel, as_of`` and ``is_sent``, indexed by the name of the contact.
    """
    is_sent = plan["action"] != NONE
    rows = plan.assign(action=plan["action"].where(is_sent, plan["planned_action"]), is_sent=is_sent)
    rows = rows[rows["action"] != NONE]
    told = rows[[*_OF_PLAN, "is_sent"]].assign(as_of=as_of)
    return told.set_axis(contact_ids(rows["customer_id"], rows["action"], as_of))


def judge(reports: Reports, contacts: pd.DataFrame, calendar: BusinessCalendar, *, now: int) -> Judged:
    """Check every row of a file; of the good rows of a contact the last one holds.

    Args:
        reports: the rows.
        contacts: what the nights planned, as ``planned_contacts`` lists it.
        calendar: zone of times that name none, and where nights begin.
        now: the present instant; later times are mistakes.
    """
    texts = reports.rows
    planned = contacts.reindex(texts["name"]).reset_index(drop=True)
    told = planned[list(_OF_PLAN)].assign(
        contact_id=texts["name"],
        status=texts["status"],
        night=_nights(planned["as_of"], calendar),
        delivered_at=_instants(texts["delivered_at"], calendar),
        redeemed_at=_instants(texts["redeemed_at"], calendar),
        cost=pd.to_numeric(texts["cost"], errors="coerce")
        .astype(np.float64)
        .replace([np.inf, -np.inf], np.nan),
    )
    told = told.assign(sent_at=told["delivered_at"].fillna(told["night"]))
    faults = pd.DataFrame(
        {
            **_faults_of_contact(texts, planned),
            **_faults_of_values(texts, told),
            **_faults_of_times(told, now),
        }
    )
    faults[texts["fault"] != ""] = False  # a row that cannot be read is bad for that reason alone
    faults = faults.assign(**{name: texts["fault"] == name for name in FAULTS})
    is_bad = faults.any(axis=1)
    reasons = [[name for name, holds in row.items() if holds] for row in faults[is_bad].to_dict("records")]
    good = told.loc[~is_bad].drop(columns=["night", "delivered_at"])
    last = good.drop_duplicates("contact_id", keep="last").reset_index(drop=True)
    bad = texts.loc[is_bad].drop(columns=["name", "fault"]).assign(reasons=reasons).reset_index(drop=True)
    return Judged(
        path=reports.path,
        good=last,
        tells_redemptions=reports.tells_redemptions,
        bad=bad,
        repeated=len(good) - len(last),
    )


def _faults_of_contact(texts: pd.DataFrame, planned: pd.DataFrame) -> Mapping[str, pd.Series]:
    is_known = planned["customer_id"].notna()
    is_other = (texts["customer_id"] != "") & (texts["customer_id"] != planned["customer_id"])
    return {
        "unknown_contact": ~is_known,
        "was_withheld": planned["is_sent"].eq(other=False),
        "another_customer": is_known & is_other,
    }


def _faults_of_values(texts: pd.DataFrame, told: pd.DataFrame) -> Mapping[str, pd.Series]:
    unread = {
        f"unreadable_{name}": (texts[name] != "") & told[name].isna()
        for name in ("delivered_at", "redeemed_at", "cost")
    }
    return {
        "unknown_status": ~told["status"].isin(STATUSES),
        **unread,
        "negative_cost": told["cost"] < 0,
    }


def _faults_of_times(told: pd.DataFrame, now: int) -> Mapping[str, pd.Series]:
    """Compare with what must lie before or after; a time that is missing compares as false."""
    delivered, redeemed = told["delivered_at"], told["redeemed_at"]
    present = pd.Timestamp(now, unit="us", tz="UTC")
    return {
        "delivered_before_its_night": delivered < told["night"],
        "delivered_a_week_late": delivered >= told["night"] + pd.Timedelta(days=REPORT_WITHIN_DAYS),
        "redeemed_before_delivery": redeemed < told["sent_at"],
        "redeemed_undelivered": redeemed.notna() & (told["status"] == NOT_DELIVERED),
        "in_the_future": (delivered > present) | (redeemed > present),
    }


def _nights(days: pd.Series, calendar: BusinessCalendar) -> pd.Series:
    midnights = {
        day: pd.Timestamp(calendar.midnight(day), unit="us", tz="UTC") for day in days.dropna().unique()
    }
    return pd.Series([midnights.get(day) for day in days], index=days.index, dtype=_INSTANTS)


def _instants(texts: pd.Series, calendar: BusinessCalendar) -> pd.Series:
    zone = ZoneInfo(calendar.time_zone)
    moments = pd.to_datetime([_instant(text, zone) for text in texts], utc=True, errors="coerce")
    return pd.Series(moments, index=texts.index).astype(_INSTANTS)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """Read an ISO time, in the business's zone where it names none; nothing where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
