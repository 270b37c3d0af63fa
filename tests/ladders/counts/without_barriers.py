#!/usr/bin/env python3
"""Writes each step of a ladder once without each of its barriers, as a step of the ladder <name>_without that is called by the barrier's line.
usage: without_barriers.py LADDER_FOLDER OUT/<name>_without/all.cu"""
import pathlib, re, sys

BARRIER = re.compile(r"__sync(threads|warp)\([^;]*\);")
folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.parent.mkdir(parents=True, exist_ok=True)
includes = ""
for step in sorted(folder.glob("*.cu")):
    text = step.read_text()
    for barrier in BARRIER.finditer(text):
        mutant = f"{step.stem}_{text.count(chr(10), 0, barrier.start()) + 1}"
        shorter = text[: barrier.start()] + ";" + text[barrier.end() :]
        (out.parent / f"{mutant}.cu").write_text(shorter.replace("namespace {", f"namespace without_{mutant} {{"))
        includes += f'#include "{mutant}.cu"\n'
out.write_text(includes)
