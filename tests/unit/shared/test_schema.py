"""JSON Schema on writes."""

from pathlib import Path

import pytest

from shared.schema import Schema

STOCK = {
    "type": "object",
    "required": ["price"],
    "properties": {"price": {"type": "number"}, "at": {"type": "string", "format": "date-time"}},
    "additionalProperties": False,
}


def test_what_fits_has_no_mistakes() -> None:
    assert Schema(STOCK).mistakes({"price": 1.5, "at": "2026-11-23T10:00:00Z"}) == []


def test_every_mistake_says_where_it_is() -> None:
    lines = Schema(STOCK).mistakes({"price": "high", "at": "noon", "color": 1})
    assert len(lines) == 3
    assert any(line.startswith("price: ") for line in lines)
    assert any(line.startswith("at: ") for line in lines)
    assert any(line.startswith("(whole): ") for line in lines)


def test_mistakes_are_bounded_in_number_and_length() -> None:
    lines = Schema({"items": {"type": "string", "const": "x"}}).mistakes(["y" * 10_000] * 500)
    assert len(lines) == 20
    assert max(map(len, lines)) < 400


@pytest.mark.parametrize("content", [b"", b"{", b'{"type": "nonsense"}', b'{"$ref": "#/nowhere"}', b"[]"])
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.json"):
        Schema.from_file(path)
