"""A chart as inline SVG: drawn by Altair and vl-convert, without ids, fonts, scripts or anything from elsewhere.

Only geometry is binary floating point here; every number that is printed comes as finished text.
"""

import re
from typing import Any, Literal

import altair as alt
import vl_convert

from o2c.report.palette import GRID, INK, SOFT

WIDTH, HEIGHT = 500, 220
_FONT = "sans-serif"
_LABEL = {"labelFont": _FONT, "titleFont": _FONT, "labelFontSize": 11, "titleFontSize": 11}
_AXIS = {
    **_LABEL,
    "labelColor": SOFT,
    "titleColor": SOFT,
    "titleFontWeight": "normal",
    "gridColor": GRID,
    "domainColor": GRID,
    "tickColor": GRID,
}
_CONFIG: dict[str, Any] = {
    "background": None,
    "aria": False,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisX": {"grid": False, "labelAngle": 0, "labelPadding": 4},
    "axisY": {"domain": False, "ticks": False, "tickCount": 5},
    "legend": {
        **_LABEL,
        "labelColor": INK,
        "orient": "top",
        "title": None,
        "symbolType": "square",
        "offset": 6,
    },
}
# What Vega says for screen readers and pointers, mark by mark; the page says it once for the whole drawing.
_CLUTTER = re.compile(
    r' (?:class|role|aria-[a-z]+|xmlns|xmlns:xlink|version|pointer-events|stroke-miterlimit|font-weight="normal"'
    r'|opacity="1"|stroke-width="1")(?:="[^"]*")?(?=[ />])'
)
_NO_CLUTTER = (
    re.compile(r'<path (?:d="[^"]*" )?display="none"\s*/>'),
    re.compile(r'<path d=""[^>]*/>'),
    re.compile(r'<path d="M0,0h0v0h0Z"\s*/>'),
    re.compile(r"<g>\s*</g>"),
    re.compile(r'<g transform="translate\([^)]*\)">\s*</g>'),
)
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>')


def draw(chart: alt.LayerChart | alt.Chart, *, height: int = HEIGHT) -> str:
    """The chart as an ``<svg>`` element that is as wide as what holds it. Same chart, same bytes."""
    spec = chart.properties(
        width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    ).to_dict(validate=False)
    spec["config"] = _CONFIG
    spec["padding"] = 2
    return _plain(vl_convert.vegalite_to_svg(spec, vl_version="6.4"))


def marks(values: list[dict[str, Any]], kind: Literal["bar", "line", "rule"], **looks: Any) -> alt.Chart:
    """Marks of one kind over rows that stand inside the chart: named data would bring a hash of it with it."""
    return alt.Chart(alt.Data(values=values), mark=alt.MarkDef(type=kind, **looks))


def _plain(svg: str) -> str:
    """The drawing without what is said for every mark alone, and with two decimals of a pixel."""
    size = _SIZE.search(svg)
    if size is None:
        raise ValueError(f"no drawing came back, but {svg[:80]!r}")
    svg = svg.replace(
        size[0], f'<svg viewBox="0 0 {size[1]} {size[2]}" aria-hidden="true" focusable="false">', 1
    )
    head, body = svg.split(">", 1)
    body = _CLUTTER.sub("", body)
    for empty in (*_NO_CLUTTER, *_NO_CLUTTER[-2:], *_NO_CLUTTER[-2:]):
        body = empty.sub("", body)
    return f"{head}>{_NUMBER.sub(lambda found: f'{float(found[0]):.2f}', body)}"
