"""Files stay short and finished, and costly headers stay where they are."""
import pathlib, re, subprocess, sys

root = pathlib.Path(sys.argv[1])
LINES = 400
DATA = {"viz/font_data.cpp"}
SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".py", ".cmake", ".sh"}
# What costs seconds to compile: how many files of which folders may include it.
COSTLY = {"CLI/": (r"examples/common/.*\.cpp", 1), "nlohmann/": (r"(core|data|train)/.*\.cpp", 3), "Eigen/": (r"(kernels/cpu|core/ops)/.*\.cpp", 3), "fmt/": (r".*\.cpp|kernels/cuda/emulation/diagnostics.h", 1000)}

errors, includers = [], {header: [] for header in COSTLY}
listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True).stdout.split()
files = listed or [p.relative_to(root).as_posix() for p in root.rglob("*") if "build" not in p.parts]
for name in sorted(set(files)):
    path = root / name
    if path.suffix not in SUFFIXES or not path.is_file():
        continue
    lines = path.read_text().splitlines()
    if len(lines) > LINES and name not in DATA:
        errors.append(f"{name}: {len(lines)} lines, more than {LINES}: two ideas?")
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|HACK)\b", line) and path.name != "check_sources.py":
            errors.append(f"{name}:{number}: unfinished: {line.strip()}")
        if line != line.rstrip():
            errors.append(f"{name}:{number}: white space at the end")
        for header in COSTLY:
            if line.startswith((f"#include <{header}", f'#include "{header}')):
                includers[header].append(name)
for header, (where, most) in COSTLY.items():
    library = [n for n in includers[header] if not n.startswith(("tests/", "bench/", "exercises/"))]
    errors += [f"{n} includes {header}, which belongs in {where}" for n in library if not re.fullmatch(where, n)]
    if len(set(library)) > most:
        errors.append(f"{header} is included by {len(set(library))} files, more than {most}: {', '.join(sorted(set(library)))}")
print("\n".join(errors) or f"{len(files)} files")
sys.exit(bool(errors))
