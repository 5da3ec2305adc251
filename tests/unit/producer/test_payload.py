"""Values of records, from what writers hand over."""

import json
import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack
import pytest

from services.producer.payload import payload_of
from shared.catalog import Catalog, Collection, CollectionSettings
from shared.problem import Problem


def collection(**settings: Any) -> Collection:
    return Catalog({"c": CollectionSettings(**settings)}).get("c")


@dataclass
class Price:
    symbol: str
    price: float | None


def refusal_of(data: Any, **settings: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        payload_of(collection(**settings), data)
    return refused.value


@pytest.mark.parametrize("text", [b' {"a" : 1e2} ', b"123456789012345678901234567890", b'{"a":1,"a":2}', b"[\n1\n]"])
def test_bytes_are_json_text_and_written_as_they_are(text: bytes) -> None:
    assert payload_of(collection(), text) == text
    assert payload_of(collection(), bytearray(text)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": [1, None, True]}, b'{"a":[1,null,true]}'),
        ("text", b'"text"'),
        (None, b"null"),
        (Price("A", None), b'{"symbol":"A","price":null}'),
        (datetime(2026, 11, 23, tzinfo=UTC), b'"2026-11-23T00:00:00+00:00"'),
        (uuid.UUID(int=0), b'"00000000-0000-0000-0000-000000000000"'),
    ],
)
def test_anything_else_is_encoded(data: Any, text: bytes) -> None:
    assert payload_of(collection(), data) == text


@pytest.mark.parametrize(
    "data",
    [
        math.nan,
        [None, math.inf],
        {"a": {"b": (-math.inf,)}},
        Price("A", math.nan),
        {1: 2},
        object(),
        1 << 70,
        "\ud800",
        {b"a": 1},
    ],
)
def test_what_json_cannot_hold_exactly_is_refused(data: Any) -> None:
    problem = refusal_of(data)
    assert (problem.code, problem.status) == ("invalid", 422)


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"\xff", b"1 2"])
def test_bytes_that_are_no_json_are_not_understood(text: bytes) -> None:
    assert refusal_of(text).status == 400


def test_depth_is_limited_for_text_and_for_values() -> None:
    deep: Any = 1
    for _ in range(129):
        deep = [deep]
    for data in (deep, json.dumps(deep).encode()):
        problem = refusal_of(data)
        assert (problem.status, "128" in problem.detail) == (422, True)
    assert payload_of(collection(), deep[0])


def test_a_size_is_limited_in_the_form_that_is_written() -> None:
    assert payload_of(collection(max_value_bytes=10), "x" * 8)
    assert refusal_of("x" * 9, max_value_bytes=10).status == 413


def test_the_schema_is_enforced_and_every_mistake_told(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(
        '{"type":"object","required":["price"],"properties":{"price":{"type":"number"},"n":{"type":"number"}}}'
    )
    assert payload_of(collection(schema=path), b'{"price": 1}') == b'{"price": 1}'
    problem = refusal_of({"price": "high", "n": "x"}, schema=path)
    assert problem.status == 422
    assert len(problem.members["errors"]) == 2


def test_a_msgpack_collection_gets_msgpack_of_the_same_value() -> None:
    data = {"a": [1, 2.5, None, "é", -5, 18446744073709551615]}
    for given in (data, json.dumps(data).encode()):
        assert msgpack.unpackb(payload_of(collection(value="msgpack"), given)) == data


@pytest.mark.parametrize("number", [b"18446744073709551616", b"0.123456789012345678901234567890"])
def test_a_number_that_msgpack_cannot_hold_is_refused(number: bytes) -> None:
    problem = refusal_of(b"[" + number + b"]", value="msgpack")
    assert (problem.status, number.decode()[:20] in problem.detail) == (422, True)
