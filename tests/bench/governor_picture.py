# SPDX-License-Identifier: Apache-2.0
"""The samples of governor.py as a picture: overhead over time, and below it which probes were in place."""

import math
from html import escape

from watching import GROUPS, percent

WIDTH, LEFT, RIGHT = 980, 128, 16
TOP, PLOT, BAR, GAP = 64, 250, 16, 8
FLOOR = 1e-5  # what is less, nothing above all, is drawn here
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.faint { fill: #59636e } .end { text-anchor: end } .middle { text-anchor: middle }
.paper { fill: #ffffff } .step { fill: #818b98; fill-opacity: .12 } .grid { stroke: #818b98; stroke-opacity: .35 }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round }
.predicted { stroke: #bc4c00 } .measured { stroke: #0969da } .budget { stroke: #cf222e; stroke-dasharray: 6 4 }
.bar { fill: #1a7f37 } .none { fill: #818b98; fill-opacity: .25 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .faint { fill: #9198a1 } .paper { fill: #0d1117 }
.predicted { stroke: #f0883e } .measured { stroke: #58a6ff } .budget { stroke: #ff7b72 } .bar { fill: #3fb950 }
}
"""


class _Picture:
    def __init__(self, samples, top):
        self._samples = samples
        self._end = samples[-1].at
        self._decades = math.log10(top / FLOOR)
        self.parts = []

    def x(self, at):
        return round(LEFT + at / self._end * (WIDTH - LEFT - RIGHT), 1)

    def y(self, ratio):
        return round(TOP + PLOT * (1 - math.log10(max(ratio, FLOOR) / FLOOR) / self._decades), 1)

    def rect(self, kind, x, y, width, height):
        self.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{max(round(width, 1), 0)}" height="{height}"/>')

    def text(self, kind, x, y, words):
        self.parts.append(f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>')

    def line(self, kind, points):
        self.parts.append(f'<polyline class="{kind}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')

    def runs(self, key):
        """(begin, end, key) of samples in a row that have the same; each stands for the time up to it."""
        begin = 0
        for i, sample in enumerate(self._samples):
            if i + 1 == len(self._samples) or key(self._samples[i + 1]) != key(sample):
                yield begin, sample.at, key(sample)
                begin = sample.at

    def course(self, kind, value):
        points = [(self.x(sample.at), self.y(value(sample))) for sample in self._samples if value(sample) is not None]
        self.line(kind, points)


def _amount(load):
    return load if not load.isdigit() or int(load) < 1000 else f"{int(load) // 1000}k"


def draw(samples, loads, budget, about):
    """`about`: one line of text."""
    top = 10 ** math.ceil(math.log10(max([10 * budget, *(sample.look.predicted or 0 for sample in samples)])))
    picture = _Picture(samples, top)
    height = TOP + PLOT + 2 * (BAR + GAP) + 40
    picture.rect("paper", 0, 0, WIDTH, height)
    picture.text("", 12, 20, "What probes would cost and do cost, over the program's CPU time")

    picture.text("end", LEFT - 8, TOP - 12, "operations/s")
    for number, (begin, end, step) in enumerate(picture.runs(lambda sample: sample.step)):
        if number % 2:
            picture.rect("step", picture.x(begin), TOP, picture.x(end) - picture.x(begin), PLOT + 2 * (BAR + GAP))
        picture.text("middle", round((picture.x(begin) + picture.x(end)) / 2, 1), TOP - 12, _amount(loads[step]))

    for decade in range(round(math.log10(FLOOR)), round(math.log10(top)) + 1):
        y = picture.y(10.0**decade)
        picture.parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        picture.text("faint end", LEFT - 8, y + 4, f"{100 * 10.0**decade:,.10g} %")
    picture.line("budget", [(LEFT, picture.y(budget)), (WIDTH - RIGHT, picture.y(budget))])
    picture.course("predicted", lambda sample: sample.look.predicted)
    picture.course("measured", lambda sample: sample.look.measured)

    for number, group in enumerate(GROUPS):
        y = TOP + PLOT + GAP + number * (BAR + GAP)
        picture.text("end", LEFT - 8, y + 12, group)
        for begin, end, attached in picture.runs(lambda sample, group=group: group in sample.look.attached):
            picture.rect("bar" if attached else "none", picture.x(begin), y, picture.x(end) - picture.x(begin), BAR)

    keys = [("predicted", "predicted, all probes"), ("measured", "measured, those in place"), ("budget", f"budget, {percent(budget)}")]
    for number, (kind, words) in enumerate(keys):
        x = 440 + 185 * number
        picture.line(kind, [(x, 16), (x + 20, 16)])
        picture.text("", x + 26, 20, words)
    picture.text("faint", 12, height - 10, about)
    picture.text("faint end", WIDTH - RIGHT, height - 10, f"{samples[-1].at:.0f} s")
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
                      "<!-- SPDX-License-Identifier: Apache-2.0; made by scripts/bench governor -->",
                      f"<title>Probes of a program whose load rises and falls</title><style>{STYLE}</style>", *picture.parts,
                      "</svg>", ""])
