#!/usr/bin/env python3
"""Whether docs/ladders shows what the commands print: each block that begins with "$ ./run ladder ..." is compared, and each picture
images/LADDER-N.svg, which is ./run ladder LADDER --step N --draw; --update writes them.
usage: check_pages.py BIN_FOLDER [--update]"""
import pathlib, re, subprocess, sys

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "docs/ladders"
PICTURE = re.compile(r"\((images/([a-z_]+)-([0-9]+)\.svg)\)")
BLOCK = re.compile(r"```\n\$ \./run ladder ([^\n]*)\n(.*?)```\n", re.S)


def output(arguments):
    return subprocess.run([f"{sys.argv[1]}/ladder", *arguments.split()], capture_output=True, text=True, check=True).stdout


def is_stale(file, fresh):
    if file.exists() and file.read_text() == fresh:
        return False
    if "--update" in sys.argv:
        file.parent.mkdir(exist_ok=True)
        file.write_text(fresh)
    return "--update" not in sys.argv


stale, blocks, pictures = [], 0, set()
for page in sorted(FOLDER.glob("*.md")):
    text = page.read_text()
    fresh = BLOCK.sub(lambda m: f"```\n$ ./run ladder {m[1]}\n{output(m[1])}```\n", text)
    blocks += len(BLOCK.findall(text))
    if is_stale(page, fresh):
        stale.append(page.name)
    for name, ladder, step in PICTURE.findall(text):
        pictures.add(FOLDER / name)
        if is_stale(FOLDER / name, output(f"{ladder} --step {step} --draw")):
            stale.append(name)
stale += [f"{p.name}, which no page shows" for p in (FOLDER / "images").glob("*") if p not in pictures]
if stale:
    sys.exit(f"stale: {', '.join(stale)}; write them by python3 {pathlib.Path(__file__).relative_to(FOLDER.parents[1])} BIN_FOLDER --update")
print(f"{blocks} blocks as printed, {len(pictures)} pictures as drawn")
