"""A test as a picture: panels one below the other, over the same time."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from load.users.course import Mark
from load.users.timeline import BUSY, Sample

_WIDTH: Final = 720
_LEFT: Final = 60
_RIGHT: Final = 150
_TOP: Final = 52
_PANEL: Final = 90
_GAP: Final = 34
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}"
    "polyline{fill:none;stroke-width:1.5}.a{stroke:#0a7ea4}.b{stroke:#8c959f}text.a{fill:#0a7ea4;stroke:none}"
    "text.b{fill:#57606a;stroke:none}.axis{stroke:#d0d7de}.mark{stroke:#8c959f;stroke-dasharray:4 3}"
    "@media(prefers-color-scheme:dark){text,text.b{fill:#9198a1}.a{stroke:#3ba9cc}text.a{fill:#3ba9cc}.axis{stroke:#3d444d}}"
)


class _Curve(NamedTuple):
    label: str
    of: Callable[[Sample], float]


class _Panel(NamedTuple):
    title: str
    curves: tuple[_Curve, ...]
    line: float | None = None
    """A value that is drawn as a line, and always in sight."""


_PANELS: Final = (
    _Panel(
        "per second",
        (_Curve("deliveries", lambda one: one.deliveries), _Curve("changes", lambda one: one.changes)),
    ),
    _Panel(
        "latency in ms, short polls left out",
        (_Curve("99 %", lambda one: one.p99_ms), _Curve("50 %", lambda one: one.p50_ms)),
    ),
    _Panel("watchers", (_Curve("connected", lambda one: one.connected), _Curve("users", lambda one: one.users))),
    _Panel("connections made per second", (_Curve("connects", lambda one: one.connects),)),
    _Panel("busiest generator, % of a core", (_Curve("CPU", lambda one: one.busy * 100),), BUSY * 100),
)


def picture(title: str, samples: Sequence[Sample], marks: Sequence[Mark]) -> str:
    """The picture as SVG: no background and muted colours, so that it stands on light and dark pages."""
    height = _TOP + len(_PANELS) * (_PANEL + _GAP)
    end_s = max((one.at_s for one in samples), default=0.0) or 1.0
    failures = samples[-1].failures if samples else 0
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<text x="0" y="16" class="title">{escape(title)}</text><text x="0" y="34">{failures} failures</text>'
    )
    shapes: list[str] = []
    for number, panel in enumerate(_PANELS):
        shapes += _draw(panel, samples, _TOP + number * (_PANEL + _GAP), end_s)
    return "\n".join([head, *shapes, *_moments(marks, end_s, height), "</svg>\n"])


def ceiling(highest: float) -> float:
    """The end of an axis: the next of 1, 2, 5, 10, 20, … that is not below."""
    if highest <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(highest))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= highest)


def _draw(panel: _Panel, samples: Sequence[Sample], top: int, end_s: float) -> Iterator[str]:
    values = [curve.of(one) for curve in panel.curves for one in samples]
    most, bottom = ceiling(max([*values, panel.line or 0])), top + 18 + _PANEL - 18
    yield f'<text x="{_LEFT}" y="{top + 10}" class="title">{escape(panel.title)}</text>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>'
    yield f'<text x="{_LEFT - 8}" y="{top + 26}" text-anchor="end">{most:g}</text>'
    yield f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end">0</text>'
    if panel.line is not None:
        y = _y(panel.line, most, top)
        yield f'<line class="mark" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    # The first one last: it lies on top.
    for look, curve in reversed(list(zip("ab", panel.curves, strict=False))):
        yield from _curve(curve, look, samples, most, top, end_s)


def _curve(curve: _Curve, look: str, samples: Sequence[Sample], most: float, top: int, end_s: float) -> Iterator[str]:
    points = [f"{_x(one.at_s, end_s):.1f},{_y(curve.of(one), most, top):.1f}" for one in samples]
    yield f'<polyline class="{look}" points="{" ".join(points)}"/>'
    highest = max((curve.of(one) for one in samples), default=0.0)
    y = top + (26 if look == "a" else 44)
    yield f'<text class="{look}" x="{_WIDTH - _RIGHT + 8}" y="{y}">{escape(curve.label)}, ≤ {highest:g}</text>'


def _moments(marks: Sequence[Mark], end_s: float, height: int) -> Iterator[str]:
    """Lines through all panels where something happened, and the time below."""
    for mark in marks:
        if mark.at_s <= end_s:
            x = _x(mark.at_s, end_s)
            yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - 20}"/>'
            yield f'<text x="{x:.1f}" y="{_TOP - 6}" text-anchor="middle">{escape(mark.name)}</text>'
    yield f'<text x="{_LEFT}" y="{height - 6}">0 s</text>'
    yield f'<text x="{_WIDTH - _RIGHT}" y="{height - 6}" text-anchor="end">{end_s:.0f} s</text>'


def _x(at_s: float, end_s: float) -> float:
    return _LEFT + at_s / end_s * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, most: float, top: int) -> float:
    return top + _PANEL - value / most * (_PANEL - 18)
