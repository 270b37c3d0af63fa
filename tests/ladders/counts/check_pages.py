#!/usr/bin/env python3
"""Whether docs/ladders shows what the commands print: each block that begins with "$ ./run ladder ..." is compared; --update writes them.
usage: check_pages.py BIN_FOLDER [--update]"""
import pathlib, re, subprocess, sys

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "docs/ladders"
BLOCK = re.compile(r"```\n\$ \./run ladder ([^\n]*)\n(.*?)```\n", re.S)


def output(arguments):
    return subprocess.run([f"{sys.argv[1]}/ladder", *arguments.split()], capture_output=True, text=True, check=True).stdout


stale, blocks = [], 0
for page in sorted(FOLDER.glob("*.md")):
    text = page.read_text()
    fresh = BLOCK.sub(lambda m: f"```\n$ ./run ladder {m[1]}\n{output(m[1])}```\n", text)
    blocks += len(BLOCK.findall(text))
    if fresh == text:
        continue
    if "--update" in sys.argv:
        page.write_text(fresh)
    else:
        stale.append(page.name)
if stale:
    sys.exit(f"stale: {', '.join(stale)}; write them by python3 {pathlib.Path(__file__).relative_to(FOLDER.parents[1])} BIN_FOLDER --update")
print(f"{blocks} blocks as printed")
