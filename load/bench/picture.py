"""A result as a picture: bars of ours, of the floor and of the target, one group for each figure that has either."""

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import Final, NamedTuple

from load.bench.figures import Figure, Spread, shown
from load.bench.result import Result

_WIDTH: Final = 720
_LEFT: Final = 90
_RIGHT: Final = 150
_BAR: Final = 16
_GAP: Final = 6
_TITLE: Final = 44
_LINE: Final = 18
_COLUMNS: Final = 105
_FIGURE: Final = 30
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}.ours{fill:#0a7ea4}.floor{fill:#8c959f}"
    ".target{fill:none;stroke:#8c959f;stroke-dasharray:4 3}.spread{stroke:#57606a;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.ours{fill:#3ba9cc}.floor{fill:#6e7681}.spread{stroke:#c9d1d9}}"
)


class _Bar(NamedTuple):
    kind: str
    value: float
    unit: str
    extremes: Spread | None = None


def picture(result: Result) -> str:
    """The picture as SVG: no background and muted colours, so that it stands on light and dark pages."""
    spreads = result.spreads
    title, what = escape(result.scenario.name), wrap(result.scenario.what, _COLUMNS)
    y, shapes = _TITLE + len(what) * _LINE, []
    for figure in result.scenario.figures:
        bars = _bars(figure, spreads[figure.key], spreads.get(figure.floor or "")) if figure.key in spreads else []
        if len(bars) > 1:
            shapes += [f'<text x="{_LEFT}" y="{y}" class="title">{escape(figure.label)}</text>', *_group(bars, y + 8)]
            y += _FIGURE + len(bars) * (_BAR + _GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'aria-label="{title}"><style>{_STYLE}</style><text x="0" y="16" class="title">{title}</text>'
    )
    lines = [f'<text x="0" y="{18 + n * _LINE}">{escape(line)}</text>' for n, line in enumerate(what, 1)]
    return "\n".join([head, *lines, *shapes, "</svg>\n"])


def _bars(figure: Figure, found: Spread, floor: Spread | None) -> list[_Bar]:
    bars = [_Bar("ours", found.median, figure.unit, found)]
    if floor is not None:
        bars.append(_Bar("floor", floor.median, figure.unit))
    if figure.target is not None:
        bars.append(_Bar("target", figure.target.value, figure.unit))
    return bars


def _group(bars: list[_Bar], top: int) -> Iterator[str]:
    longest = max(max(bar.value, bar.extremes.highest if bar.extremes else 0) for bar in bars)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest if longest > 0 else 0
    for number, bar in enumerate(bars):
        yield from _draw(bar, top + number * (_BAR + _GAP), scale)


def _draw(bar: _Bar, y: int, scale: float) -> Iterator[str]:
    width, middle = max(1.0, bar.value * scale), y + _BAR / 2
    end = _LEFT + width
    yield f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{bar.kind}</text>'
    yield f'<rect class="{bar.kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
    if bar.extremes is not None:
        low, end = _LEFT + bar.extremes.lowest * scale, max(end, _LEFT + bar.extremes.highest * scale)
        yield f'<line class="spread" x1="{low:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>'
    yield f'<text x="{end + 8:.1f}" y="{y + 13}">{shown(bar.value)} {escape(bar.unit)}</text>'
