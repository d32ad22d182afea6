"""Two runs with equal seed and threads end with identical weights, whatever the number of loader workers.

determinism_test.py PROGRAM. The program prints a checksum of all weights. Another seed must give another checksum.
"""
import os
import re
import subprocess
import sys

import tree

THREADS = str(min(2, len(os.sched_getaffinity(0))))


def weights(seed, workers):
    output = subprocess.run([sys.argv[1], seed, workers, THREADS], capture_output=True, text=True, check=True).stdout
    return re.search(r"^weights: (\w+)$", output, re.M).group(1)


first = weights("3", "2")
problems = []
if weights("3", "2") != first:
    problems.append("two equal runs end with different weights")
if weights("3", "0") != first:
    problems.append("the number of loader workers changes the weights")
if weights("4", "2") == first:
    problems.append("another seed gives the same weights")
tree.finish("determinism", problems, 3)
