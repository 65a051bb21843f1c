"""Sources refuse what they do not understand, and their predicates mean what they say."""

import duckdb
import pytest
from pydantic import ValidationError

from tables.sources import IngestSettings, Predicate, Source
from tables.sql import Sql, quoted


def kept(values: list[object], **operator: object) -> list[object]:
    predicate = Predicate.model_validate({"name": "claim", "column": "x", **operator})
    claim = predicate.sql()
    with duckdb.connect() as connection:
        connection.execute("create table source (x varchar)")
        connection.executemany("insert into source values (?)", [(value,) for value in values])
        return [
            found
            for (found,) in connection.execute(
                f"select x from source where {claim.text}", claim.values
            ).fetchall()
        ]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ({"not_null": True}, ["C1", "2", "x'y"]),
        ({"is_null": True}, [None]),
        ({"equals": "C1"}, ["C1"]),
        ({"equals": 2}, ["2"]),
        ({"in": ["C1", 2]}, ["C1", "2"]),
        ({"not_in": ["C1"]}, ["2", "x'y", None]),
        ({"starts_with": "C"}, ["C1"]),
        ({"not_starts_with": "C"}, ["2", "x'y", None]),
        ({"matches": "^[0-9]"}, ["2"]),
        ({"not_matches": "'"}, ["C1", "2", None]),
        ({"above": 2}, ["C1", "x'y", None]),
        ({"at_least": 2}, ["C1", "2", "x'y", None]),
        ({"at_most": 1}, ["C1", "x'y", None]),
        ({"equals": "x'y"}, ["x'y"]),
    ],
)
def test_predicate_keeps_the_rows_its_operator_names(operator, expected):
    assert kept(["C1", "2", "x'y", None], **operator) == expected


@pytest.mark.parametrize("operators", [{}, {"above": 1, "below": 2}])
def test_predicate_needs_exactly_one_operator(operators):
    with pytest.raises(ValidationError, match="exactly one operator"):
        Predicate.model_validate({"name": "claim", "column": "x", **operators})


def test_predicate_refuses_a_broken_pattern():
    with pytest.raises(ValidationError, match="not a regular expression"):
        Predicate.model_validate({"name": "claim", "column": "x", "matches": "("})


def test_source_refuses_unknown_keys():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Source.model_validate({"path": "a.csv", "columns": {"customer_id": "c"}, "colums": {}})


def test_source_refuses_two_filters_of_one_name():
    claim = {"name": "same", "column": "x", "not_null": True}
    with pytest.raises(ValidationError, match=r"found twice: \['same'\]"):
        Source.model_validate({"path": "a.csv", "columns": {"customer_id": "c"}, "filters": [claim, claim]})


def test_settings_refuse_a_memory_limit_without_unit():
    with pytest.raises(ValidationError, match="memory_limit"):
        IngestSettings(memory_limit="2")


def test_quoted_name_cannot_leave_its_quotes():
    with duckdb.connect() as connection:
        name = 'a"; drop table t; --'
        assert connection.execute(f"select 1 as {quoted(name)}").description[0][0] == name


def test_values_keep_their_order_when_pieces_join():
    joined = Sql.join(" and ", [Sql("a > ?", (1,)), Sql("b > ?", (2,))], "true")
    assert joined == Sql("a > ? and b > ?", (1, 2))
