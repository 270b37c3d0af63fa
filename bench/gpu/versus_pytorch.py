#!/usr/bin/env python3
"""Times the rows of rows.tsv: ours (bench_gpu, a process of its own) and PyTorch, alternately in one run. Without PyTorch, ours alone.

The speed is theirs / ours: 1 is as fast as PyTorch, above 1 is faster. f32 is exact on both sides (no TF32). PyTorch has cuDNN's choice of the
fastest algorithm, and convolutions the faster of its two memory formats. Rates: TFLOP/s where arithmetic counts, otherwise GB/s and % of what a copy reaches."""
import argparse, itertools, json, pathlib, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--tree", type=pathlib.Path, default=HERE.parents[1] / "build/gpu", help="the build tree")
parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
parser.add_argument("--only", default="", help="rows whose name has this text")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=1e9, help="begin no row after that")
parser.add_argument("--smoke", action="store_true", help="tiny sizes, one call: that everything runs")
parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
args = parser.parse_args()
try:
    import torch
    from torch.nn import functional as F
except ImportError:
    torch = None
start = time.monotonic()


def rows():
    for line in (HERE / "rows.tsv").read_text().splitlines():
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
        self.ask(f"rounds {int(args.smoke)}")

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
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
        labels = torch.randint(0, 2, (batch, size, size), device=args.device)

        def step():
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()

        return [step]


def milliseconds(work, calls):
    wait = torch.cuda.synchronize if args.device == "cuda" else lambda: None
    wait()
    begin = time.perf_counter()
    for _ in range(calls):
        work()
    wait()
    return 1e3 * (time.perf_counter() - begin) / calls


def time_of(works):
    if args.smoke:
        return min(milliseconds(work, 1) for work in works)
    for work in works:
        milliseconds(work, 2)
    rough = [milliseconds(work, 3) for work in works]
    best = works[rough.index(min(rough))]
    return milliseconds(best, int(min(max(50 / min(rough), 3), 2000)))


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


class Table:
    def __init__(self):
        self.figures, self.copy = [], 0
        print(f"{'':52}{'ours ms':>10}{'PyTorch':>10}{'speed':>7}   rate", flush=True)

    def add(self, name, op, flops, size, ours, theirs):
        rate = ""
        if flops:
            rate = f"{flops / ours / 1e9:.4g} TFLOP/s"
        elif size:
            gigabytes = size / ours / 1e6
            if op == "copy":
                self.copy = max(gigabytes, size / theirs / 1e6 if theirs else 0)
            rate = f"{gigabytes:.4g} GB/s" + (f" {100 * gigabytes / self.copy:.0f}%" if self.copy else "")
        speed = theirs / ours if theirs else None
        self.figures.append({"name": name, "milliseconds": ours, "pytorch": theirs, "speed": speed, "rate": rate})
        print(f"{name:52}{ours:10.4g}" + (f"{theirs:10.4g}{speed:7.2f}" if theirs else f"{'':17}") + f"   {rate}", flush=True)

    def summary(self):
        """The geometric mean of the speeds for each op and dtype."""
        groups = {}
        for f in self.figures:
            if f["speed"]:
                op, what, dtype, _ = f["name"].split()
                groups.setdefault(f"{op} {what} {dtype}", []).append(f["speed"])
        print("\nspeed beside PyTorch, geometric mean (least)")
        for name, speeds in groups.items():
            print(f"{name:32}{statistics.geometric_mean(speeds):6.2f}  ({min(speeds):.2f})   of {len(speeds)}")


def theirs(op, what, dtype, sizes):
    try:
        return getattr(Theirs, op)(what, dtype, *sizes) if torch else None
    except ImportError:  # torchvision has nms
        return None


def measure(ours, table, op, what, dtype, sizes):
    name = f"{op} {what} {dtype} {'x'.join(map(str, sizes))}"
    if args.only not in name:
        return
    if time.monotonic() - start > args.seconds:
        return print(f"{name:52} cut: no time left", flush=True)
    try:
        ours.setup(op, what, dtype, sizes)
        works = theirs(op, what, dtype, sizes)
        rounds = [(ours.time(), time_of(works) if works else None) for _ in range(1 if args.smoke else args.rounds)]
        mine, other = (statistics.median(side) if side[0] is not None else None for side in zip(*rounds))
        table.add(name, op, *cost(op, what, dtype, sizes), mine, other)
    except Exception as error:
        print(f"{name:52} {str(error).splitlines()[0][:110]}", flush=True)


if torch:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if args.device == 'cuda' else 'the CPU'}")
table, ours = Table(), Ours()
for row in rows():
    measure(ours, table, *row)
table.summary()
if args.json:
    args.json.write_text(json.dumps(table.figures, indent=1) + "\n")
sys.exit(not table.figures)
