"""Dependencies run one way: std <- core <- autograd <- nn, autograd <- optim, core <- data; core <- examples/report;
examples/train sees all of these, programs and tests see all.

The check reads includes, in angle brackets and in quotes, of every source of the libraries.
"""
import re

import tree

MAY_USE = {
    "core": {"core"},
    "autograd": {"core", "autograd"},
    "nn": {"core", "autograd", "nn"},
    "optim": {"core", "autograd", "optim"},
    "data": {"core", "data"},
    "report": {"core", "report"},
    "train": {"core", "autograd", "nn", "optim", "data", "report", "train"},
}
FOLDERS = set(MAY_USE) | {"examples", "tests"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def problems_of(name, folder, text):
    """One line for each include that points against the arrows."""
    found = []
    for included in INCLUDE.findall(text):
        parts = included.split("/")
        if parts[0] == "tandem":
            parts = parts[1:]
        if parts == ["tandem.h"]:
            found.append(f"{name}: includes {included}, the umbrella header for users")
        elif len(parts) > 1 and parts[0] in FOLDERS and parts[0] not in MAY_USE[folder]:
            found.append(f"{name}: {folder} may not use {parts[0]}: includes {included}")
        elif "onednn" in parts[:-1] and folder != "core":
            found.append(f"{name}: core/onednn is private to core: includes {included}")
    return found


assert problems_of("x", "core", "#include <tandem/autograd/tensor.h>\n") != []
assert problems_of("x", "optim", '#include "nn/module.h"\n') != []
assert problems_of("x", "data", "#include <tandem/core/array.h>\n#include <vector>\n") == []

sources = tree.files(".h", ".cpp", under=tree.LIBRARIES + tree.PROGRAM_LIBRARIES)
problems = []
for source in sources:
    parts = source.relative_to(tree.ROOT).parts
    folder = parts[1] if parts[0] == "examples" else parts[0]
    problems += problems_of(tree.name(source), folder, source.read_text())
tree.finish("layering", problems, len(sources))
