"""The report page in headless Chromium: what it draws, what hands do to it, what is left without scripts.

Usage: report_page_test.py REPORT_PROGRAM. The run folder is that of fake_runs.py. 77: there is no browser to test in.
"""
import csv
import html.parser
import io
import json
import math
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

import fake_runs
from browser import Browser, is_there

FIGURE = """window.figure = (group, title) => {
  const box = [...document.querySelectorAll('.group')].find((g) => g.querySelector(':scope > h3')?.textContent === group);
  return [...box.querySelectorAll('figure.plot')].find((f) => f.querySelector('h4').textContent === title);
};
window.mark = (group, title) => {
  document.querySelectorAll('#chosen').forEach((e) => e.removeAttribute('id'));
  window.figure(group, title).id = 'chosen';
};
window.lines = () => [...document.querySelectorAll('#chosen .series')].map((s) => s.dataset.name);
window.ticks = (axis) => [...document.querySelectorAll(`#chosen .${axis}.axis .tick text`)].map((t) => t.textContent);
window.button = (text) => [...document.querySelectorAll('#chosen .bar button')].find((b) => b.textContent === text);
"""
problems, checked = [], 0


def check(holds, what):
    global checked
    checked += 1
    if not holds:
        problems.append(f"{what} (line {sys._getframe(1).f_lineno})")


def near(a, b, tolerance=1e-5):
    return a is not None and abs(a - b) <= tolerance * max(1, abs(b))


def rows_of(path):
    return list(csv.DictReader(path.open()))


def wait_for(what, holds):
    """Downloads arrive by themselves; this waits up to twenty seconds for one."""
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.1)
    problems.append(f"{what} did not arrive")
    return False


def open_drawn(b, page):
    """Opens the page and waits until its figures, which are drawn once their width is known, have stopped changing."""
    b.open(page)
    drawn = "return [...document.querySelectorAll('figure.plot')].map((f) => f.querySelectorAll('*').length).join()"
    seen = [b.run(drawn)]

    def is_still():
        time.sleep(0.2)
        seen.append(b.run(drawn))
        return seen[-1] == seen[-2] and any(int(n) > 20 for n in seen[-1].split(",") if n)

    wait_for("a drawn figure", is_still)


def choose(b, group, title):
    b.run("window.mark(arguments[0], arguments[1])", group, title)


def points_of(b, series):
    return b.run("return d3.select([...document.querySelectorAll('#chosen .series')].find((s) => s.dataset.name === arguments[0])"
                 ".querySelector('.line:not(.raw)')).datum()", series)


def test_curves(b, folder):
    choose(b, "Curves", "test_accuracy")
    runs = [rows_of(folder / f"momentum-lr=0.1-seed{seed}/metrics.csv") for seed in (0, 1, 2)]
    points = points_of(b, "momentum lr=0.1")
    check(len(points) == len(runs[0]) == 20, "the curve has as many points as metrics.csv has rows")
    for i, point in enumerate(points):
        values = [float(run[i]["test_accuracy"]) for run in runs]
        check(point["x"] == float(runs[0][i]["step"]) and near(point["y"], sum(values) / 3) and near(point["low"], min(values))
              and near(point["high"], max(values)), f"point {i} is the mean of the seeds, its band their extremes")
    names = b.run("return window.lines()")
    check("lookahead lr=0.5 alpha=0.8" not in names and "lookahead lr=0.5 alpha=0.5, seed 1" in names,
          "diverged runs are lines of their own, and no mean of none is drawn")
    choose(b, "Step record", "loss")
    end = b.run("return [...document.querySelectorAll('#chosen .end title')].map((t) => t.textContent)")
    check(sorted(end) == [f"diverged at step {n}" for n in (17, 18, 19, 70, 80)], "each diverged run ends with a cross")
    check(len(points_of(b, "lookahead lr=0.5 alpha=0.8, seed 0")) == 16, "a diverged run is drawn up to its end")


def test_hover(b):
    choose(b, "Curves", "test_accuracy")
    b.pointer("#chosen .surface", ("move", 200, 60))
    tip = b.run("const t = document.querySelector('#chosen .tooltip'); return t.hidden ? '' : t.innerText")
    rule = b.run("const p = d3.select('#chosen .rule').attr('x1'); return Number(p)")
    check(tip.startswith("step ") and "momentum lr=0.1" in tip and abs(rule - 200) < 15, "hovering tells the values at a step")
    step = int(tip.split()[1])
    value = next(p["y"] for p in points_of(b, "momentum lr=0.1") if p["x"] == step)
    check(f"{value:.4f}" in tip, "the tooltip has the value that is drawn")
    b.pointer("#chosen", ("move", 5, 2))
    check(b.run("return document.querySelector('#chosen .tooltip').hidden"), "the tooltip goes when the pointer leaves")
    b.keys("#chosen svg", "\ue014")  # arrow right
    check(b.run("return !document.querySelector('#chosen .tooltip').hidden"), "arrow keys read values")
    b.keys("#chosen svg", "\ue00c")  # escape


def test_zoom(b):
    choose(b, "Curves", "test_accuracy")
    before = b.run("return window.ticks('x')")
    check(b.run("return window.button('reset').hidden"), "there is nothing to reset at first")
    b.pointer("#chosen .surface", ("move", 100, 80), ("down",), ("move", 150, 82), ("move", 200, 84), ("up",))
    zoomed = [float(t) for t in b.run("return window.ticks('x')")]
    width = b.run("return Number(document.querySelector('#chosen .surface').getAttribute('width'))")
    low, high = 20 + 380 * 100 / width, 20 + 380 * 200 / width
    check(zoomed and low - 5 <= zoomed[0] and zoomed[-1] <= high + 5, "dragging zooms into the stretch")
    b.keys("#chosen svg", "-")
    wider = [float(t) for t in b.run("return window.ticks('x')")]
    check(wider[-1] - wider[0] >= zoomed[-1] - zoomed[0], "minus zooms out")
    b.run("window.button('reset').click()")
    check(b.run("return window.ticks('x')") == before, "reset shows everything again")
    b.pointer("#chosen .surface", ("move", 60, 30), ("down",), ("move", 150, 60), ("move", 250, 110), ("up",))
    check(float(b.run("return window.ticks('y')")[0]) > 0.3, "a rectangle zooms y too")
    b.run("document.querySelector('#chosen .surface').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")
    check(b.run("return window.ticks('x')") == before, "a double click shows everything again")


def test_log_and_units(b):
    choose(b, "Step record", "loss")
    check(b.run("return window.button('log y').getAttribute('aria-pressed')") == "true", "a loss over decades begins logarithmic")
    check("10" in b.run("return window.ticks('y')"), "a logarithmic axis has powers of ten")
    b.run("window.button('log y').click()")
    ticks = [float(t) for t in b.run("return window.ticks('y')")]
    check(len(ticks) > 2 and near(ticks[1] - ticks[0], ticks[2] - ticks[1]), "without log the ticks are evenly spaced")
    b.run("window.button('log y').click(); window.button('log x').click()")
    check(b.run("return window.ticks('x')")[0] in ("1", "2"), "log x")
    b.run("window.button('log x').click()")
    select = "const s = window.figure('Curves', 'test_accuracy').closest('.group').querySelector('select');"
    for unit, end in (("1", 4), ("2", 8)):  # epochs; seconds: 0.02 a step
        b.run(select + "s.value = arguments[0]; s.dispatchEvent(new Event('change'))", unit)
        choose(b, "Curves", "test_accuracy")
        check(near(points_of(b, "momentum lr=0.1")[-1]["x"], end), f"x axis {unit} ends at {end}")
    b.run(select + "s.value = '0'; s.dispatchEvent(new Event('change'))")


def test_smoothing(b):
    choose(b, "Step record", "loss")
    wiggle = lambda points: sum(abs(p["y"] - q["y"]) for p, q in zip(points, points[1:]))
    raw = points_of(b, "momentum lr=0.1")
    b.run("const s = window.figure('Step record', 'loss').closest('.group').querySelector('input');"
          "s.value = 50; s.dispatchEvent(new Event('input'))")
    smooth = points_of(b, "momentum lr=0.1")
    check(wiggle(smooth) < 0.5 * wiggle(raw), "smoothing smooths")
    length, mean, before = 0.1 * 0.5 ** 2 * 400, raw[0]["y"], raw[0]["x"]
    for point in raw[1:10]:
        keep = math.exp(-(point["x"] - before) / length)
        mean, before = keep * mean + (1 - keep) * point["y"], point["x"]
    check(near(smooth[9]["y"], mean), "the average over the past is that of the formula")
    check(b.run("return document.querySelectorAll('#chosen .line.raw').length") > 0, "the raw line stays visible")


def test_legend(b):
    choose(b, "Curves", "test_accuracy")
    everything = b.run("return window.lines()")
    b.click(".legend.sticky button:nth-child(2)")
    check(set(everything) - set(b.run("return window.lines()")) == {"momentum lr=0.1"}, "a click in the legend hides one optimizer")
    check(b.run("return document.querySelector('.legend button:nth-child(2)').getAttribute('aria-pressed')") == "false", "and says so")
    b.run("[...document.querySelectorAll('.legend .all')].find((e) => e.textContent === 'none').click()")
    check(b.run("return window.lines()") == [], "none")
    b.run("[...document.querySelectorAll('.legend .all')].find((e) => e.textContent === 'all').click()")
    check(b.run("return window.lines()") == everything, "all")
    b.run("document.querySelector('.legend button:nth-child(2)').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")
    check(b.run("return window.lines()") == ["momentum lr=0.1"], "a double click shows one alone")
    b.run("[...document.querySelectorAll('.legend .all')].find((e) => e.textContent === 'all').click()")


def test_heat_map(b, folder):
    choose(b, "Sweep", "lookahead(momentum): test_accuracy")
    texts = b.run("return [...document.querySelectorAll('#chosen .place')].map((p) => [...p.querySelectorAll('text')].map((t) => t.textContent))")
    mean = lambda lr, alpha, metric, seeds=(0, 1, 2): sum(json.loads(
        (folder / f"lookahead-lr={lr}-alpha={alpha}-seed{s}/run.json").read_text())["final"][metric] for s in seeds) / len(seeds)
    check(len(texts) == 9 and texts[4] == [f"{mean('0.1', '0.5', 'test_accuracy'):.4f}"], "a cell has the mean over seeds")
    check(texts[7] == [f"{mean('0.5', '0.5', 'test_accuracy', [0]):.4f}", "2/3 diverged"], "a cell says how many diverged")
    check(texts[8] == ["diverged"], "a cell whose runs all diverged says so")
    check(b.run("return document.querySelectorAll('#chosen .place')[8].querySelector('.over').getAttribute('fill')").startswith("url(#hatch"),
          "and is hatched")
    check(b.run("return document.querySelectorAll('#chosen .best').length") == 1, "the best cell is framed")
    b.run("const s = document.querySelector('#chosen').closest('.group').querySelector('select'); s.value = '1'; s.dispatchEvent(new Event('change'))")
    choose(b, "Sweep", "lookahead(momentum): train_loss")
    check(b.run("return document.querySelectorAll('#chosen .place text')[0].textContent") == f"{mean('0.02', '0.2', 'train_loss'):.4f}",
          "another metric can be chosen")
    b.pointer("#chosen .place", ("move", 20, 20))
    check("lr=0.02, alpha=0.2" in b.run("return document.querySelector('#chosen .tooltip').innerText"), "hovering a cell tells what it is")


def test_other_figures(b):
    b.run("window.mark('Cycles', '|fast − slow|')")
    check(b.run("return document.querySelectorAll('#chosen .sync').length") == 9, "eight cycles between nine syncs")
    y = [p["y"] for p in points_of(b, "|fast − slow|")]
    check(y.count(0) == 9 and max(y) > 0, "the distance falls to 0 at each sync")
    choose(b, "Fast and slow weights", "test_accuracy")
    check(len(points_of(b, "fast weights")) == 60 and len(points_of(b, "slow weights")) == 12, "fast at every step, slow after pulls")
    group = "[...document.querySelectorAll('.group')].find((g) => g.querySelector(':scope > h3')?.textContent === 'Differences')"
    check(b.run(f"return {group}.querySelectorAll('.row circle').length") == 10, "a dot for each difference that is known")
    check(b.run(f"return {group}.querySelectorAll('.row .interval').length") == 9, "an interval where there are several seeds")
    check(b.run(f"return {group}.querySelector('svg').getAttribute('aria-label').includes('nothing: diverged')"), "and a word where it is not")


def spots(b):
    """The cells of the chosen density, as drawn: (value, row, column, colour)."""
    return [tuple(s) for s in b.run("return d3.selectAll('#chosen .spot').nodes().map((n) => { const d = d3.select(n).datum(); "
                                    "return [d.value, d.row, d.column, n.getAttribute('fill')]; })")]


def select_in(b, group, value):
    b.run("const g = [...document.querySelectorAll('.group')].find((g) => g.querySelector(':scope > h3')?.textContent === arguments[0]);"
          "const s = g.querySelector('select'); s.value = [...s.options].findIndex((o) => o.textContent === arguments[1]);"
          "s.dispatchEvent(new Event('change'))", group, value)


def test_cockpit(b, folder):
    lines = [json.loads(l) for l in (folder / "momentum-lr=0.1-seed0/instruments.jsonl").read_text().splitlines()]
    bins, rows = lines[0]["bins"], lines[1:]
    choose(b, "Instruments", "alpha")
    points = points_of(b, "momentum lr=0.1")
    check(len(points) == len(rows) and all(p["x"] == r["step"] and near(p["y"], r["whole"]["alpha"]) for p, r in zip(points, rows)),
          "a curve of an instrument has its measurements")
    check("−1 no step" in b.run("return document.querySelector('#chosen .caption').textContent"), "and says what it shows")
    check(b.run("return document.querySelectorAll('section').length") == 2, "the cockpit is a section of its own")

    choose(b, "Gradient elements", "momentum lr=0.1, seed 0")
    cells = spots(b)
    total = [sum(n for _, n in r["gradients"]) for r in rows]
    labels = b.run("return d3.select(d3.select('#chosen').select('.spot').node().parentNode).selectAll('.name').data().map((d) => [d.text, d.i])")
    top = next(bins.index(text) + i for text, i in labels if text in bins and text not in [str(r["step"]) for r in rows])
    check(len(cells) == sum(len(r["gradients"]) for r in rows), "a spot for every bin that holds something")
    check(all(near(value, dict(rows[column]["gradients"])[top - row] / total[column], 1e-3) for value, row, column, _ in cells),
          "its value is the bin's share of the elements")
    brightest, darkest = max(cells), min(cells)
    check(brightest[3] == "#fde725" and darkest[3] == "#440154", "the fullest bin is the brightest, the emptiest the darkest")
    check(b.run("return [...document.querySelectorAll('#chosen')][0].parentNode.querySelectorAll('figure.plot').length") == 6,
          "runs stand side by side, six at most")
    b.pointer("#chosen .surface", ("move", 3, 3))
    tip = b.run("const t = document.querySelector('#chosen .tooltip'); return t.hidden ? '' : t.innerText")
    check("element of the gradient" in tip and "step " in tip, "hovering a spot tells what it is")
    select_in(b, "Gradient elements", "fc.bias")
    choose(b, "Gradient elements", "momentum lr=0.1, seed 0")
    check(len(spots(b)) == sum(len(r["gradients_by_parameter"][3]) for r in rows), "histograms of one parameter can be chosen")

    select_in(b, "By parameter", "noise_scale")
    choose(b, "By parameter", "momentum lr=0.1, seed 0")
    cells = spots(b)
    check(len(cells) == 4 * len(rows) and all(near(value, rows[column]["by_parameter"]["noise_scale"][row]) for value, row, column, _ in cells),
          "every parameter's instrument at every step")
    names = b.run("return [...document.querySelectorAll('#chosen .name')].map((t) => t.textContent)")
    check(all(name in names for name in lines[0]["parameters"]), "every parameter is named")
    select_in(b, "Gradients against weights", str(rows[-1]["step"]))
    choose(b, "Gradients against weights", "momentum lr=0.1, seed 0")
    check(len(spots(b)) == len(rows[-1]["gradients_weights"]), "gradients against weights at the last measurement")
    b.run("window.button('CSV').click()")
    saved = b.downloads / "momentum-lr=0.1-seed-0.csv"
    if wait_for("the CSV of a density", lambda: saved.exists() and saved.read_text().endswith("\n")):
        check(len(list(csv.DictReader(io.StringIO(saved.read_text())))) == len(rows[-1]["gradients_weights"]), "the CSV has a row a spot")


def test_saving(b):
    choose(b, "Curves", "test_accuracy")
    b.run("window.button('SVG').click()")
    svg, table = b.downloads / "test_accuracy.svg", b.downloads / "test_accuracy.csv"
    if wait_for("the SVG", lambda: svg.exists() and svg.read_text().rstrip().endswith("</svg>")):
        root = xml.etree.ElementTree.fromstring(svg.read_text())
        lines = [e for e in root.iter() if e.tag.endswith("path") and e.get("class") == "line"]
        texts = [e.text for e in root.iter() if e.tag.endswith("text")]
        check("test_accuracy" in texts and "momentum lr=0.1" in texts, "the SVG has its heading and a legend")
        check(len(lines) == 11 and all(line.get("stroke").startswith("rgb") for line in lines), "the SVG has the lines with their colours")
    b.run("window.button('CSV').click()")
    if wait_for("the CSV", lambda: table.exists() and table.read_text().endswith("\n")):
        rows = list(csv.DictReader(io.StringIO(table.read_text())))
        points = points_of(b, "momentum lr=0.1")
        saved = [r for r in rows if r["series"] == "momentum lr=0.1"]
        check(len(saved) == 20 and near(float(saved[5]["test_accuracy"]), points[5]["y"]), "the CSV has the data of the curves")


def test_looks(page):
    for width, dark in ((400, False), (1200, True)):
        with Browser(width, 900, dark) as b:
            open_drawn(b, page)
            check(b.run("return document.querySelectorAll('figure.plot svg .line').length") > 20, f"figures are drawn, {width} wide")
            check(b.run("return document.documentElement.scrollWidth") <= width, f"the page is not wider than {width}")
            check(b.run("return [...document.querySelectorAll('figure.plot svg')].every((s) => s.getBoundingClientRect().right <= innerWidth)"), f"nor is a figure, {width} wide")
            colour = "return getComputedStyle(document.body).backgroundColor"
            before = b.run(colour)
            check((sum(map(int, before[4:-1].split(","))) < 200) == dark, f"the page is {'dark' if dark else 'light'} where the system is")
            b.click("#theme")
            if not dark:
                b.click("#theme")
            check(b.run(colour) != before, "the theme can be chosen")
            check(b.console_errors() == [], "no errors in the console")


GENERIC = {"title": "quadratic", "sections": [{"title": "q", "figures": [
    {"kind": "lines", "title": "Variance", "x": {"label": "alpha"}, "y": {"label": "variance", "log": True}, "series": [
        {"name": "formula", "x": [0.1, 0.5, 1], "y": [0.001, 0.03, 0.3]},
        {"name": "measured", "style": "points bars", "x": [0.1, 0.5, 1], "y": [0.0011, "inf", None], "low": [0.0009, None, None],
         "high": [0.0013, None, None], "diverged": [0.5]}]},
    {"kind": "heatmap", "title": "rate", "x": {"name": "momentum", "values": ["0", "0.9"]}, "y": {"name": "kappa", "values": ["10", "100"]},
     "measure": "rate", "larger_is_better": False, "cells": [{"value": 0.9}, {"value": 0.8}, None, {"value": "inf", "diverged": 1, "runs": 1}]},
    {"kind": "heatmap", "title": "part of a grid", "x": {"name": "lr", "values": ["1", "2"]}, "y": {"name": "k", "values": ["5"]},
     "measure": "rate", "larger_is_better": True, "extent": [0.5, 0.9], "cells": [{"value": 0.5}, {"value": 0.75}]},
    {"kind": "points", "title": "effects", "x": {"label": "effect"}, "rows": [{"name": "a", "value": 1, "low": 0.5, "high": 1.5}]},
    {"kind": "spiral"}]}, {"title": "nothing drawn"}]}


def test_other_programs(page):
    """The page with data as other programs give them."""
    text = page.read_text()
    begin = text.index('id="data">') + len('id="data">')
    other = page.parent / "other.html"
    other.write_text(text[:begin] + json.dumps(GENERIC) + text[text.index("</script>", begin):])
    with Browser() as b:
        open_drawn(b, other)
        b.run("window.figures = (title) => [...document.querySelectorAll('figure.plot')].find((f) => f.querySelector('h4').textContent === title);")
        names = "return [...window.figures('Variance').querySelectorAll('.series')].map((s) => s.dataset.name)"
        check(b.run(names) == ["formula", "measured"], "lines without groups")
        check(b.run("return window.figures('Variance').querySelectorAll('circle').length") == 1, "what is infinite or missing has no dot")
        check(b.run("return window.figures('Variance').querySelectorAll('.end').length") == 1, "what diverged has a cross")
        b.click(".legend button")
        check(b.run(names) == ["measured"], "such a figure has a legend of its own")
        cells = b.run("return [...window.figures('rate').querySelectorAll('.place')].map((p) => p.textContent)")
        check(cells == ["0.9000", "0.8000", "", "diverged"], "a heat map with an empty and a diverged cell")
        check(b.run("return window.figures('rate').querySelectorAll('.place')[1].querySelector('.best') !== null"), "smaller may be better")
        check(b.run("return window.figures('part of a grid').querySelector('.best') === null") and
              b.run("return window.figures('part of a grid').querySelector('.colour-bar').textContent").startswith("0.50000.9000"),
              "heat maps that are one grid share its colours and its best cell")
        check(b.run("return window.figures('effects').querySelectorAll('.interval').length") == 1, "points with intervals")
        check(b.run("return document.querySelector('.figures').innerText.includes('kind \"spiral\", which this page does not know')"),
              "a kind that is not known is said")
        check(b.console_errors() == [], "no errors in the console")


class Reader(html.parser.HTMLParser):
    """The page as HTML: what is open, what it refers to, the numbers and texts outside scripts."""

    def __init__(self):
        super().__init__()
        self.open, self.bad, self.values, self.ids, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.bad += [f"<{tag} {n}={v[:60]}>" for n, v in attributes if n.startswith("on") or
                     (n in ("src", "href", "action", "srcset") and not v.startswith(("data:", "#")))]
        self.values += [float(known["value"])] if tag == "data" else []
        self.ids += [known["id"]] if "id" in known else []
        if tag == "img" and not known.get("alt"):
            self.bad.append("a picture without a text")
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")

    def handle_data(self, text):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += text


def test_without_scripts(page, folder):
    reader = Reader()
    reader.feed(page.read_text())
    reader.close()
    check(reader.bad == [] and reader.open == [], f"whole HTML without outside references: {reader.bad + reader.open}")
    check(len(set(reader.ids)) == len(reader.ids), "no id is there twice")
    for part in ("Results", "paired by seed", "At equal steps", "cosine(warmup=0.1)", "The figures need scripts", "oneDNN 2.6.3",
                 "diverged at step 17 to 19 (3 of 3 seeds)", "cifar --model resnet20 --epochs 4 --out 'runs/a & b</script>'", "Instruments at the last measurement", "Instruments by step",
                 "Parameters at the last measurement", "momentum lr=0.1, seed 0", "fc.bias"):
        check(part in reader.text, f"without scripts the page says {part}")
    finals = [json.loads((folder / f"momentum-lr=0.1-seed{s}/run.json").read_text())["final"]["test_accuracy"] for s in (0, 1, 2)]
    check(any(near(value, sum(finals) / 3, 1e-12) for value in reader.values), "numbers of tables are exact")
    with Browser(1000, 800) as b:
        b.devtools("Emulation.setScriptExecutionDisabled", {"value": True})
        b.open(page)
        count = b.post("/elements", {"using": "css selector", "value": "table"})
        notice = b.post("/elements", {"using": "css selector", "value": "noscript .notice"})
        plots = b.post("/elements", {"using": "css selector", "value": "figure.plot"})
        check(len(count) == 7 and len(notice) == 1 and len(plots) == 0, f"with scripts off there are tables, a notice, no figures ({len(count)}, {len(notice)}, {len(plots)})")


def main():
    if not is_there():
        print("chromium or chromedriver is not installed: the page was not tested")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = fake_runs.write_folder(Path(name) / "runs")
        page = folder / "report.html"
        subprocess.run([sys.argv[1], folder], check=True, stderr=subprocess.DEVNULL)
        with Browser() as b:
            open_drawn(b, page)
            b.run(FIGURE)
            check(b.run("return document.querySelectorAll('.figures svg').length") > 12, "figures are drawn")
            test_curves(b, folder)
            test_hover(b)
            test_zoom(b)
            test_log_and_units(b)
            test_smoothing(b)
            test_legend(b)
            test_heat_map(b, folder)
            test_other_figures(b)
            test_saving(b)
            test_cockpit(b, folder)
            check(b.console_errors() == [], "no errors in the console")
        test_other_programs(page)
        test_looks(page)
        test_without_scripts(page, folder)
    for problem in problems:
        print(problem)
    print(f"report page: {checked} checked, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)


if __name__ == "__main__":
    main()
