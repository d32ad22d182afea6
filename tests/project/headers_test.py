"""Every public header compiles alone, without warnings.   headers_test.py INCLUDE_DIR COMPILER

A header that a source file of the build includes before all else is compiled alone there, under the same warnings; the
rest are compiled here.
"""
import re
import sys

import compile
import tree

FIRST = re.compile(r'^#include (?:<tandem/([^>]+)>|"([^"]+)")', re.M)


def include_name(header):
    return tree.name(header).removeprefix("examples/")


def first_included(source):
    """What a source file includes before all else, as <tandem/...> names it; None where that is no header of ours."""
    text = source.read_text(encoding="utf-8")
    first, any_first = FIRST.search(text), re.search(r"^#include", text, re.M)
    if first is None or first.start() != any_first.start():
        return None
    return first.group(1) or include_name(source.parent / first.group(2))


public = tree.public_headers()
sources = tree.files(".cpp", under=tree.LIBRARIES + tree.PROGRAM_LIBRARIES)
elsewhere = {first_included(source) for source in sources}
headers = [header for header in public if include_name(header) not in elsewhere]
texts = [f"#include <tandem/{include_name(header)}>\n" for header in headers]
problems = []
for header, errors in zip(headers, compile.all_errors(texts, sys.argv[1], sys.argv[2])):
    if errors:
        problems.append(f"{tree.name(header)} does not compile alone:\n{errors}")
print(f"{len(public) - len(headers)} public headers come first in a source file, {len(headers)} compiled here")
tree.finish("headers", problems, len(public))
