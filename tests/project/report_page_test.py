"""The report as a browser reads it: every element closed, nothing loaded, numbers those of summary.json, ids unique.

Usage: report_page_test.py REPORT_PROGRAM. It writes a small run folder itself.
"""
import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile

import tree

VOID = {"meta", "link", "img", "br"}
REFERENCES = {"src", "href", "xlink:href", "data", "action", "poster", "srcset", "background"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.problems, self.values, self.ids, self.shapes = [], [], set(), [], 0

    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def look(self, tag, attributes):
        known = dict(attributes)
        if tag == "script" or any(name.startswith("on") for name in known):
            self.problems.append(f"a script: <{tag} {known}>")
        for name in REFERENCES & set(known):
            if not (tag == "data" or known[name].startswith(("data:", "#"))):
                self.problems.append(f"an outside reference: <{tag} {name}={known[name]}>")
        if tag == "data":
            self.values.add(float(known["value"]))
        if tag == "img" and "alt" not in known:
            self.problems.append("a picture without a text for it")
        self.ids += [known["id"]] if "id" in known else []
        self.shapes += tag == "path"

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> closes nothing")


def read(text):
    page = Page()
    page.feed(text)
    page.close()
    page.problems += [f"<{tag}> is not closed" for tag in page.open]
    if len(set(page.ids)) != len(page.ids):
        page.problems.append("an id is there twice")
    return page


assert read("<p><b>x</p>").problems != [] and read("<img alt='' src='http://x'>").problems != []
assert read("<p onclick='x'>a</p>").problems != [] and read("<p>a<br>b</p><path d='M0'/>").problems == []

RUNS = [("adam(lr=0.001)", 0, 0.91), ("lookahead(adam(lr=0.001), k=5, alpha=0.5)", 0, 0.925), ("adam(lr=0.001)", 1, 0.9),
        ("lookahead(adam(lr=0.001), k=5, alpha=0.5)", 1, 0.9125)]


def write_folder(folder):
    runs, rows = [], ["run,optimizer,seed,epoch,step,train_loss,test_accuracy"]
    for number, (optimizer, seed, accuracy) in enumerate(RUNS):
        final = {"train_loss": 1.5 - accuracy, "test_accuracy": accuracy}
        runs.append({"run": f"r{number}", "optimizer": optimizer, "seed": seed, "epochs": 2, "steps": 8, "seconds": 3.5,
                     "examples_per_second": 99.5, "final": final, "best": final})
        rows += [f'r{number},"{optimizer}",{seed},{epoch},{4 * epoch},{2.5 - accuracy - epoch},{accuracy * epoch / 2}'
                 for epoch in (1, 2)]
    summary = {"program": "cifar", "dataset": "<odd> & \"set\"", "model": "m", "parameters": 10, "precision": "f32",
               "threads": 1, "runs": runs, "metric": "test_accuracy", "schedule": "constant", "batch": 4,
               "command": "cifar --out '<x>'", "machine": "any, avx2"}
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    return [value for run in runs for value in run["final"].values()]


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    expected = write_folder(folder)
    subprocess.run([sys.argv[1], folder, "--out", folder / "report.html"], check=True, stdout=subprocess.DEVNULL)
    page = read((folder / "report.html").read_text())
problems = page.problems + [f"{value} of summary.json is not in the report" for value in expected
                            if value not in page.values]
if page.shapes < 8:
    problems.append("the curves are missing")
tree.finish("report page", problems, len(page.values))
