#!/usr/bin/env python3
"""Writes what an exercise looks like in a reader's hands: as given, solved, and with each of the mistakes that readers make, and one file that
includes them all. usage: assemble.py EXERCISE.cu NAME OUT_FOLDER

solutions/NAME.cu is what belongs into the gap. mistakes/NAME.txt has entries apart by blank lines, each of what the harness should say and how the
solution is changed: "- " a piece of it that is there once, "+ " what takes its place, if anything does; "~" between two pieces that only go.

    no_padding: bank conflicts at `= tile[`
    - [kTile + 1]
    + [kTile]

`a` and `b` are parts of the lines that the verdict has to name; `result saying "c"`: a part of its text."""
import pathlib, re, sys

HERE = pathlib.Path(__file__).resolve().parent
BEGIN, END = "// Your code begins here.", "// Your code ends here."


def gap(exercise):
    """The lines before the gap's, those in it, and those after."""
    lines = exercise.read_text().splitlines()
    (begin,) = (i for i, l in enumerate(lines) if l.strip() == BEGIN)
    (end,) = (i for i, l in enumerate(lines) if l.strip() == END)
    return lines[: begin + 1], lines[begin + 1 : end], lines[end:]


def mistakes(name):
    """(name, what, parts of lines, part of the text, [(old, new)]) of each."""
    for entry in re.split(r"\n\s*\n", (HERE / f"mistakes/{name}.txt").read_text().strip()):
        head, *changes = entry.splitlines()
        mistake, what, where, said = re.fullmatch(r'(\w+): ([a-z ]+?)(?: at (`.*`))?(?: saying "(.*)")?', head).groups("")
        hunks = re.findall(r"((?:- .*\n)+)((?:\+ .*\n)*)(?:~\n)?", "".join(c + "\n" for c in changes))
        text = lambda lines: "\n".join(l[2:] for l in lines.splitlines())
        yield mistake, what, re.findall(r"`(.*?)`", where), said, [(text(old), text(new)) for old, new in hunks]


def variants(exercise, name):
    """{name: text}"""
    before, given, after = gap(exercise)
    solution = (HERE / f"solutions/{name}.cu").read_text()
    filled = lambda text: "\n".join(before + ["  " + l if l else l for l in text.splitlines()] + after) + "\n"
    result = {"given": "\n".join(before + given + after) + "\n", "solution": filled(solution)}
    for mistake, _, _, _, pairs in mistakes(name):
        text = solution
        for old, new in pairs:
            if text.count(old) != 1:
                sys.exit(f"mistakes/{name}.txt: {mistake}: the solution has {text.count(old)} times: {old}")
            text = text.replace(old, new)
        result[mistake] = filled("\n".join(l for l in text.splitlines() if l.strip()))
    return result


if __name__ == "__main__":
    exercise, name, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    all_of_them = '#include "exercises/harness/exercise.h"\n'
    for variant, text in variants(exercise, name).items():
        (out / f"{variant}.cu").write_text(text)
        all_of_them += f'namespace {variant} {{\n#include "{variant}.cu"\n}}\n'
    (out / "all.cu").write_text(all_of_them)
