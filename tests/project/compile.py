"""Compiles pieces of C++ for the tests of headers and snippets: syntax and warnings only. Not a test itself."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wold-style-cast", "-Wnon-virtual-dtor", "-Werror"]


def errors_of(text, include, compiler="g++", flags=()):
    """The compiler's complaints about `text`; empty when it compiles."""
    command = [compiler, "-std=c++20", "-fsyntax-only", *WARNINGS, *flags, "-I", include, "-x", "c++", "-"]
    return subprocess.run(command, input=text, text=True, capture_output=True).stderr


def all_errors(texts, include, compiler="g++", flags=()):
    """errors_of each text, on all processors, in order."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(lambda text: errors_of(text, include, compiler, flags), texts))
