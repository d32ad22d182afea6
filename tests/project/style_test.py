"""What of the house style a script can see: a comment at the head of each source, length, no leftovers."""
import re

import tree

LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
LONGEST = 300  # lines of a source
LONGEST_README = 150
LONGER = {}  # source: the reason why it is longer


def head(text):
    """Lines of the comment that a source begins with."""
    count = 0
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        count += 1
    return count


def problems_of(name, text):
    found = [f"{name}:{n}: leftover: {line.strip()}" for n, line in enumerate(text.splitlines(), 1)
             if LEFTOVER.search(line) and name != "tests/project/style_test.py"]
    lines = text.count("\n")
    if name.endswith((".h", ".cpp")):
        if not 1 <= head(text) <= 16:
            found.append(f"{name}: begins with {head(text)} lines of comment; 2 to 8 say what it is and what it is not")
        if lines > LONGEST and name not in LONGER:
            found.append(f"{name}: {lines} lines; more than {LONGEST} need a reason")
        if name.endswith(".h") and "#pragma once" not in text:
            found.append(f"{name}: no #pragma once")
    if name == "README.md" and lines >= LONGEST_README:
        found.append(f"{name}: {lines} lines; it stays under {LONGEST_README}")
    return found


assert problems_of("a.cpp", "int x;\n") != [] and problems_of("a.cpp", "// A.\nint x;  // TO" "DO\n") != []
assert problems_of("a.cpp", "// A.\nint x;\n") == []

sources = tree.files(".h", ".cpp", ".py", ".sh", ".md", ".cmake", "CMakeLists.txt")
problems = []
for source in sources:
    problems += problems_of(tree.name(source), source.read_text())
tree.finish("style", problems, len(sources))
