"""A run as a picture: reconnects per second with the windows shaded, and below it the connections of each server."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from load.bench.figures import shown
from load.rolling.timeline import Sample, Timeline, Window

_WIDTH: Final = 860
_LEFT: Final = 56
_RIGHT: Final = 120
_PANEL: Final = 150
_TOPS: Final = (70, 280)
_HEIGHT: Final = 480
_TICK_S: Final = 10
_COLOURS: Final = ("#0a7ea4", "#bc4c00", "#1a7f37", "#8250df", "#9a6700")
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}.bar{fill:#0a7ea4}"
    ".window{fill:#8c959f;opacity:.18}.axis{stroke:#8c959f;stroke-width:1}"
    ".mean{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:4 3}.even{stroke:#8c959f;stroke-dasharray:4 3}"
    "polyline{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.bar{fill:#3ba9cc}.mean{stroke:#f0883e}}"
)


class _Panel(NamedTuple):
    """Where a value at a time is drawn."""

    top: int
    seconds: float
    highest: float

    def x(self, at_s: float) -> float:
        return _LEFT + at_s * (_WIDTH - _LEFT - _RIGHT) / self.seconds

    def y(self, value: float) -> float:
        return self.top + _PANEL * (1 - value / self.highest)


def chart(title: str, timeline: Timeline, means: Mapping[str, float], even_share: float) -> str:
    """The picture as SVG; `means` are the reconnects per second of each window."""
    counts, samples = timeline.per_second(), timeline.samples
    most = max((count for sample in samples for count in sample.connections.values()), default=1)
    above = _Panel(_TOPS[0], len(counts), 1.15 * max(1, *counts))
    below = _Panel(_TOPS[1], len(counts), 1.1 * max(most, even_share, 1))
    shapes = [
        f'<text x="0" y="16" class="title">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="{_TOPS[0] - 26}" class="title">reconnects in each second</text>',
        *_windows(above, timeline.windows),
        *_bars(above, counts),
        *_means(above, timeline.windows, means),
        *_axes(above),
        f'<text x="{_LEFT}" y="{_TOPS[1] - 26}" class="title">connections of each server</text>',
        *_windows(below, timeline.windows),
        _line("even", below, 0, below.seconds, even_share),
        *_curves(below, samples),
        *_axes(below),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
    )
    return "\n".join([head, *shapes, "</svg>\n"])


def _windows(panel: _Panel, windows: Sequence[Window]) -> Iterator[str]:
    for window in windows:
        left, right = panel.x(window.begin_s), panel.x(window.end_s)
        yield (
            f'<rect class="window" x="{left:.1f}" y="{panel.top}" width="{right - left:.1f}" height="{_PANEL}"/>'
            f'<text x="{left:.1f}" y="{panel.top - 6}">{escape(window.name)}</text>'
        )


def _bars(panel: _Panel, counts: Sequence[int]) -> Iterator[str]:
    for second, count in enumerate(counts):
        left, width = panel.x(second), panel.x(second + 1) - panel.x(second) - 1
        top = panel.y(count)
        if count:
            yield (
                f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{panel.top + _PANEL - top:.1f}"/>'
            )


def _means(panel: _Panel, windows: Sequence[Window], means: Mapping[str, float]) -> Iterator[str]:
    for window in windows:
        yield _line("mean", panel, window.begin_s, window.end_s, means.get(window.name, 0))


def _curves(panel: _Panel, samples: Sequence[Sample]) -> Iterator[str]:
    servers = sorted({server for sample in samples for server in sample.connections})
    for number, server in enumerate(servers):
        colour = _COLOURS[number % len(_COLOURS)]
        dots = [f"{panel.x(one.at_s):.1f},{panel.y(one.connections.get(server, 0)):.1f}" for one in samples]
        label = panel.top + 16 + 18 * number
        yield f'<polyline stroke="{colour}" points="{" ".join(dots)}"/>'
        yield f'<text x="{_WIDTH - _RIGHT + 10}" y="{label}" style="fill:{colour}">{escape(server)}</text>'


def _axes(panel: _Panel) -> Iterator[str]:
    yield _line("axis", panel, 0, panel.seconds, 0)
    for part in (0.0, 0.5, 1.0):
        value = round(panel.highest * part)
        yield f'<text x="{_LEFT - 8}" y="{panel.y(value) + 4:.1f}" text-anchor="end">{shown(value)}</text>'
    for second in range(0, int(panel.seconds) + 1, _TICK_S):
        yield f'<text x="{panel.x(second):.1f}" y="{panel.top + _PANEL + 18}" text-anchor="middle">{second} s</text>'


def _line(kind: str, panel: _Panel, begin_s: float, end_s: float, value: float) -> str:
    y = f"{panel.y(value):.1f}"
    return f'<line class="{kind}" x1="{panel.x(begin_s):.1f}" x2="{panel.x(end_s):.1f}" y1="{y}" y2="{y}"/>'
