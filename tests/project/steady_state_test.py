"""After warm-up a training step of resnet20, in f32 or bf16, creates no oneDNN object and asks the system for no memory.

steady_state_test.py PROGRAM. Counted over epochs with a partial last batch and an evaluation. Of oneDNN's objects (the
create lines of its verbose output) there is none after the warm-up. Memory has EPOCHS epochs to settle: how many batches
are under way differs with the threads, and other libraries have workspaces in malloc's heap. Then one epoch passes
without a call of the allocator, without growth of the heap, and without mmap, mremap and brk, which strace sees; what
grows in every epoch is a leak. Where strace cannot run (it needs ptrace) the counts that the program prints decide alone,
and a note says so.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tree

BEGIN, END = "== epoch begins", "== epoch ends"
EPOCHS = "12"


def epochs(text):
    """The part before the first marker, and the parts between each begin and its end."""
    parts = text.split(BEGIN)
    assert len(parts) > 1 and all(part.count(END) == 1 for part in parts[1:]), f"no markers:\n{text[-2000:]}"
    return parts[0], [part.split(END)[0] for part in parts[1:]]


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
    program = [sys.argv[1], "0", "2", threads, precision, EPOCHS]
    warm_up, steady = epochs(run(program, DNNL_VERBOSE="2"))
    created = re.compile(r"^.*_verbose,.*create.*$", re.M)
    if not created.search(warm_up):
        problems.append("oneDNN's verbose output shows no create line during warm-up: nothing was measured")
    expect_zero(f"oneDNN objects created in {precision}", created.findall("".join(steady)))

    plain = run(program)
    for what in ["system allocations", "heap growth"]:
        count = int(re.search(rf"^{what}: (\d+)$", plain, re.M).group(1))
        expect_zero(f"by the count of {what} in {precision}", [count] if count else [])

    strace = ["strace", "-f", "-qq", "-s", "64", "-e", "trace=mmap,mremap,brk,write", "-e", "signal=none"]
    if shutil.which("strace") and subprocess.run([*strace, "true"], capture_output=True).returncode == 0:
        with tempfile.NamedTemporaryFile(mode="r") as log:
            run([*strace, "-o", log.name, *program])
            warm_up, steady = epochs(log.read())
        asked = re.compile(r"^.*\b(?:mmap|mremap|brk)\(.*$", re.M)
        if not asked.search(warm_up):
            problems.append("strace shows no call during warm-up: nothing was measured")
        expect_zero(f"calls asking the system for memory in {precision}", asked.findall(steady[-1]))
    else:
        print("strace cannot run here: memory was counted by the allocator and malloc alone")


check("f32")
check("bf16")
tree.finish("steady state", problems, counted)
