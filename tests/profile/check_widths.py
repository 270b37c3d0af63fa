#!/usr/bin/env python3
"""How wide are the accesses of each source line: as the profiler counts them, and in what nvcc makes of the same file (PTX, which needs no GPU)?
Fails where fewer than nine of ten lines have a width in common; the others are printed. usage: check_widths.py TREE"""
import collections, json, os, pathlib, re, shutil, subprocess, sys, tempfile

TREE, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(__file__).resolve().parents[2]
NVCC = shutil.which("nvcc", path=os.environ["PATH"] + ":/usr/local/cuda/bin")
# What runs which files.
RUNS = {
    "softmax": ["softmax_forward --candidate lines", "softmax_backward --candidate lines"],
    "softmax_registers": ["softmax_forward --candidate registers", "softmax_backward --candidate registers"],
    "layer_norm": ["layer_norm_forward", "layer_norm_backward"],
    "matmul": ["matmul_forward --candidate tiled"],
    "conv_depthwise": ["conv2d_forward --candidate depthwise --row n2c64h64r3 --shapes 1x64x32x32 64x1x3x3"],
    "conv_winograd": ["conv2d_forward --candidate winograd_f4 --row n1c64h28k64r3"],
    "nms": ["nms_forward"],
    "pool": ["max_pool2d_forward"],
    "attention": ["attention_forward --candidate tiles"],
    "attention_registers": ["attention_forward --candidate registers"],
    "reduce": ["sum_forward"],
    "optimizer": ["adam_step"],
}
KINDS = {"ld": "load", "st": "store"}


def counted(arguments, widths):
    """Adds the widths of each line, and those of neighbouring accesses in one."""
    text = subprocess.run([TREE / "bin/profile_kernels", *arguments.split(), "--json"], capture_output=True, text=True, check=True).stdout
    for line in (line for kernel in json.loads(text)["kernels"] for line in kernel["lines"]):
        if re.fullmatch("(global|shared) (load|store)", line["kind"]):
            together = max(1, line["requests"] // max(1, line["wide_requests"]))
            widths[line["file"], line["line"], line["kind"]] |= {line["size"], line["size"] * together}


def compiled(name, widths):
    with tempfile.TemporaryDirectory() as folder:  # nvcc has been seen to hang on -o /dev/stdout
        out = pathlib.Path(folder) / "kernels.ptx"
        flags = ["-std=c++20", "-arch=sm_80", "-O3", "-lineinfo", "-w", "--expt-relaxed-constexpr", "-DTAPETUM_WITH_CUDA", "-I", ROOT]
        subprocess.run([NVCC, *flags, "-ptx", f"kernels/cuda/{name}.cu", "-o", out], cwd=ROOT, check=True, timeout=300)
        ptx = out.read_text()
    files = {number: path[max(0, path.find("kernels/")):] for number, path in re.findall(r'\.file\s+(\d+)\s+"([^"]+)"', ptx)}
    place = None
    for text in ptx.splitlines():
        if m := re.match(r"\s*\.loc\s+(\d+)\s+(\d+)\s", text):
            place = files[m[1]], int(m[2])
        elif m := re.match(r"\s*(?:@!?%p\d+\s+)?(ld|st)\.(?:volatile\.)?(global|shared)\S*?(?:\.v(\d))?\.[busf](\d+)\s", text):
            widths[(*place, f"{m[2]} {KINDS[m[1]]}")].add(int(m[3] or 1) * int(m[4]) // 8)


if not NVCC:
    print("skipped: no nvcc")
    sys.exit(77)
ours, theirs = collections.defaultdict(set), collections.defaultdict(set)
for name, runs in RUNS.items():
    compiled(name, theirs)
    for arguments in runs:
        counted(arguments, ours)
same = [place for place in ours if ours[place] & theirs[place]]
for file, line, kind in sorted(set(ours) - set(same)):
    print(f"{file}:{line} {kind}: counted {sorted(ours[file, line, kind])} bytes, nvcc {sorted(theirs[file, line, kind])}")
print(f"{len(same)} of {len(ours)} lines have a width in common with nvcc's")
sys.exit(len(same) < 0.9 * len(ours))
