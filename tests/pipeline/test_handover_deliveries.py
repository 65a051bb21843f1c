from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import load_catalogue
from actions.rules.contacts import contact_ledger
from pipeline.attributes import history_table
from pipeline.handover.contact_ids import contact_id
from pipeline.handover.delivery_log import DeliveryLog
from pipeline.handover.importing import import_deliveries
from pipeline.handover.judging import Judged, judge, planned_contacts
from pipeline.handover.reports import read_reports
from tables.calendar import BusinessCalendar
from tables.errors import ConfigError, DataError, SchemaError
from tables.storage import read_table
from tests.pipeline.handover_shop import DAY, NIGHT, NOON, Shop

PLAN = (
    ("=1+2", "personal_offer", "personal_offer", "sent", "email"),
    ("ann", "personal_offer", "personal_offer", "sent", "email"),
    ("bob", "personal_offer", "none", "control", "email"),
    ("eve", "personal_offer", "service_call", "explored", "phone"),
    ("zoe", "none", "none", "global_control", "none"),
)
ANN, EVE = contact_id("ann", "personal_offer", NIGHT), contact_id("eve", "service_call", NIGHT)
ODD, BOB = contact_id("=1+2", "personal_offer", NIGHT), contact_id("bob", "personal_offer", NIGHT)
HEADER = "contact_id,customer_id,action,valid_on,status,delivered_at,redeemed_at,cost"
CALENDAR = BusinessCalendar("Europe/Vilnius")
IN_TIME = "2026-06-02T09:00"
LATER = NOON + 20 * DAY


def judged(folder: Path, *lines: str, header: str = HEADER) -> Judged:
    path = folder / "log.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    columns = ["customer_id", "planned_action", "action", "arm", "channel"]
    contacts = planned_contacts(pd.DataFrame(PLAN, columns=columns), NIGHT)
    return judge(read_reports(path), contacts, CALENDAR, now=LATER)


def test_a_report_is_told_by_the_plan_it_belongs_to(tmp_path: Path) -> None:
    good = judged(tmp_path, f"{EVE},,,,delivered,{IN_TIME},2026-06-05,3.5").good
    (row,) = good.to_dict("records")
    assert (row["customer_id"], row["action"], row["arm"], row["channel"]) == (
        "eve",
        "service_call",
        "explored",
        "phone",
    )
    assert row["sent_at"] == pd.Timestamp("2026-06-02 06:00", tz="UTC")
    assert row["redeemed_at"] == pd.Timestamp("2026-06-04 21:00", tz="UTC")
    assert row["cost"] == 3.5


def test_a_contact_may_be_named_by_customer_action_and_day(tmp_path: Path) -> None:
    found = judged(tmp_path, ",'=1+2,personal_offer,2026-06-02,not_delivered,,,")
    assert found.good["contact_id"].tolist() == [ODD]
    assert found.good["sent_at"].tolist() == [pd.Timestamp("2026-06-01 21:00", tz="UTC")]


def test_of_two_rows_for_a_contact_the_last_holds(tmp_path: Path) -> None:
    found = judged(tmp_path, f"{ANN},,,,delivered,{IN_TIME},,", f"{ANN},,,,delivered,{IN_TIME},2026-06-03,")
    assert (len(found.good), found.repeated) == (1, 1)
    assert found.good["redeemed_at"].notna().all()


@pytest.mark.parametrize(
    ("line", "reasons"),
    [
        ("kw20260602-0000000000000000,,,,delivered,,,", ["unknown_contact"]),
        ("M1,,,,delivered,,,", ["unknown_contact"]),
        (",ann,personal_offer,soon,delivered,,,", ["unknown_contact"]),
        (",zoe,none,2026-06-02,delivered,,,", ["unknown_contact"]),
        (f"{BOB},,,,delivered,,,", ["was_withheld"]),
        (f"{ANN},eve,,,delivered,,,", ["another_customer"]),
        (f"{ANN},,,,lost,,,", ["unknown_status"]),
        (f"{ANN},,,,,,,", ["unknown_status"]),
        (f"{ANN},,,,delivered,yesterday,soon,", ["unreadable_delivered_at", "unreadable_redeemed_at"]),
        (f"{ANN},,,,delivered,0001-01-01T00:00+23:00,,", ["unreadable_delivered_at"]),
        (f"{ANN},,,,delivered,,,much", ["unreadable_cost"]),
        (f"{ANN},,,,delivered,,,inf", ["unreadable_cost"]),
        (f"{ANN},,,,delivered,,,-1", ["negative_cost"]),
        (f"{ANN},,,,delivered,2026-06-01T23:59:59,,", ["delivered_before_its_night"]),
        (f"{ANN},,,,delivered,2026-06-09T00:00,,", ["delivered_a_week_late"]),
        (f"{ANN},,,,delivered,{IN_TIME},2026-06-02T08:59,", ["redeemed_before_delivery"]),
        (f"{ANN},,,,not_delivered,,2026-06-03,", ["redeemed_undelivered"]),
        (f"{ANN},,,,delivered,{IN_TIME},2026-07-03,", ["in_the_future"]),
        (f'{ANN},,"an "offer"",,delivered,,,', ["stray_quote"]),
        (f'{ANN},,"an \\"offer\\"",,delivered,,,', ["backslash_quote"]),
        (f"{ANN},,an offer, or two,,delivered,,,1", ["too_many_fields"]),
    ],
)  # fmt: skip
def test_a_bad_row_is_put_aside_with_line_and_reasons(tmp_path: Path, line: str, reasons: list[str]) -> None:
    found = judged(tmp_path, f"{EVE},,,,delivered,,,", "", line)
    assert found.good["contact_id"].tolist() == [EVE]
    assert found.bad[["line", "reasons"]].to_numpy().tolist() == [[4, reasons]]


def test_the_first_and_the_last_instant_in_time_count(tmp_path: Path) -> None:
    first, last = "2026-06-02T00:00", "2026-06-08T23:59:59.999999"
    assert judged(tmp_path, f"{ANN},,,,delivered,{first},,", f"{EVE},,,,delivered,{last},,").bad.empty


@settings(max_examples=25)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_a_cell_holds_no_row_is_lost(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    cell = '"' + text.replace('"', '""').replace("\r", " ") + '"'
    found = judged(tmp_path_factory.getbasetemp(), f"{ANN},,,,delivered,,,{cell}", f"{EVE},,,,{cell},,,")
    assert len(found.good) + len(found.bad) == 2


def imported(shop: Shop, *files: Path, now: int = LATER) -> dict[str, object]:
    run = shop.run(now)
    with run.locked("test") as held:
        return import_deliveries(held, files)


def seen(shop: Shop, day: date) -> pd.DataFrame:
    contacts = history_table(shop.history(), "contacts", as_of=day, calendar=CALENDAR)
    assert contacts is not None
    return contacts.set_index("contact_id")


def test_the_same_file_twice_and_a_correction_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    first = shop.write(
        "a.csv", HEADER, f"{ANN},,,,delivered,{IN_TIME},,", f"{EVE},,,,not_delivered,,,", "M1,,,,,,,"
    )
    told = imported(shop, first)
    assert (told["new"], told["corrected"], told["bad"]) == (2, 0, 1)
    assert "put aside" in str(told["text"])
    assert "unknown_contact 1 (line 4)" in str(told["text"])
    assert read_table(next((tmp_path / "workspace/deliveries/quarantine").iterdir()))["line"].tolist() == [4]
    before = shop.history().digest

    again = imported(shop, first)
    assert (again["new"], again["changed"], shop.history().digest) == (0, False, before)

    corrected = shop.write("b.csv", HEADER, f"{ANN},,,,delivered,{IN_TIME},2026-06-05T12:00,13")
    assert imported(shop, corrected)["corrected"] == 1
    assert imported(shop, first)["changed"] is False
    rows = seen(shop, date(2026, 6, 20))
    assert rows.loc[[ANN, EVE], "cost"].tolist() == [13.0, 0.0]
    assert rows.loc[[ANN, EVE], "status"].tolist() == ["delivered", "not_delivered"]
    early = seen(shop, date(2026, 6, 5)).loc[ANN]
    assert early["cost"] == 0.5  # the catalogue's, until the redemption came to be known


def test_a_first_delivery_changes_no_column_of_earlier_nights(tmp_path: Path) -> None:
    def columns(day: date) -> dict[str, tuple[str, ...]]:
        log, sources = DeliveryLog(tmp_path / "workspace"), shop.config().sources
        history = log.without_later(shop.history(), sources, cutoff=CALENDAR.midnight(day))
        return {table: history.columns(table) for table in history.tables()}

    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    before = columns(NIGHT)
    imported(shop, shop.write("a.csv", HEADER, f"{ANN},,,,delivered,{IN_TIME},2026-06-05T12:00,13"))
    assert columns(NIGHT) == before
    later = columns(date(2026, 6, 20))
    assert {**later, "contacts": ()} == {**before, "contacts": ()}
    assert {"redeemed_at", "status"} <= set(later["contacts"]) - set(before.get("contacts", ()))


def test_masks_see_what_did_not_arrive(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    run = shop.publish(*PLAN)
    imported(
        shop, shop.write("a.csv", HEADER, f"{ANN},,,,not_delivered,,,", f"{EVE},,,,delivered,{IN_TIME},,")
    )
    columns = ["customer_id", "planned_action", "action", "arm", "channel"]
    plan = pd.DataFrame(PLAN, columns=columns).assign(as_of=pd.Timestamp(NIGHT))
    day = date(2026, 6, 20)
    ledger = contact_ledger(
        history_table(shop.history(), "contacts", as_of=day, calendar=CALENDAR),
        [plan],
        as_of=day,
        calendar=CALENDAR,
        catalogue=load_catalogue(run.config.actions.catalogue),
    )
    assert ledger.set_index("customer_id")["delivery"].to_dict() == {
        "=1+2": "assumed", "ann": "not_delivered", "bob": "withheld", "eve": "confirmed"
    }  # fmt: skip


def test_a_log_of_deliveries_alone_leaves_the_cost_open(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    imported(shop, shop.write("a.csv", "contact_id,status", f"{ANN},delivered", f"{EVE},not_delivered"))
    assert seen(shop, date(2026, 6, 20)).loc[[ANN, EVE], "cost"].tolist() == [
        0.0,
        0.0,
    ]  # 0 is how missing is stored
    imported(shop, shop.write("b.csv", "contact_id,status,redeemed_at", f"{ANN},delivered,2026-06-03"))
    assert seen(shop, date(2026, 6, 20)).loc[ANN, "cost"] == 12.5  # the contact and the incentive


def test_a_file_without_a_good_row_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    before = shop.history().digest
    with pytest.raises(DataError, match=r"2 bad rows: unknown_contact 2 \(line 2, 3\)\. No row is good"):
        imported(shop, shop.write("a.csv", HEADER, "M1,,,,delivered,,,", "M2,,,,delivered,,,"))
    assert shop.history().digest == before


@pytest.mark.parametrize("rows", [(f"{ANN},,,,delivered,,,",), (f"{ANN},,,,delivered,,,", "M1,,,,,,,")])
def test_only_the_owner_enters_the_log(tmp_path: Path, rows: tuple[str, ...]) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    imported(shop, shop.write("a.csv", HEADER, *rows))
    assert (tmp_path / "workspace/deliveries").stat().st_mode & 0o777 == 0o700


def test_a_log_without_rows_changes_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    told = imported(shop, shop.write("a.csv", HEADER))
    assert (told["reports"], told["changed"]) == (0, False)


def test_what_files_lack_is_told_together(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    files = [shop.write("a.csv", "contact_id,state", "x,y"), shop.write("b.csv", "status", "delivered")]
    with pytest.raises(
        SchemaError,
        match=r"a\.csv: no column 'status'; found .* Did you mean 'state'(.|\n)*b\.csv: nothing says",
    ):
        imported(shop, *files)
    with pytest.raises(SchemaError, match=r"no column 'status'; found \['contact_id', 'csat'\]\.$"):
        imported(shop, shop.write("c.csv", "contact_id,csat", "x,5"))  # no near miss
    with pytest.raises(SchemaError, match=r"d\.csv: .* separated by semicolons\. Save it with commas"):
        imported(shop, shop.write("d.csv", HEADER.replace(",", ";")))
    with pytest.raises(SchemaError, match=r"e\.csv is empty\. Deliver"):
        imported(shop, shop.write("e.csv"))


def test_contacts_without_a_key_are_refused_before_anything_is_kept(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*PLAN)
    log = shop.write("contacts.csv", "customer_id,sent_at", "ann,2026-05-01")
    run = shop.run()
    source = {"path": str(log), "columns": {"customer_id": "customer_id", "sent_at": "sent_at"}}
    shop.changes["sources"] = {
        **{
            name: [each.model_dump(exclude_defaults=True) for each in found]
            for name, found in run.config.sources.items()
        },
        "contacts": source,
    }
    with pytest.raises(ConfigError, match="Map the contact_id of every source of contacts"):
        imported(shop, shop.write("a.csv", HEADER, f"{ANN},,,,delivered,{IN_TIME},,"))
    assert not (tmp_path / "workspace/deliveries").exists()
