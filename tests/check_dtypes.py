"""docs/dtypes.md: what each op does with inputs of each dtype, found by running the case rows of tests/ops.
usage: check_dtypes.py ROOT TEST_OPS [--write]   (compares, or writes the file anew)"""
import collections, pathlib, subprocess, sys

DTYPES = ["f64", "f32", "f16", "bf16", "i64", "i32", "u8", "i8", "bool"]
HEAD = """# What works with which dtype

∂ forward and gradient, • forward only, (∂) (•) with some options only; nothing: DTypeError. 16-bit types are computed in f32, and
functions of real numbers give f32 for integers. Indices and labels, which are i64 or i32, are left out. Ops that take the same dtypes share a line.
The table is the CPU's. On CUDA the same works, and the optimizers' steps, unscale, clip_norm and ema take f16 and bf16 too; there kernels read and
write 16-bit memory themselves.
`tests/check_dtypes.py` makes this from the case rows of `tests/ops`: an op is the first word of its rows' names.

"""


def table(test_ops):
    works = collections.defaultdict(set)
    printed = subprocess.run([test_ops, "[.dtypes]"], capture_output=True, text=True)
    assert printed.returncode == 0, printed.stdout[-2000:]
    for line in printed.stdout.splitlines():
        if line.startswith("dtype\t"):
            _, row, dtype, what = line.split("\t")
            works[row.split(",")[0].split()[0], dtype].add(what)

    def cell(found):
        mark = "∂" if "gradient" in found else "•" if "forward" in found else ""
        return f"({mark})" if mark and "nothing" in found else mark

    alike = collections.defaultdict(list)
    for op in sorted({op for op, _ in works}):
        alike[tuple(cell(works[op, d]) for d in DTYPES)].append(op)
    lines = ["| ops | " + " | ".join(DTYPES) + " |", "|---" * (1 + len(DTYPES)) + "|"]
    lines += ["| " + " | ".join([", ".join(ops), *cells]) + " |" for cells, ops in sorted(alike.items(), key=lambda entry: entry[1])]
    return HEAD + "\n".join(lines) + "\n"


root, test_ops = pathlib.Path(sys.argv[1]), sys.argv[2]
path, text = root / "docs/dtypes.md", table(test_ops)
if "--write" in sys.argv:
    path.write_text(text)
elif not path.exists() or path.read_text() != text:
    sys.exit(f"docs/dtypes.md is stale; renew it by: python3 tests/check_dtypes.py . {test_ops} --write")
