"""Record values: checked, and exact in both formats."""

import json
import math
from typing import Any

import msgpack
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.value import MAX_DEPTH, MalformedValue, NumberTooLarge, check_json, json_text, msgpack_value

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


def reason_of(value: bytes, value_format: Any = "json") -> str:
    with pytest.raises(MalformedValue) as malformed:
        json_text(value, value_format)
    return malformed.value.reason


@given(VALUES)
def test_json_passes_through_as_it_is(value: Any) -> None:
    text = orjson.dumps(value)
    assert json_text(text, "json") is text
    assert check_json(text) == orjson.loads(text)


def test_raw_line_breaks_become_spaces_and_nothing_else_changes() -> None:
    text = b'{\r\n "a": 1e2,\n"a":  [12345678901234567890123, "\\n"]\r}'
    assert json_text(text, "json") == b'{   "a": 1e2, "a":  [12345678901234567890123, "\\n"] }'
    assert json_text(b"[1,\r2]", "json") == b"[1, 2]"
    assert json_text(b"[1,\n2]", "json") == b"[1, 2]"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"NaN",
        b"[Infinity]",
        b"1 2",
        b"'a'",
        b'"\xff"',
        b'"\n"',
        b"\xef\xbb\xbf1",
        b"{a:1}",
        b"01",
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    assert reason_of(text) == "syntax"


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_data_may_be_nested_as_deep_as_the_limit_and_no_deeper() -> None:
    assert json_text(nested(MAX_DEPTH), "json")
    assert reason_of(nested(MAX_DEPTH + 1)) == "depth"
    assert reason_of(b'{"a":' * 200 + b"1" + b"}" * 200) == "depth"


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_data_nested_as_deep_as_an_attack_is_refused(depth: int) -> None:
    assert reason_of(nested(depth)) in {"depth", "syntax"}


def test_brackets_in_strings_are_no_depth() -> None:
    assert json_text(orjson.dumps(["[" * 500, '"[{' * 100]), "json")


def test_a_lower_limit_of_depth_can_be_asked_for() -> None:
    check_json(b"[[1]]", 2)
    with pytest.raises(MalformedValue):
        check_json(b"[[1]]", 1)


@given(VALUES)
def test_msgpack_becomes_the_json_of_the_same_value(value: Any) -> None:
    assert orjson.loads(json_text(msgpack.packb(value), "msgpack")) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "syntax"),
        (b"\xc1", "syntax"),
        (b"\x01\x01", "syntax"),
        (b"\xdd\xff\xff\xff\xff", "syntax"),
        (msgpack.packb({1: 2}), "syntax"),
        (msgpack.packb(b"bytes"), "syntax"),
        (msgpack.packb(msgpack.ExtType(5, b"x")), "syntax"),
        (b"\xa1\xff", "syntax"),
        (msgpack.packb([math.nan]), "number"),
        (msgpack.packb({"a": math.inf}), "number"),
        (b"\x91" * 200 + b"\x01", "depth"),
    ],
)
def test_msgpack_that_json_cannot_say_is_refused(value: bytes, reason: str) -> None:
    assert reason_of(value, "msgpack") == reason


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_malformed(value: bytes) -> None:
    for value_format in ("json", "msgpack"):
        try:
            text = json_text(value, value_format)
        except MalformedValue:
            continue
        assert b"\n" not in text
        json.loads(text)


@given(VALUES)
def test_what_msgpack_can_hold_it_holds_exactly(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    assert msgpack.unpackb(msgpack.packb(msgpack_value(text))) == value


@pytest.mark.parametrize(
    "number",
    ["18446744073709551616", "-9223372036854775809", "1" * 5000, "0.12345678901234567890", "1234567890123456789e400"],
)
def test_a_number_that_msgpack_cannot_hold_is_named(number: str) -> None:
    with pytest.raises(NumberTooLarge):
        msgpack_value(f'{{"a":[{number}]}}'.encode())


@pytest.mark.parametrize("number", ["18446744073709551615", "-9223372036854775808", "9007199254740993"])
def test_a_large_number_that_fits_is_kept(number: str) -> None:
    assert msgpack_value(number.encode()) == int(number)
