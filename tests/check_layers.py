"""A folder may include only what stands below it; inside core: tensor <- autograd <- ops <- engine <- serialization."""
import pathlib, re, sys

root = pathlib.Path(sys.argv[1])
FOLDERS = {"kernels": 0, "core": 1, "nn": 2, "optim": 2, "data": 2, "models": 3, "train": 4, "viz": 5, "tapetum.h": 8, "ladders": 8, "exercises": 10, "examples": 9, "fuzz": 9, "tests": 9, "bench": 10}  # bench times the case rows of tests; the harness of exercises is a program
DRIVERS = {"tests", "bench", "ladders", "exercises"}  # of the kernels themselves; of the others only core may call them
errors = []


def level(path):
    parts = path.split("/")
    return FOLDERS.get(parts[0], 9), parts[0]


def core_level(path):
    return {"autograd": 1, "ops": 2, "engine": 3, "serialization": 4, "print.h": 4, "print.cpp": 4, "dlpack.h": 4, "dlpack.cpp": 4, "profiler_trace.cpp": 4}.get(path.split("/")[1], 0)


for file in sorted(p for f in FOLDERS for p in (root / f).rglob("*") if p.suffix in {".h", ".cpp", ".cu", ".cuh"}):
    here = file.relative_to(root).as_posix()
    if here.startswith(("kernels/cuda/emulation", "kernels/cuda/gpu", "tests/package")):
        continue
    for target in re.findall(r'#include "([^"]+/[^"]+|tapetum.h)"', file.read_text()):
        (a, a_name), (b, b_name) = level(here), level(target)
        if target == "tapetum.h" and a < 9:
            errors.append(f"{here} includes tapetum.h, which is for programs")
        elif b > a or (b == a and a_name != b_name):
            errors.append(f"{here} includes {target}, which does not stand below it")
        elif b_name == "kernels" and a > 1 and a_name not in DRIVERS:
            errors.append(f"{here} includes {target}: kernels are called by core alone")
        elif a == b == 1 and core_level(target) > core_level(here):
            errors.append(f"{here} includes {target}, which stands above it inside core")
print("\n".join(errors) or "all includes point downwards")
sys.exit(bool(errors))
