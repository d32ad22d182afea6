"""No public header mentions a private dependency, so that users compile without them, whatever stands behind."""
import re

import tree

PRIVATE = re.compile(r"\b(dnnl\w*|cblas\w*|stb\w*|omp|omp_\w+|MPI_\w+|fmt|nlohmann|CLI)\b|[<\"/]onednn/")

assert PRIVATE.search("#include <dnnl.hpp>") and PRIVATE.search("fmt::format") and PRIVATE.search("#include <omp.h>")
assert not PRIVATE.search("over OpenMP and oneDNN, hidden in threads.cpp")

headers = tree.public_headers() + tree.files("tandem.h", under=["cmake"])
problems = []
for header in headers:
    for number, line in enumerate(header.read_text().splitlines(), 1):
        match = PRIVATE.search(line)
        if match:
            problems.append(f"{tree.name(header)}:{number}: mentions {match.group(0)}")
tree.finish("private headers", problems, len(headers))
