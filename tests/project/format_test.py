"""Every source is as clang-format leaves it (.clang-format). Skipped, with a note, where clang-format is missing."""
import shutil
import subprocess
import sys

import tree

if shutil.which("clang-format") is None:
    print("clang-format is not installed: formatting was not checked")
    sys.exit(77)
sources = tree.files(".h", ".cpp")
run = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, sources)], capture_output=True, text=True,
                     cwd=tree.ROOT)
problems = [line.replace(f"{tree.ROOT}/", "") for line in run.stderr.splitlines() if "error:" in line]
if run.returncode != 0 and not problems:
    problems = [run.stderr]
tree.finish("formatting", problems, len(sources))
