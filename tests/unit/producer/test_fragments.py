"""JSON text is cut into its pieces as it was written."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.producer.fragments import elements, members

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\[]{},: \n'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\,:{'), inner, max_size=4),
    max_leaves=15,
)
INDENTS = st.sampled_from([None, 0, 1])


@given(st.lists(VALUES, max_size=6), INDENTS)
def test_the_elements_of_an_array_are_its_values_in_order(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent).encode()
    assert [json.loads(element) for element in elements(text)] == values


@given(st.dictionaries(st.text('ab"\\,:{é'), VALUES, max_size=6), INDENTS)
def test_the_members_of_an_object_are_its_values_by_name(values: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent).encode()
    assert {name: json.loads(value) for name, value in members(text).items()} == values


@given(st.lists(VALUES, max_size=4))
def test_each_piece_is_cut_from_the_text_as_it_stands(values: list[Any]) -> None:
    pieces = [json.dumps(value).encode() for value in values]
    assert list(elements(b" [ " + b" ,\n ".join(pieces) + b" ] ")) == pieces


@pytest.mark.parametrize(
    "data",
    [b"1e2", b"123456789012345678901234567890", b"0.10", b'"\\u0041"', b'{"a":1,"a":2}', b'{ "b" : [ ] }', b"-0.0"],
)
def test_what_decoding_would_change_stays(data: bytes) -> None:
    assert members(b'{"id":"x", "data": ' + data + b"}") == {"id": b'"x"', "data": data}


def test_a_name_may_be_written_with_escapes() -> None:
    assert members(rb'{"\u0069d": 1, "a\"b": 2}') == {"id": b"1", 'a"b': b"2"}


def test_of_members_of_one_name_the_last_counts_as_in_every_decoder() -> None:
    text = b'{"a":1,"a":2}'
    assert {name: orjson.loads(value) for name, value in members(text).items()} == orjson.loads(text)
