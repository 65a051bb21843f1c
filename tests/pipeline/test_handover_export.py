import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import keepwell
from pipeline.handover.exporting import export
from pipeline.handover.hashes import hashed, normalised_email, normalised_phone
from pipeline.handover.private_csv import cell_text, plain_cell
from pipeline.handover.settings import PhonePlan
from tables.errors import ConfigError, DataError
from tests.pipeline.handover_shop import CONSENTS, CUSTOMERS, DAY, NIGHT, NOON, Shop

ROOT = Path(__file__).parents[2]
SENT = (
    ("=1+2", "personal_offer", "personal_offer", "sent", "email"),
    ("ann", "personal_offer", "personal_offer", "sent", "email"),
    ("bob", "personal_offer", "none", "control", "email"),
    ("eve", "personal_offer", "service_call", "explored", "phone"),
)
AUDIENCE = tuple(
    (name, "social_audience", "social_audience", "sent", "audience") for name in ("ann", "bob", "eve")
)


def handed(shop: Shop, *, as_of: date | None = None, today: date = NIGHT) -> Mapping[str, Any]:
    run = shop.run(NOON + (today - NIGHT).days * DAY)
    with run.locked("test") as held:
        return export(held, as_of=as_of, today=today, out=shop.folder / "out")


def listed(shop: Shop, channel: str) -> pd.DataFrame:
    return pd.read_csv(shop.folder / f"out/{channel}.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose plan was handed over; its tests only read."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shop.publish(*SENT)
    assert handed(shop)["contacts"] == {"email": 2, "phone": 1}
    return shop


def test_each_channel_says_what_to_send_in_the_customers_language(exported: Shop) -> None:
    ann = listed(exported, "email").set_index("customer_id").loc["ann"].to_dict()
    assert ann.pop("contact_id").startswith("kw20260602-")
    assert ann == {
        "action": "personal_offer", "language": "lt", "wording": "Pasiūlymas Jums.", "valid_on": "2026-06-02",
        "send_from_hour": "8", "send_until_hour": "21", "offer": "discount", "incentive": "12.0",
        "churn_risk": "0.1235",
    }  # fmt: skip


def test_wording_falls_back_to_english_and_says_so(exported: Shop) -> None:
    eve = listed(exported, "phone").iloc[0]
    assert (eve["language"], eve["wording"], eve["action"], eve["offer"]) == (
        "en",
        "Hello.",
        "service_call",
        "",
    )


def test_whoever_is_withheld_is_in_no_file(exported: Shop) -> None:
    assert not any("bob" in path.read_text() for path in (exported.folder / "out").iterdir())


def test_only_the_owner_may_read_the_files(exported: Shop) -> None:
    out = exported.folder / "out"
    assert {oct(path.stat().st_mode & 0o777) for path in out.iterdir()} == {"0o600"}
    assert oct(out.stat().st_mode & 0o777) == "0o700"


def test_a_second_export_replaces_every_file_of_the_first(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*SENT)
    handed(shop)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    handed(shop)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first
    tomorrow = NIGHT + timedelta(days=1)
    shop.publish(SENT[3], night=tomorrow)
    assert handed(shop, today=tomorrow)["contacts"] == {"phone": 1}
    assert listed(shop, "email").empty


def test_the_index_names_the_digest_of_every_file(exported: Shop) -> None:
    index = json.loads((exported.folder / "out/export.json").read_text())
    assert (index["valid_on"], index["model_version"], index["currency"]) == ("2026-06-02", 3, "EUR")
    for each in index["files"]:
        assert (
            hashlib.sha256((exported.folder / "out" / each["file"]).read_bytes()).hexdigest()
            == each["sha256"]
        )


def test_a_spreadsheet_runs_no_cell_as_a_formula(exported: Shop) -> None:
    assert listed(exported, "email")["customer_id"].tolist() == ["'=1+2", "ann"]


@given(st.text())
def test_a_marked_cell_tells_its_text_again(text: str) -> None:
    assert cell_text(plain_cell(text)) == text
    assert not plain_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_audience_is_hashes_of_normalised_addresses_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*AUDIENCE)
    told = handed(shop)
    ann = [hashlib.sha256(text.encode()).hexdigest() for text in ("ann@shop.lt", "+37061234567")]
    bob = [hashlib.sha256(text.encode()).hexdigest() for text in ("bob@shop.uk", "+447700900123")]
    rows = listed(shop, "audience")
    assert rows.to_numpy().tolist() == sorted([["social_audience", *ann], ["social_audience", *bob]])
    assert (told["contacts"], told["audience_rows"]) == ({"audience": 3}, 2)
    assert "2 rows of hashes for 3 customers" in told["text"]


def test_consent_withdrawn_after_the_night_is_obeyed(tmp_path: Path) -> None:
    withdrawn = CONSENTS.replace(
        "ann,audience,marketing,2025-01-01,", "ann,audience,marketing,2025-01-01,2026-06-02T09:00"
    )
    shop = Shop(tmp_path, consents=withdrawn)
    shop.publish(*AUDIENCE, *SENT[:2])
    told = handed(shop)
    assert (told["contacts"], told["withdrawn"]) == ({"email": 2, "audience": 2}, 1)
    assert "1 contacts left out" in told["text"]


def test_consent_withdrawn_in_the_source_alone_is_obeyed(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*SENT)
    email = "ann,email,marketing,2025-01-01,"
    shop.consents = CONSENTS.replace(email, f"{email}2026-06-02T09:00")
    told = handed(shop)
    assert (told["contacts"], told["withdrawn"]) == ({"email": 1, "phone": 1}, 1)
    assert listed(shop, "email")["customer_id"].tolist() == ["'=1+2"]


def test_nothing_is_handed_over_while_consents_cannot_be_read(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*SENT)
    shop.consents = CONSENTS.replace("2025-01-01", "some day")
    with pytest.raises(DataError, match=r"consents.*bad"):
        handed(shop)
    assert not (tmp_path / "out").exists()


def test_who_objects_to_profiling_is_left_out_everywhere(tmp_path: Path) -> None:
    shop = Shop(
        tmp_path, customers=CUSTOMERS.replace("eve,2025-01-01,LT,zh,,,", "eve,2025-01-01,LT,zh,,,yes")
    )
    shop.publish(*SENT)
    assert handed(shop)["contacts"] == {"email": 2}


def test_without_consents_the_rule_decides(tmp_path: Path) -> None:
    nothing = CONSENTS.splitlines()[0] + "\nann,sms,marketing,2025-01-01,\n"
    shop = Shop(tmp_path, consents=nothing)
    shop.publish(*SENT)
    assert handed(shop)["contacts"] == {"phone": 1}


def test_a_plan_is_refused_once_a_newer_one_stands(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    tomorrow = NIGHT + timedelta(days=1)
    shop.publish(*SENT)
    shop.publish(*SENT, night=tomorrow)
    with pytest.raises(ConfigError, match=r"valid on that day alone; today is 2026-06-05, .* 2026-06-03"):
        handed(shop, as_of=NIGHT, today=date(2026, 6, 5))
    assert "note: the plan is of 2026-06-03" in handed(shop, as_of=tomorrow, today=date(2026, 6, 5))["text"]


def test_yesterdays_plan_is_not_taken_for_tonights(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(*SENT)
    with pytest.raises(DataError, match="no plan was published for 2026-06-03; the newest is of 2026-06-02"):
        handed(shop, today=NIGHT + timedelta(days=1))


def test_an_action_that_left_the_catalogue_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(("ann", "gone", "gone", "sent", "email"))
    with pytest.raises(ConfigError, match="sends gone, which the catalogue no longer holds"):
        handed(shop)


def test_the_commands_answer_machines(exported: Shop) -> None:
    def told(*words: str) -> dict[str, Any]:
        path = str(exported.folder / "shop.yaml")
        result = CliRunner().invoke(keepwell, [*words, "-c", path, "--json"], catch_exceptions=False)
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    out = exported.folder / "again"
    with pytest.raises(DataError, match="no plan was published for"):
        told("export", "--out", str(out))
    assert told("export", "--as-of", "2026-06-02", "--out", str(out))["contacts"] == {"email": 2, "phone": 1}
    pd.read_csv(out / "email.csv").assign(status="delivered").to_csv(out / "log.csv", index=False)
    answer = told("deliveries", str(out / "log.csv"))
    assert (answer["new"], answer["bad"], answer["changed"]) == (2, 0, True)


def test_addresses_are_read_in_one_place_only() -> None:
    callers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tables", "features", "models", "actions", "pipeline")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\.(read_contacts|contact_columns)\(", path.read_text())
    }
    assert callers == {"tables/history.py", "pipeline/handover/lists.py"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+370 612 34567", "+37061234567"),
        ("00370-612-34567", "+37061234567"),
        ("0612 34567", "+37061234567"),
        ("612 34567", "+37061234567"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("12", ""),
        ("call me", ""),
        ("612 34567 ext 3", ""),
        ("+1234567890123456", ""),
        ("", ""),
    ],
)
def test_telephone_numbers_become_international_or_nothing(text: str, expected: str) -> None:
    assert normalised_phone(text, PhonePlan(code="370")) == expected


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    email, phone = normalised_email(text), normalised_phone(text)
    assert (normalised_email(email), normalised_phone(phone)) == (email, phone)
    assert all(part == "" or re.fullmatch("[0-9a-f]{64}", part) for part in (hashed(email), hashed(phone)))
