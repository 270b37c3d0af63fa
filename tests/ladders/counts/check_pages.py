#!/usr/bin/env python3
"""Whether docs/ladders shows what the commands print: each block that begins with "$ ./run ladder ..." is compared, and each picture
images/LADDER-N.svg, which is ./run ladder LADDER --step N --draw; --update writes them. Times differ each time: of the CPU's ladders, whose steps
this tree has not, names, ideas and lines are compared with the sources. usage: check_pages.py BIN_FOLDER [--update]"""
import pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/ladders"
PICTURE = re.compile(r"\((images/([a-z_]+)-([0-9]+)\.svg)\)")
BLOCK = re.compile(r"```\n\$ \./run ladder ([^\n]*)\n(.*?)```\n", re.S)
UPDATE = "--update" in sys.argv


def output(arguments):
    return subprocess.run([f"{sys.argv[1]}/ladder", *arguments.split()], capture_output=True, text=True, check=True).stdout


def is_stale(file, fresh):
    if file.exists() and file.read_text() == fresh:
        return False
    if UPDATE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(fresh)
    return not UPDATE


def is_timed(ladder):
    return not list((ROOT / "ladders" / ladder).glob("*.cu"))


def is_here(ladder):
    return re.search(rf"(?m)^{ladder} +\d+ steps", output("--list"))


# The beginnings of a printed table's lines that do not depend on the machine.
def stated(ladder):
    steps = sorted((int(p.name.split("_")[0]), p) for p in (ROOT / "ladders" / ladder).glob("[0-9]*"))
    texts = {f"{n} {p.stem.split('_', 1)[1]}": p.read_text().splitlines() for n, p in steps}
    code = lambda lines: sum(1 for l in lines if l.strip() and not l.lstrip().startswith(("//", "#include")))
    return [f"{title} {lines[0][3:]}" for title, lines in texts.items()] + [f"{title} {code(lines)}" for title, lines in texts.items()]


# Only whole tables of timed ladders can be compared.
def is_as_stated(ladder, block):
    rows, starts = [re.sub(" +", " ", row) for row in block.splitlines() if re.match(r"\d", row)], stated(ladder)
    return rows != [] and len(rows) == len(starts) and all(f"{row} ".startswith(f"{start} ") for row, start in zip(rows, starts))


# What should stand in place of a block; where this tree cannot tell, the block itself.
def fresh(arguments, block):
    ladder = arguments.split()[0]
    if not is_timed(ladder):
        return output(arguments) if is_here(ladder) else block
    if UPDATE and is_here(ladder):
        return output(arguments)
    if not is_as_stated(ladder, block):
        stale.append(f"the table of {ladder}")
    return block


stale, blocks, pictures = [], 0, set()
for page in sorted(FOLDER.glob("*.md")):
    text = page.read_text()
    blocks += len(BLOCK.findall(text))
    if is_stale(page, BLOCK.sub(lambda m: f"```\n$ ./run ladder {m[1]}\n{fresh(m[1], m[2])}```\n", text)):
        stale.append(page.name)
    for name, ladder, step in PICTURE.findall(text):
        pictures.add(FOLDER / name)
        if is_here(ladder) and is_stale(FOLDER / name, output(f"{ladder} --step {step} --draw")):
            stale.append(name)
stale += [f"{p.name}, which no page shows" for p in (FOLDER / "images").glob("*") if p not in pictures]
if stale:
    sys.exit(f"stale: {', '.join(stale)}; write them by python3 {pathlib.Path(__file__).relative_to(ROOT)} BIN_FOLDER --update, of a tree that has the ladder's steps")
print(f"{blocks} blocks as printed, {len(pictures)} pictures as drawn")
