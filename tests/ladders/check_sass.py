#!/usr/bin/env python3
"""Do sectors and bank conflicts of each line of the ladders' steps agree with what cuxray finds in nvcc's machine code (SASS) without running it?
Fails where a line differs for no reason that docs/profiling-kernels.md gives, or where a reason is no longer needed. usage: check_sass.py TREE

The first call puts cuxray and NVIDIA's disassembler into an environment of their own, build/sass."""
import collections, json, math, os, pathlib, re, shutil, subprocess, sys, tempfile, venv

TREE, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build/sass"
PACKAGES = ["cuxray==0.6.0", "nvidia-cuda-nvdisasm", "nvidia-cuda-cuobjdump"]  # static analysis, and the disassembler that it calls
# Where the two differ, and why (docs/profiling-kernels.md).
REASONS = {
    ("ladders/nms/9_library.cu", "global load"): "two loads in one line, of one address and of 32",
    ("ladders/nms/9_library.cu", "global store"): "the places are data",
}
os.environ["PATH"] += ":/usr/local/cuda/bin"


def run(*command, **options):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT, **options)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {result.stdout[-1000:]}{result.stderr[-3000:]}")
    return result.stdout


# Of an inlined instruction nvdisasm names its own line, then those that called it. cuxray keeps the last; the profiler keeps the first.
INNERMOST = """#!/bin/sh
{program} "$@" | awk '!(/^[ \\t]*\\/\\/## File/ && before) {{ print }} {{ before = /^[ \\t]*\\/\\/## File/ }}'
"""


def tools():
    if not (TOOLS / "bin/cuxray").exists():
        venv.create(TOOLS, with_pip=True)
        run(TOOLS / "bin/pip", "install", "-q", *PACKAGES)
    programs = {p.name: p for p in TOOLS.glob("lib/python*/site-packages/nvidia/*/bin/*")}
    innermost = TOOLS / "innermost/nvdisasm"
    innermost.parent.mkdir(exist_ok=True)
    innermost.write_text(INNERMOST.format(program=programs["nvdisasm"]))
    innermost.chmod(0o755)
    os.environ["PATH"] = f"{innermost.parent}:{programs['cuobjdump'].parent}:{os.environ['PATH']}"


def with_sizes(source, sizes):
    """A step whose kernels know their sizes when they are compiled: only then are its addresses known."""
    def begin(kernel):
        names = re.findall(r"\bint (\w+)", kernel[2])
        return kernel[0] + "".join(f" {n} = {size};" for n, size in zip(names, sizes)) if len(names) == len(sizes) else kernel[0]
    return re.sub(r"(__global__[^;{}]*?_kernel)\(([^;{}]*)\) \{", begin, source)


def cubin_of(file, sizes, folder, known={}):
    if file not in known:
        source = pathlib.Path(folder) / file
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(with_sizes((ROOT / file).read_text(), sizes) if file.startswith("ladders/") else (ROOT / file).read_text())
        known[file] = source.with_suffix(".cubin")
        run("nvcc", "-std=c++20", "-arch=sm_86", "-O3", "-lineinfo", "-w", "--expt-relaxed-constexpr", "-DTAPETUM_WITH_CUDA", "-I", ROOT, "-cubin", source, "-o", known[file])
    return known[file]


def plain(name):
    """A kernel's name without its namespaces, return type and parameters' types."""
    name = re.sub(r"\w+::|[{(]anonymous( namespace)?[)}]::", "", name.replace(" >", ">"))
    depth, words = 0, ""
    for c in name.removeprefix("void "):
        depth += (c == "<") - (c == ">")
        if c == "(" and depth == 0:
            break
        words += c
    return re.sub(r"\(\w+\)|\s", "", words)  # (bool)1, (int)64


def analysed(file, kernel, sizes, folder):
    """(file, line, space) -> sites of the machine code."""
    text = run(TOOLS / "bin/cuxray", "report", cubin_of(file, sizes, folder), "--threads", ",".join(map(str, kernel["block"])), "--json")
    sites = collections.defaultdict(list)
    for k in json.loads(text)["units"][0]["kernels"]:
        if plain(k["demangled"]) == plain(kernel["name"]):
            for site in k["access"]["by_site"]:
                sites[site["file"].removeprefix(f"{folder}/").removeprefix(f"{ROOT}/"), site["line"], site["space"]].append(site)
    return sites


def agrees(line, site):
    if site["space"] == "shared":
        return site["conflict_ways"] == round(line["wavefronts"] / line["ideal_wavefronts"])
    # It knows no base address, and tells the worst one: each run of neighbours may cost one sector more.
    ideal, sectors, runs = (line[key] / line["requests"] for key in ("ideal_sectors", "sectors", "cache_lines"))
    return 100 * ideal / (sectors + runs) - 1 <= site["efficiency_pct"] <= 100 * ideal / sectors + 1


def ours(line):
    if "global" not in line["kind"]:
        return f"{line['wavefronts'] / line['ideal_wavefronts']:.1f}-way"
    return f"{line['sectors'] / line['requests']:.1f} sectors, {100 * line['ideal_sectors'] / line['sectors']:.0f} %"


def theirs(sites):
    return ", ".join(sorted({f"{s['conflict_ways']}-way" if s["space"] == "shared" else f"{s['efficiency_pct']:.0f} %" for s in sites}))


def compare(folder):
    """Yields (place, kind, verdict, counted, analysed) of each line with loads or stores."""
    for name in re.findall(r"(?m)^(\w+) ", run(TREE / "bin/ladder", "--list")):
        ladder = json.loads(run(TREE / "bin/ladder", name, "--json"))
        for step in ladder["steps"]:
            for kernel in step["kernels"]:
                lines = [l for l in kernel["lines"] if re.fullmatch("(global|shared) (load|store)|cp.async (global|shared)|ldmatrix", l["kind"])]
                sites = {}
                for file in {step["file"], *(l["file"] for l in lines)}:
                    if file.endswith(".cu"):
                        sites |= analysed(file, kernel, ladder["sizes"], folder)
                for line in lines:
                    space = "global" if "global" in line["kind"] else "shared"
                    found = sites.get((line["file"], line["line"], space), [])
                    verdict = "unknown" if not found else "same" if any(agrees(line, s) for s in found) else "differs"
                    yield f"{step['number']} {name}", f"{line['file']}:{line['line']}", line["kind"], verdict, ours(line), theirs(found)


if not shutil.which("nvcc"):
    print("skipped: no nvcc")
    sys.exit(77)
tools()
with tempfile.TemporaryDirectory() as folder:
    rows = sorted(set(compare(folder)))
counts = collections.Counter(row[3] for row in rows)
for row in rows:
    if row[3] != "same":
        print(*row, REASONS.get((row[1].split(":")[0], row[2]), "") if row[3] == "differs" else "", sep="  ")
print(f"{len(rows)} lines: {counts['same']} the same, {counts['differs']} differ, {counts['unknown']} that cuxray does not know")
differ = {(row[1].split(":")[0], row[2]) for row in rows if row[3] == "differs"}
if differ != set(REASONS):
    sys.exit(f"without a reason: {differ - set(REASONS)}; a reason without need: {set(REASONS) - differ}")
