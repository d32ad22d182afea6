"""Every public header compiles alone, without warnings.   headers_test.py INCLUDE_DIR COMPILER"""
import sys

import compile
import tree

headers = tree.public_headers()
texts = [f"#include <tandem/{tree.name(header).removeprefix('examples/')}>\n" for header in headers]
problems = []
for header, errors in zip(headers, compile.all_errors(texts, sys.argv[1], sys.argv[2])):
    if errors:
        problems.append(f"{tree.name(header)} does not compile alone:\n{errors}")
tree.finish("headers", problems, len(headers))
