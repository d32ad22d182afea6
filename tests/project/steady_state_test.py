"""After warm-up a training step of resnet20, in f32 or bf16, creates no oneDNN object and asks the system for no memory.

steady_state_test.py PROGRAM. Counted over an epoch with a partial last batch and an evaluation: the create lines of
oneDNN's verbose output, and the calls of mmap, mremap and brk that strace sees. Where strace cannot run (it needs
ptrace) the counts of the allocator and of malloc, which the program prints, decide alone, and a note says so.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tree

BEGIN, END = "== steady begins", "== steady ends"


def between(text):
    """The part between the two markers, and the part before."""
    assert text.count(BEGIN) == 1 and text.count(END) == 1, f"the markers are missing:\n{text[-2000:]}"
    before, rest = text.split(BEGIN)
    return rest.split(END)[0], before


def run(command, **environment):
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if result.returncode != 0:
        sys.exit(f"{command}: exit code {result.returncode}\n{result.stderr[-2000:]}")
    return result.stdout


problems, counted = [], 0


def expect_zero(what, found):
    global counted
    counted += 1
    if found:
        problems.append(f"after warm-up: {len(found)} {what}, e.g. {found[0]}")


def check(precision):
    threads = str(min(2, len(os.sched_getaffinity(0))))
    program = [sys.argv[1], "0", "2", threads, precision]
    steady, warm_up = between(run(program, DNNL_VERBOSE="2"))
    created = re.compile(r"^.*_verbose,.*create.*$", re.M)
    if not created.search(warm_up):
        problems.append("oneDNN's verbose output shows no create line during warm-up: nothing was measured")
    expect_zero(f"oneDNN objects created in {precision}", created.findall(steady))

    plain = run(program)
    for what in ["system allocations", "heap growth"]:
        count = int(re.search(rf"^{what}: (\d+)$", plain, re.M).group(1))
        expect_zero(f"by the count of {what} in {precision}", [count] if count else [])

    strace = ["strace", "-f", "-qq", "-s", "64", "-e", "trace=mmap,mremap,brk,write", "-e", "signal=none"]
    if shutil.which("strace") and subprocess.run([*strace, "true"], capture_output=True).returncode == 0:
        with tempfile.NamedTemporaryFile(mode="r") as log:
            run([*strace, "-o", log.name, *program])
            steady, warm_up = between(log.read())
        asked = re.compile(r"^.*\b(?:mmap|mremap|brk)\(.*$", re.M)
        if not asked.search(warm_up):
            problems.append("strace shows no call during warm-up: nothing was measured")
        expect_zero(f"calls asking the system for memory in {precision}", asked.findall(steady))
    else:
        print("strace cannot run here: memory was counted by the allocator and malloc alone")


check("f32")
check("bf16")
tree.finish("steady state", problems, counted)
