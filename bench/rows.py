"""Rows of a table of what is timed (cpu_rows.tsv, gpu/rows.tsv), and a process that times them."""
import itertools, math, os, pathlib, subprocess


class Row:
    def __init__(self, group, forms, goals, op, what, dtype, sizes):
        self.group, self.forms, self.goals = group, forms, goals
        self.op, self.what, self.dtype, self.sizes = op, what, dtype, sizes
        self.name = f"{op} {what} {dtype} {'x'.join(map(str, sizes))}"
        self.flops, self.bytes = cost(op, what, dtype, sizes)

    def question(self):
        return f"row {self.op} {self.what} {self.dtype} {' '.join(map(str, self.sizes))}"

    def rate(self, milliseconds, copy=0):
        """In words, beside what a copy reaches in GB/s."""
        if self.op == "photos":
            return f"{1e3 * self.sizes[0] / milliseconds:.4g} images/s"
        if self.flops:
            return f"{self.flops / milliseconds / 1e9:.4g} TFLOP/s"
        if not self.bytes:
            return ""
        gigabytes = self.bytes / milliseconds / 1e6
        return f"{gigabytes:.4g} GB/s" + (f" {100 * gigabytes / copy:.0f}%" if copy else "")


def read(path, smoke=False, kind=Row):
    """A line `group NAME FORMS GOALS` says what the others do in the rows below it and how much faster than they we want to be: `best 1.5, eager 2`."""
    group, forms, goals = "", ["eager"], {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split("\t")
        if fields[0] == "group":
            group, forms = fields[1], fields[2].split(",")
            goals = {form: float(least) for form, least in (goal.split() for goal in fields[3].split(","))} if len(fields) > 3 else {}
            continue
        op, whats, dtypes, sizes = fields[:4]
        if smoke:
            sizes = fields[4] if len(fields) > 4 else "-"
        if sizes == "-":
            continue
        for dtype, one, what in itertools.product(dtypes.split(","), sizes.split(","), whats.split(",")):
            yield kind(group, forms, goals, op, what, dtype, [int(n) for n in one.split()])


# How often the elements of the first input are read or written: forward, backward. Outputs of another size are counted in `extra`.
PASSES = {
    "copy": (2, 0), "softmax": (2, 3), "log_softmax": (2, 3), "layer_norm": (2, 3), "batch_norm": (3, 5), "group_norm": (3, 5), "cross_entropy": (1, 2),
    "relu": (2, 3), "gelu": (2, 3), "silu": (2, 3), "sigmoid": (2, 3), "exp": (2, 3), "add": (3, 0), "mul_channels": (2, 3),
    "sum_all": (1, 1), "max_all": (1, 2), "sum_rows": (1, 1), "sum_columns": (1, 1), "max_rows": (1, 1), "sum_channels": (1, 1), "mean_pixels": (1, 1),
    "cat": (4, 4), "nchw_to_nhwc": (2, 2), "transpose": (2, 2), "max_pool2d": (1, 1), "avg_pool2d": (1, 1), "adaptive_avg_pool2d": (1, 1),
    "resize_bilinear": (1, 1), "resize_nearest": (1, 1),
}


def cost(op, what, dtype, sizes):
    """Floating-point operations, or bytes that must move. (0, 0): not said."""
    width = 4 if dtype == "f32" else 2
    if op.startswith("matmul"):
        return 2 * math.prod(sizes), 0
    if op == "conv2d":
        n, c, h, w, k, r, stride, padding, *groups = sizes
        p, q = ((side + 2 * padding - r) // stride + 1 for side in (h, w))
        return 2 * n * k * p * q * c * r * r // (groups or [1])[0], 0
    if op == "conv_transpose2d":
        n, c, h, w, k, r, _ = sizes
        return 2 * n * c * h * w * k * r * r * (1 if what == "forward" else 2), 0
    if op == "attention":  # two products forward, five backward
        n, heads, tokens, head = sizes
        return (4 if what == "forward" else 10) * n * heads * tokens * tokens * head, 0
    if op == "adam":
        return 0, 28 * math.prod(sizes)
    if op not in PASSES:
        return 0, 0
    elements = math.prod(sizes[:4])
    extra = 0
    if op in ("max_pool2d", "avg_pool2d"):
        n, c, h, w, r, stride, padding = sizes
        extra = n * c * math.prod((side + 2 * padding - r) // stride + 1 for side in (h, w))
    elif op.startswith("resize"):
        extra = sizes[0] * sizes[1] * sizes[4] * sizes[5]
    return 0, width * (elements * PASSES[op][what != "forward"] + extra)


class Side:
    """A process that answers questions about rows: bench_gpu, or their_rows.py."""

    def __init__(self, command, environment=None, calls=0, log=None):
        """calls: that are timed at once; 0: as many as take 20 ms. log: for what it says besides."""
        self.command, self.environment, self.calls, self.log, self.process = [str(word) for word in command], environment, calls, log, None

    def ask(self, question):
        if not self.process:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment)
            self.ask(f"calls {self.calls}")
        try:
            print(question, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if not answer:
            status = self.process.wait()
            self.process = None  # the next question has a new one
            raise RuntimeError(f"{' '.join(os.path.basename(word) for word in self.command)} ended with status {status}")
        if answer.startswith("error: "):
            raise RuntimeError(answer.removeprefix("error: "))
        return answer

    def time(self, forced=""):
        """Milliseconds of a call of the row that was asked for."""
        return float(self.ask(f"time {forced}".strip()))

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None
