"""Figures of kind "contours" in headless Chromium: bands, paths, marks, what a pointer reads, zoom.

Usage: contours_page_test.py LANDSCAPE_PROGRAM [FOLDER for pictures]. 77: there is no browser to test in.
"""
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from browser import Browser, is_there

problems, checked = [], 0
FIGURE = "figure[data-kind=contours]"


def check(holds, what):
    global checked
    checked += 1
    if not holds:
        problems.append(f"{what} (line {sys._getframe(1).f_lineno})")


def open_drawn(b, page):
    b.open(page)
    for _ in range(100):
        if b.run("return document.querySelectorAll(arguments[0] + ' .walk').length", FIGURE) >= 8:
            return
        time.sleep(0.1)
    problems.append("the page was not drawn")


def spec_of(page):
    text = page.read_text()
    data = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', text, re.S).group(1))
    return data["sections"][0]["figures"][0]


def test_figure(b, spec):
    first = f"{FIGURE}"
    count = lambda selector: b.run("return document.querySelector(arguments[0]).querySelectorAll(arguments[1]).length", first, selector)
    check(count(".contour") == len(spec["levels"]), "a band above each level")
    check(count(".walk") == 4 and count(".landmark") == 2, "four walks, start and minimum")
    check(count(".walk circle") == sum(len(s["x"]) for s in spec["series"]), "a dot a point")
    levels = b.run("return [...document.querySelector(arguments[0]).querySelectorAll('.contour')].map((c) => Number(c.dataset.level))", first)
    check(levels == spec["levels"], "bands rise")
    colours = b.run("return new Set([...document.querySelector(arguments[0]).querySelectorAll('.contour')].map((c) => c.getAttribute('fill'))).size", first)
    check(colours == len(levels), "each band has a colour of its own")
    box = b.run("const r = document.querySelector(arguments[0] + ' .contour').getBoundingClientRect();"
                "const s = document.querySelector(arguments[0] + ' .surface').getBoundingClientRect();"
                "return [s.x, s.y, s.width, s.height]", first)
    x, y = spec["x"]["values"], spec["y"]["values"]
    check(abs(box[2] / box[3] - (x[-1] - x[0]) / (y[-1] - y[0])) < 0.05, "both axes have one unit")


def test_reading(b, spec):
    surface = f"{FIGURE} .surface"
    box = b.pointer(surface, ("move", 1, 1))
    tip = b.run("return document.querySelector(arguments[0] + ' .tooltip').textContent", FIGURE)
    corner = spec["cells"][(len(spec["y"]["values"]) - 1) * len(spec["x"]["values"])]
    check(re.search(r"loss ([\d.,e]+)", tip) and abs(float(re.search(r"loss ([\d.]+)", tip.replace(",", "")).group(1)) - corner) < 0.05 * corner,
          f"the pointer reads the node in the corner ({tip}, {corner})")
    x, y = spec["x"]["values"], spec["y"]["values"]
    start = [spec["series"][0][axis][0] for axis in "xy"]
    b.pointer(surface, ("move", (start[0] - x[0]) / (x[-1] - x[0]) * box[2], (y[-1] - start[1]) / (y[-1] - y[0]) * box[3]))
    tip = b.run("return document.querySelector(arguments[0] + ' .tooltip').textContent", FIGURE)
    check("step 0" in tip, f"the pointer reads a point of a path ({tip})")
    before = b.run("return document.querySelector(arguments[0] + ' .walk circle').getAttribute('cx')", FIGURE)
    b.pointer(surface, ("move", 20, 20), ("down",), ("move", box[2] / 2, box[3] / 2), ("up",))
    check(b.run("return document.querySelector(arguments[0] + ' .walk circle').getAttribute('cx')", FIGURE) != before, "dragging zooms")
    b.keys(f"{FIGURE} svg", "0")
    check(b.run("return document.querySelector(arguments[0] + ' .walk circle').getAttribute('cx')", FIGURE) == before, "0 shows everything")


def test_legend(b):
    b.click(".legend button")
    check(b.run("return document.querySelector(arguments[0]).querySelectorAll('.walk').length", FIGURE) == 3, "the legend hides a walk")
    b.click(".legend button")


def main():
    if not is_there():
        print("chromium or chromedriver is not installed: the page was not tested")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.argv[1], "--surface", "ravine", "--surface", "rosenbrock", "--steps", "40", "--out", Path(name) / "run"], check=True,
                       stdout=subprocess.DEVNULL)
        page = Path(name) / "run/report.html"
        spec = spec_of(page)
        with Browser() as b:
            open_drawn(b, page)
            test_figure(b, spec)
            test_reading(b, spec)
            test_legend(b)
            check(b.console_errors() == [], "no errors in the console")
        for width, dark in ((1200, True), (390, False)):
            with Browser(width, 900, dark) as b:
                open_drawn(b, page)
                check(b.run("return document.documentElement.scrollWidth <= window.innerWidth"), f"nothing sticks out at {width} pixels")
                check(b.console_errors() == [], "no errors in the console")
                if len(sys.argv) > 2:
                    b.screenshot(Path(sys.argv[2]) / f"contours-{width}{'-dark' if dark else ''}.png")
    for problem in problems:
        print(problem)
    print(f"contours page: {checked} checked, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)


if __name__ == "__main__":
    main()
