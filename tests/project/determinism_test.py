"""Two runs with equal seed, threads and precision end with identical weights, whatever the number of loader workers.

determinism_test.py PROGRAM. The program prints a checksum of all weights. Another seed must give another checksum.
"""
import os
import re
import subprocess
import sys

import tree

THREADS = str(min(2, len(os.sched_getaffinity(0))))


def weights(seed, workers, precision):
    command = [sys.argv[1], seed, workers, THREADS, precision]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.search(r"^weights: (\w+)$", output, re.M).group(1)


problems = []
for precision in ("f32", "bf16"):
    first = weights("3", "2", precision)
    if weights("3", "2", precision) != first:
        problems.append(f"{precision}: two equal runs end with different weights")
    if weights("3", "0", precision) != first:
        problems.append(f"{precision}: the number of loader workers changes the weights")
    if weights("4", "2", precision) == first:
        problems.append(f"{precision}: another seed gives the same weights")
tree.finish("determinism", problems, 6)
