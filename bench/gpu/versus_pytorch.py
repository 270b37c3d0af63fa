#!/usr/bin/env python3
"""Times the rows of rows.tsv, alternately in one run: ours (bench_gpu, a process of its own), the same calls forced to NVIDIA's library, and PyTorch.

Vendor is cuBLAS or cuDNN under our own tensors, and for the gradient of attention cuDNN under PyTorch; without them and without PyTorch it times ours
alone. A speed is theirs / ours: above 1 we are faster. f32 is exact on all sides (no TF32). PyTorch has cuDNN's choice of the fastest algorithm, and
convolutions the faster of its two memory formats. Rates: TFLOP/s where arithmetic counts, otherwise GB/s and % of what a copy reaches."""
import argparse, itertools, json, pathlib, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--tree", type=pathlib.Path, default=HERE.parents[1] / "build/gpu", help="the build tree")
parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
parser.add_argument("--rows", type=pathlib.Path, default=HERE / "rows.tsv", metavar="FILE", help="%(default)s")
parser.add_argument("--only", default="", help="rows whose name has this text")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=1e9, help="begin no row after that")
parser.add_argument("--smoke", action="store_true", help="tiny sizes, one call: that everything runs")
parser.add_argument("--ours-alone", action="store_true", help="without PyTorch")
parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
args = parser.parse_args()
torch = None
if not args.ours_alone:
    try:
        import torch
        from torch.nn import functional as F
    except ImportError:
        pass
start = time.monotonic()


def rows():
    for line in args.rows.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        op, whats, dtypes, sizes, smoke = line.split("\t")[:5]
        sizes = smoke if args.smoke else sizes
        if sizes != "-":
            for dtype, what in itertools.product(dtypes.split(","), whats.split(",")):
                yield op, what, dtype, [int(n) for n in sizes.split()]


class Ours:
    def __init__(self):
        self.process = subprocess.Popen([args.tree / "bin/bench_gpu", args.device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(f"calls {int(args.smoke)}")

    def ask(self, question):
        print(question, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if answer.startswith("error: ") or not answer:
            raise RuntimeError(answer.removeprefix("error: ") or f"bench_gpu ended with status {self.process.wait()}")
        return answer

    def setup(self, op, what, dtype, sizes):
        self.ask(f"row {op} {what} {dtype} {' '.join(map(str, sizes))}")

    def time(self, forced=""):
        return float(self.ask(f"time {forced}"))


def values(dtype, *shape):
    return (2 * torch.rand(*shape, device=args.device) - 1).to({"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[dtype])


def differentiate(what, xs, op):
    """The op, or its gradient with respect to the inputs that `what` says."""
    if what == "forward":
        return torch.no_grad()(lambda: op(*xs))
    inputs = [x.requires_grad_() for i, x in enumerate(xs) if what == "backward" or i == (0 if what == "grad_input" else 1)]
    y = op(*xs)
    gy = torch.rand_like(y)
    return lambda: torch.autograd.grad(y, inputs, gy, retain_graph=True)


# For each op its works in PyTorch, of which the fastest counts.
class Theirs:
    def copy(what, dtype, n):
        x, y = values(dtype, n), values(dtype, n)
        return [lambda: y.copy_(x)]

    def matmul(what, dtype, m, n, k):
        return [differentiate(what, [values(dtype, m, k), values(dtype, k, n)], torch.matmul)]

    def conv2d(what, dtype, n, c, h, w, k, r, stride, padding):
        def work(memory_format):
            xs = [x.to(memory_format=memory_format) for x in (values(dtype, n, c, h, w), values(dtype, k, c, r, r))]
            return differentiate(what, xs, lambda x, w: F.conv2d(x, w, stride=stride, padding=padding))

        return [work(torch.channels_last), work(torch.contiguous_format)]

    def softmax(what, dtype, rows, columns):
        return [differentiate(what, [values(dtype, rows, columns)], lambda x: F.softmax(x, -1))]

    def layer_norm(what, dtype, rows, columns):
        xs = [values(dtype, rows, columns), values(dtype, columns), values(dtype, columns)]
        return [differentiate(what, xs, lambda x, w, b: F.layer_norm(x, (columns,), w, b))]

    def batch_norm(what, dtype, n, c, h, w):
        mean, variance = torch.zeros(c, device=args.device), torch.ones(c, device=args.device)

        def work(memory_format):
            xs = [values(dtype, n, c, h, w).to(memory_format=memory_format), values("f32", c), values("f32", c)]
            return differentiate(what, xs, lambda x, w, b: F.batch_norm(x, mean, variance, w, b, training=True))

        return [work(torch.channels_last), work(torch.contiguous_format)]

    def attention(what, dtype, n, heads, tokens, head):
        return [differentiate(what, [values(dtype, n, heads, tokens, head) for _ in range(3)], F.scaled_dot_product_attention)]

    def nms(what, dtype, n):
        from torchvision.ops import nms

        corner, extent = 10 * n**0.5 * torch.rand(n, 2, device=args.device), 10 + 90 * torch.rand(n, 2, device=args.device)
        boxes, scores = torch.cat([corner, corner + extent], 1), values(dtype, n)
        return [lambda: nms(boxes, scores, 0.5)]

    def grid_sample(what, dtype, n, c, h, w, p, q):
        xs = [values(dtype, n, c, h, w), values(dtype, n, p, q, 2)]
        return [differentiate(what, xs, lambda x, grid: F.grid_sample(x, grid, align_corners=False))]

    def unfold(what, dtype, n, c, h, w, r):
        return [differentiate(what, [values(dtype, n, c, h, w)], lambda x: F.unfold(x, r, padding=r // 2))]

    def searchsorted(what, dtype, boundaries, wanted):
        boundaries, wanted = values(dtype, boundaries).sort().values, values(dtype, wanted)
        return [lambda: torch.searchsorted(boundaries, wanted)]

    def adam(what, dtype, tensors, elements):
        parameters = [torch.nn.Parameter(values(dtype, elements)) for _ in range(tensors)]
        for p in parameters:
            p.grad = values(dtype, elements)
        return [torch.optim.Adam(parameters, fused=True).step]

    def unet(what, dtype, width, size, batch):
        sys.path.insert(0, str(HERE.parent))
        import unet_pytorch

        images = values(dtype, batch, 3, size, size).to(memory_format=torch.channels_last)
        model = unet_pytorch.UNet(width).to(args.device, images.dtype, memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True, capturable=what == "graph")
        labels = torch.randint(0, 2, (batch, size, size), device=args.device)

        def step():
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()

        return [captured(step) if what == "graph" else step]


def captured(step):
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def cudnn_attention(what, dtype, sizes):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def op(q, k, v):
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return F.scaled_dot_product_attention(q, k, v)

    return differentiate(what, [values(dtype, *sizes) for _ in range(3)], op)


def vendor_timer(ours, op, what, dtype, sizes):
    """How to time NVIDIA's library, or None."""
    if args.device != "cuda":
        return None
    if op in ("matmul", "conv2d") or (op, what) == ("attention", "forward"):
        forced = f"{op}_{what}:{'cublas' if op == 'matmul' else 'cudnn'}"
        return lambda: ours.time(forced)
    if op == "attention" and torch:
        work = cudnn_attention(what, dtype, sizes)
        return lambda: time_of([work])


def milliseconds(work, calls):
    if args.device == "cpu":
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        return 1e3 * (time.perf_counter() - begin) / calls
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    for _ in range(calls):
        work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / calls


def time_of(works):
    if args.smoke:
        return min(milliseconds(work, 1) for work in works)
    for work in works:
        milliseconds(work, 2)
    rough = [milliseconds(work, 3) for work in works]
    best = works[rough.index(min(rough))]
    return milliseconds(best, int(min(max(20 / min(rough), 3), 1000)))


def cost(op, what, dtype, sizes):
    """Floating-point operations, or bytes that must move."""
    width = 4 if dtype == "f32" else 2
    if op == "matmul":
        return 2 * sizes[0] * sizes[1] * sizes[2], 0
    if op == "conv2d":
        n, c, h, w, k, r, stride, padding = sizes
        p, q = ((side + 2 * padding - r) // stride + 1 for side in (h, w))
        return 2 * n * k * p * q * c * r * r, 0
    if op == "attention":  # two products forward, five backward
        n, heads, tokens, head = sizes
        return (4 if what == "forward" else 10) * n * heads * tokens * tokens * head, 0
    if op == "adam":
        return 0, 28 * sizes[0] * sizes[1]
    elements = 1
    for n in sizes:
        elements *= n
    passes = {"copy": (2, 0), "softmax": (2, 3), "layer_norm": (2, 3), "batch_norm": (3, 5)}.get(op)
    return 0, width * elements * passes[what == "backward"] if passes else 0


class Row:
    def __init__(self, op, what, dtype, sizes):
        self.op, self.what, self.dtype, self.sizes = op, what, dtype, sizes
        self.name = f"{op} {what} {dtype} {'x'.join(map(str, sizes))}"
        self.flops, self.bytes = cost(op, what, dtype, sizes)
        self.ours = self.vendor = self.pytorch = self.percent = None  # milliseconds, and of a copy's rate

    def speed(self):
        """Beside the faster of the others."""
        others = [t for t in (self.vendor, self.pytorch) if t]
        return min(others) / self.ours if others else None


class Table:
    def __init__(self):
        self.rows, self.copy, self.notes = [], 0, {}
        print(f"{'':48}{'ours ms':>9}{'vendor':>9}{'PyTorch':>9}{'/vendor':>8}{'/PyTorch':>9}   rate", flush=True)

    def note(self, reason):
        self.notes[reason] = self.notes.get(reason, 0) + 1

    def rate(self, row):
        if row.flops:
            return f"{row.flops / row.ours / 1e9:.4g} TFLOP/s"
        if not row.bytes:
            return ""
        gigabytes = row.bytes / row.ours / 1e6
        if row.op == "copy":
            self.copy = max(gigabytes, row.bytes / row.pytorch / 1e6 if row.pytorch else 0)
        if self.copy:
            row.percent = 100 * gigabytes / self.copy
        return f"{gigabytes:.4g} GB/s" + (f" {row.percent:.0f}%" if self.copy else "")

    def add(self, row):
        self.rows.append(row)
        rate, others = self.rate(row), (row.vendor, row.pytorch)
        times = "".join(f"{t:9.4g}" if t else f"{'':9}" for t in (row.ours, *others))
        speeds = "".join(f"{t / row.ours:{width}.2f}" if t else " " * width for t, width in zip(others, (8, 9)))
        print(f"{row.name:48}{times}{speeds}   {rate}".rstrip(), flush=True)

    def summary(self):
        """The geometric mean of the speeds for each op and dtype."""
        for reason, count in self.notes.items():
            print(f"no figure of the vendor's in {count} rows: {reason}")
        groups = {}
        for row in self.rows:
            if row.pytorch:
                groups.setdefault(f"{row.op} {row.what} {row.dtype}", []).append(row.pytorch / row.ours)
        if groups:
            print("\nspeed beside PyTorch, geometric mean (least)")
        for name, speeds in groups.items():
            print(f"{name:32}{statistics.geometric_mean(speeds):6.2f}  ({min(speeds):.2f})   of {len(speeds)}")

    def json(self):
        return json.dumps([{**vars(row), "speed": row.speed()} for row in self.rows], indent=1) + "\n"


def goals(rows):
    """Each goal with its figure: (what, figure or None, whether it is met)."""
    for op, where, counts in [("matmul", "10 GFLOP and more", lambda r: r.flops >= 1e10), ("conv2d", "10 GFLOP and more", lambda r: r.flops >= 1e10),
                              ("attention", "197 to 1,024 tokens", lambda r: r.sizes[2] <= 1024)]:
        for dtype in ("f32", "bf16"):
            speeds = [r.speed() for r in rows if r.op == op and r.dtype == dtype and counts(r) and r.speed()]
            figure = f"{min(speeds):.2f} at least, {statistics.geometric_mean(speeds):.2f} in the mean of {len(speeds)}" if speeds else None
            yield f"{op} {dtype}, {where}: 1.0x the faster of the others", figure, speeds and min(speeds) >= 1
    for op in ("softmax", "layer_norm", "batch_norm", "adam"):
        shares = [r.percent for r in rows if r.op == op and r.percent]
        yield f"{op}: 85 % of a copy's rate", f"{min(shares):.0f} % at least, of {len(shares)}" if shares else None, shares and min(shares) >= 85
    times = [r.ours for r in rows if r.op == "nms" and r.sizes == [1000]]
    yield "nms of 1,000 boxes: 0.1 ms", f"{times[0]:.3f} ms" if times else None, times and times[0] <= 0.1


def theirs(row):
    try:
        return getattr(Theirs, row.op)(row.what, row.dtype, *row.sizes) if torch else None
    except ImportError:  # torchvision has nms
        return None


def vendor_time(timer, table):
    try:
        return timer()
    except Exception as error:  # not for this call, or not in this build
        return table.note(str(error).splitlines()[0][:110])


def measure(ours, table, row):
    ours.setup(row.op, row.what, row.dtype, row.sizes)
    works = theirs(row)
    timer = vendor_time(lambda: vendor_timer(ours, row.op, row.what, row.dtype, row.sizes), table)
    times = {"ours": [], "vendor": [], "pytorch": []}
    for _ in range(1 if args.smoke else args.rounds):
        times["ours"].append(ours.time())
        if timer and (t := vendor_time(timer, table)):
            times["vendor"].append(t)
        else:
            timer = None
        if works:
            times["pytorch"].append(time_of(works))
    for side, measured in times.items():
        setattr(row, side, statistics.median(measured) if measured else None)
    table.add(row)


if torch:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if args.device == 'cuda' else 'the CPU'}")
table, ours, failed = Table(), Ours(), False
for row in map(lambda fields: Row(*fields), rows()):
    if args.only not in row.name:
        continue
    if time.monotonic() - start > args.seconds:
        print(f"{row.name:48} cut: no time left", flush=True)
        continue
    try:
        measure(ours, table, row)
    except Exception as error:
        failed = True
        print(f"{row.name:48} {str(error).splitlines()[0][:110]}", flush=True)
if not args.smoke:
    table.summary()
if not args.smoke and args.device == "cuda":
    print("\ngoals")
    for what, figure, met in goals(table.rows):
        print(f"{what:68}{'not measured' if figure is None else ('met' if met else 'missed') + ': ' + figure}")
if args.json:
    args.json.write_text(table.json())
sys.exit(not table.rows or (failed and args.smoke and args.device == "cuda"))  # not every row can run on a CPU
