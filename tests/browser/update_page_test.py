"""The page of `explain --html` in headless Chromium: the slider walks through the steps, and what is drawn follows.

Usage: update_page_test.py CIFAR_PROGRAM EXPLAIN_PROGRAM. The run is a short one on the data that come with Tandem. 77: there
is no browser to test in.
"""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from browser import Browser, is_there

STEP = 12
problems, checked = [], 0


def check(holds, what):
    global checked
    checked += 1
    if not holds:
        problems.append(f"{what} (line {sys._getframe(1).f_lineno})")


def make_page(cifar, explain, folder):
    """The page, and the explanations of its steps as JSON."""
    subprocess.run([cifar, "--dataset", "solids", "--model", "convnet", "--batch", "16", "--epochs", "1", "--steps", "20", "--seed", "1",
                    "--evaluate-every", "100", "--threads", "1", "--quiet", "--out", folder / "run", "--optimizer",
                    "lookahead(momentum(lr=0.05, momentum=0.9), k=4, alpha=0.5)"], check=True, stdout=subprocess.DEVNULL)
    weight = ["--parameter", "0.weight", "--index", "1,2,0,1", "--index", "3,0,2,2"]
    page = folder / "update.html"
    subprocess.run([explain, folder / "run", "--step", str(STEP), *weight, "--html", page], check=True, stdout=subprocess.DEVNULL)
    steps = {}
    for step in (STEP - 1, STEP):
        answer = subprocess.run([explain, folder / "run", "--step", str(step), *weight, "--json"], check=True, stdout=subprocess.PIPE)
        steps[step] = json.loads(answer.stdout)["weights"]
    return page, steps


def open_drawn(b, page):
    b.open(page)
    for _ in range(100):
        if b.run("return document.querySelectorAll('.update .series').length") == 4:
            return
        time.sleep(0.1)
    problems.append("the page was not drawn")


def slide(b, position):
    b.run("const s = document.querySelector('.update input[type=range]'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", position)


def drawn(b):
    return b.run("""const box = document.querySelector('.update');
      return {step: box.querySelector('output').textContent, formula: box.querySelector('.formula').innerText,
              terms: [...box.querySelectorAll('.term')].map((t) => t.dataset.term),
              widths: [...box.querySelectorAll('.term rect')].map((r) => Number(r.getAttribute('width'))),
              rule: Number(box.querySelector('.sync').getAttribute('x1')),
              series: [...box.querySelectorAll('.series')].map((s) => s.dataset.name)}""")


def terms_of(explanation):
    return [term["symbols"] for line in explanation["lines"] if line["formula"] != "sync" for term in line["terms"]
            if term["symbols"] != line["name"]]


def test_slider(b, steps):
    at = drawn(b)
    check(at["step"] == f"{STEP}, a sync", "the slider begins at the step that was asked for, a sync of k = 4")
    check(at["terms"] == terms_of(steps[STEP][0]), "a bar for each term of the formula")
    check("pull" in at["formula"] and all(line["numbers"] in at["formula"] for line in steps[STEP][0]["lines"]), "the formula with its numbers")
    check(at["series"] == ["fast", "slow"], "fast and slow paths")
    slide(b, 3)  # of 8 to 16
    before = drawn(b)
    check(before["step"] == str(STEP - 1) and before["rule"] < at["rule"], "the slider goes to the step before, the rule in the paths too")
    check(before["terms"] == terms_of(steps[STEP - 1][0]) and len(before["terms"]) < len(at["terms"]), "no pull between syncs")
    check(all(line["numbers"] in before["formula"] for line in steps[STEP - 1][0]["lines"]), "with the numbers of that step")
    check(any(w > 1 for w in before["widths"]), "bars have lengths")
    b.keys(".update input[type=range]", "\ue014")  # arrow right
    check(drawn(b) == at, "arrow keys move the slider")


def test_paths(b, steps):
    points = b.run("return d3.select(document.querySelector('.update .series .line')).datum().map((p) => [p.x, p.y])")
    weight = steps[STEP][0]
    inner = [line["value"] for line in weight["lines"] if line["formula"] == "momentum" and line["name"] == "w"][0]
    check([p for p in points if p[0] == STEP] == [[STEP, inner], [STEP, weight["after"]]], "a tooth: where the inner rule went, where the pull sent it")
    slow = b.run("return d3.select(document.querySelectorAll('.update .series')[1].querySelector('.line')).datum().map((p) => [p.x, p.y])")
    check([p[1] for p in slow if p[0] == STEP] == [weight["state"]["slow"], weight["after"]], "the slow weight rises at the sync alone")
    check(min(p[0] for p in points) == STEP - 5 and max(p[0] for p in points) == STEP + 4, "a cycle before and after")


def test_without_scripts(page):
    with Browser(1000, 800) as b:
        b.devtools("Emulation.setScriptExecutionDisabled", {"value": True})
        b.open(page)
        count = lambda selector: len(b.post("/elements", {"using": "css selector", "value": selector}))
        check(count("table") == 2 and count("pre") == 2 and count("figure.plot") == 0, "with scripts off there are tables and the formula as text")


def main():
    if not is_there():
        print("chromium or chromedriver is not installed: the page was not tested")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        page, steps = make_page(sys.argv[1], sys.argv[2], Path(name))
        with Browser() as b:
            open_drawn(b, page)
            test_slider(b, steps)
            test_paths(b, steps)
            check(b.console_errors() == [], "no errors in the console")
        for width, dark in ((1200, True), (390, False)):
            with Browser(width, 900, dark) as b:
                open_drawn(b, page)
                check(b.run("return document.documentElement.scrollWidth <= window.innerWidth"), f"nothing sticks out at {width} pixels")
                check(b.console_errors() == [], "no errors in the console")
        test_without_scripts(page)
        if len(sys.argv) > 3:  # a folder for pictures
            for width, dark in ((1200, False), (1200, True), (390, False)):
                with Browser(width, 900, dark) as b:
                    open_drawn(b, page)
                    b.screenshot(Path(sys.argv[3]) / f"update-{width}{'-dark' if dark else ''}.png")
    for problem in problems:
        print(problem)
    print(f"update page: {checked} checked, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)


if __name__ == "__main__":
    main()
