"""What a writer may say about an event."""

import pytest

from services.producer.attributes import MAX_ATTRIBUTES, attributes_of_headers, checked_attributes
from shared.problem import Problem

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("name", "text"),
    [("type", "price.changed"), ("source", "/exchange/1"), ("id", "é 1"), ("specversion", "1.0"), ("tenant1", "x")],
)
def test_an_attribute_of_cloudevents_goes_through(name: str, text: str) -> None:
    assert checked_attributes({name: text}) == {name: text}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("time", "2026-11-23T10:00:00Z"),
        ("subject", "x"),
        ("datacontenttype", "text/plain"),
        ("specversion", "0.3"),
        ("Type", "x"),
        ("a_b", "x"),
        ("", "x"),
        ("a" * 21, "x"),
        ("type", ""),
        ("type", "a\nb"),
        ("type", "\ud800"),
        ("type", "é" * 513),
    ],
)
def test_any_other_attribute_is_refused_and_named(name: str, text: str) -> None:
    with pytest.raises(Problem, match=repr(name)[:30]) as refused:
        checked_attributes({name: text})
    assert refused.value.code == "invalid"


def test_there_are_not_endlessly_many() -> None:
    with pytest.raises(Problem):
        checked_attributes({f"a{number}": "x" for number in range(MAX_ATTRIBUTES + 1)})


def test_a_trace_goes_through() -> None:
    assert checked_attributes({"traceparent": TRACE}) == {"traceparent": TRACE}


@pytest.mark.parametrize(
    "trace",
    ["", "x", TRACE.upper(), TRACE[:-1], "ff" + TRACE[2:], TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32)],
)
def test_a_trace_that_is_none_is_left_out_as_the_standard_asks(trace: str) -> None:
    assert checked_attributes({"traceparent": trace}) == {}


def test_headers_become_attributes() -> None:
    headers = [("ce-type", "a%20b"), ("ce-id", "1"), ("content-type", "application/json"), ("traceparent", TRACE)]
    assert attributes_of_headers(headers) == {"type": "a b", "id": "1", "traceparent": TRACE}


def test_a_header_that_is_given_twice_is_refused() -> None:
    with pytest.raises(Problem):
        attributes_of_headers([("ce-type", "a"), ("ce-type", "b")])
