"""Every ```cpp block of every README compiles.   snippets_test.py INCLUDE_DIR COMPILER

A block with an #include is a whole file. Any other is taken as statements after `using namespace tandem`, or else as
declarations, in a folder's page as a part of that folder with all its headers. A block opened with ```cpp fragment is a part of something and is not compiled; README.md has none.
The program of README.md is examples/quickstart.cpp, line by line.
"""
import re
import sys

import compile
import tree

BLOCK = re.compile(r"^```cpp( fragment)?\n(.*?)^```", re.M | re.S)
HEADER = "#include <tandem/tandem.h>\nusing namespace tandem;\n"
UNUSED = ["-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-unused-function"]


def forms(block, folder):
    """The translation units that a block on a page of this folder ("" for the root) may stand for."""
    if "#include" in block:
        return [block]
    if folder not in tree.LIBRARIES:
        return [HEADER + "void snippet();\nvoid snippet() {\n" + block + "}\n", HEADER + block]
    own = [header for header in tree.files(".h", under=[folder, "core/kernels"]) if "reference" not in header.parts]
    includes = "".join(f"#include <tandem/{tree.name(header)}>\n" for header in own if "onednn" not in header.parts)
    space = "tandem::nn" if folder == "nn" else "tandem"
    return [*forms(block, ""), f"{HEADER}{includes}namespace {space} {{\n{block}}}\n"]


def code_of(text):
    """The lines of a program from its first #include on: without the comment at its head."""
    return text[text.index("#include"):].strip() if "#include" in text else ""


problems, checked = [], 0
for page in tree.files(".md"):
    for match in BLOCK.finditer(page.read_text()):
        place = f"{tree.name(page)}:{page.read_text()[:match.start()].count(chr(10)) + 1}"
        if match.group(1):
            if page.parent == tree.ROOT:
                problems.append(f"{place}: a fragment; every snippet of this page is compiled")
            continue
        checked += 1
        errors = [compile.errors_of(text, sys.argv[1], sys.argv[2], UNUSED) for text in forms(match.group(2), tree.name(page).rpartition("/")[0])]
        if all(errors):
            problems.append(f"{place} does not compile:\n{min(errors, key=len)}")

programs = [code_of(m.group(2)) for m in BLOCK.finditer((tree.ROOT / "README.md").read_text()) if code_of(m.group(2))]
if code_of((tree.ROOT / "examples/quickstart.cpp").read_text()) not in programs:
    problems.append("README.md: its program is not that of examples/quickstart.cpp")
tree.finish("snippets", problems, checked)
