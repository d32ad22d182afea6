"""Every relative link of every Markdown page leads to a file of the tree."""
import re

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)

problems, checked = [], 0
for page in tree.files(".md"):
    for target in LINK.findall(CODE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        checked += 1
        if not (page.parent / target.split("#")[0]).exists():
            problems.append(f"{tree.name(page)}: leads to {target}, which is not there")
tree.finish("links", problems, checked)
