#!/usr/bin/env python3
"""The harness of the exercises on one of them: as given it is not solved, its solution is right, and each mistake is named, with its lines.
usage: check_exercise.py BIN_FOLDER NAME VARIANTS_FOLDER LIBRARY"""
import json, pathlib, subprocess, sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent))
from assemble import mistakes

BIN, NAME, FOLDER, LIBRARY = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4]
failures = []


def verdict(variant):
    result = subprocess.run([BIN / "exercise", variant, "--library", LIBRARY, "--json"], capture_output=True, text=True, timeout=200)
    if result.stderr:
        sys.exit(f"{NAME}: {variant}: {result.stderr}")
    verdict = json.loads(result.stdout)
    if verdict["solved"] != (result.returncode == 0):
        failures.append(f"{variant}: exit code {result.returncode}, solved: {verdict['solved']}")
    return verdict


def lines_of(variant, verdict):
    text = (FOLDER / f"{variant}.cu").read_text().splitlines()
    return [text[p["line"] - 1] for p in verdict["places"] if pathlib.Path(p["file"]).name == f"{variant}.cu"]


def expect(variant, what, parts, said=""):
    v = verdict(variant)
    lines = lines_of(variant, v)
    named = v["what"] == what and all(any(part in line for line in lines) for part in parts) and said in v["text"]
    if not named:
        failures.append(f"{variant}: expected {what or 'nothing'} at {parts} saying {said!r}, got {v['what'] or 'nothing'} at {lines}\n{v['text']}")
    if "--show" in sys.argv:
        print(f"--- {variant}: {v['what']}\n{v['text']}")
    return v


given = expect("given", "result", [])
if not any(words in given["text"] for words in ["is not written", "is 0;"]):
    failures.append(f"as given, {given['text']}")
expect("solution", "", [])
count = 0
for mistake, what, parts, said, _ in mistakes(NAME):
    expect(mistake, what, parts, said)
    count += 1
if count < 3:
    failures.append(f"{count} mistakes: three at least")
print("\n".join(failures) or f"{NAME}: {count} mistakes are named")
sys.exit(bool(failures))
