"""The source tree as the project tests see it: its files, and how a test ends. Not a test itself."""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ["core", "autograd", "nn", "optim", "data"]
PROGRAM_LIBRARIES = ["examples/report", "examples/train"]  # installed as <tandem/report/...>, <tandem/train/...>


def files(*endings, under=("",)):
    """Files of the tree with these endings, without build folders, runs and hidden folders, in a fixed order."""
    found = []
    for start in under:
        for folder, folders, names in os.walk(ROOT / start):
            at_root = Path(folder) == ROOT
            folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__" and
                                not (at_root and (f.startswith("build") or f == "runs")))
            found += [Path(folder) / name for name in sorted(names) if name.endswith(endings)]
    return found


def public_headers():
    """What is installed: every header of the libraries except core/onednn and private ones."""
    return [f for f in files(".h", under=LIBRARIES + PROGRAM_LIBRARIES)
            if "onednn" not in f.relative_to(ROOT).parts and not is_private(f)]


def is_private(header):
    """Its first comment says so; cmake/TandemInstall.cmake looks for the same words."""
    return "Private to" in header.read_text().split("#pragma once")[0]


def name(path):
    return str(Path(path).relative_to(ROOT))


def finish(what, problems, checked):
    """Prints the problems and ends the test; a check that looked at nothing has failed."""
    for problem in problems:
        print(problem)
    if checked == 0:
        problems = ["nothing was checked"]
        print(problems[0])
    print(f"{what}: {checked} checked, {len(problems)} problems")
    sys.exit(1 if problems else 0)
