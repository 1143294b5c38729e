# SPDX-License-Identifier: MIT
"""Plots as SVG files, of what the benchmarks need: bars with ratios, lines over a logarithmic axis."""

from html import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
COLORS = ("#b35c1e", "#1f6f8b", "#777777", "#4b8b3b")


class Plot:
    def __init__(self, title, height=HEIGHT):
        self.height = height
        self.parts = [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" '
            'font-size="12">' % (WIDTH, height),
            '<rect width="100%" height="100%" fill="#ffffff"/>',
        ]
        self.text(WIDTH / 2, 22, title, "middle", size=15)

    def text(self, x, y, text, anchor="start", size=12, fill="#222222"):
        self.parts.append(
            '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s">%s</text>'
            % (x, y, anchor, size, fill, escape(text))
        )

    def rect(self, x, y, width, height, fill):
        box = (x, y, max(width, 0.5), height, fill)
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>' % box)

    def line(self, points, stroke, width=1):
        path = " ".join("%.1f,%.1f" % p for p in points)
        shape = '<polyline points="%s" fill="none" stroke="%s" stroke-width="%s"/>'
        self.parts.append(shape % (path, stroke, width))

    def dot(self, x, y, fill):
        self.parts.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x, y, fill))

    def save(self, path):
        path.write_text("\n".join(self.parts + ["</svg>\n"]))


def bars(path, title, rows, goals=None):
    """A bar for each (name, ratio) of `rows`, 1 being the original; goals[name] is a mark."""
    goals = goals or {}
    step, bar, left = 26, 16, 200
    plot = Plot(title, TOP + step * len(rows) + 20)
    top = max([1.0, *(ratio for _, ratio in rows)]) * 1.15
    scale = (WIDTH - left - RIGHT - 40) / top
    one = left + scale
    bottom = TOP + step * len(rows)
    plot.line([(one, TOP - 6), (one, bottom)], "#999999")
    plot.text(one, bottom + 14, "the original", "middle", 11, "#777777")
    for i, (name, ratio) in enumerate(rows):
        y = TOP + i * step
        plot.text(left - 8, y + bar - 3, name, "end")
        plot.rect(left, y, ratio * scale, bar, COLORS[1] if ratio <= 1 else COLORS[0])
        plot.text(left + ratio * scale + 5, y + bar - 3, "%.2f" % ratio)
        if name in goals:
            x = left + goals[name] * scale
            plot.line([(x, y - 2), (x, y + bar + 2)], "#000000", 2)
    plot.save(path)


def nice(value):
    return "%d" % value if value >= 10 or value == int(value) else "%.2g" % value


def lines(path, title, x_label, y_label, series, logarithmic=True):
    """series: {name: [(x, y)...]}. The x axis is logarithmic, the y axis too unless told."""
    import math

    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    low, high = (min(ys) * 0.7, max(ys) * 1.4) if logarithmic else (0, max(ys) * 1.15 or 1)
    plot = Plot(title)
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(x):
        span = math.log(xs[-1] / xs[0]) or 1
        return LEFT + 15 + (inner_w - 30) * math.log(x / xs[0]) / span

    def at_y(y):
        part = math.log(y / low) / math.log(high / low) if logarithmic else (y - low) / (high - low)
        return TOP + inner_h * (1 - part)

    plot.line([(LEFT, TOP), (LEFT, TOP + inner_h), (WIDTH - RIGHT, TOP + inner_h)], "#444444")
    for x in xs:
        plot.line([(at_x(x), TOP + inner_h), (at_x(x), TOP + inner_h + 4)], "#444444")
        plot.text(at_x(x), TOP + inner_h + 17, nice(x), "middle")
    if logarithmic:
        ticks = [10.0**n for n in range(math.floor(math.log10(low)), 1 + math.ceil(math.log10(high)))]
        ticks = [t for t in ticks if low <= t <= high] or [min(ys), max(ys)]
    else:
        ticks = [high / 1.15 * i / 4 for i in range(5)]
    for y in ticks:
        plot.line([(LEFT, at_y(y)), (WIDTH - RIGHT, at_y(y))], "#e4e4e4")
        plot.text(LEFT - 6, at_y(y) + 4, nice(y), "end")
    for i, (name, points) in enumerate(series.items()):
        plot.line([(at_x(x), at_y(y)) for x, y in points], COLORS[i], 2)
        for x, y in points:
            plot.dot(at_x(x), at_y(y), COLORS[i])
        plot.rect(LEFT + 12, TOP + 4 + i * 16, 10, 10, COLORS[i])
        plot.text(LEFT + 27, TOP + 13 + i * 16, name)
    plot.text(LEFT + inner_w / 2, HEIGHT - 12, x_label, "middle")
    plot.text(LEFT, TOP - 8, y_label, "start", 11, "#555555")
    plot.save(path)
