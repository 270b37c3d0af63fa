#!/usr/bin/env python3
"""Times the rows of rows.tsv, alternately in one run: ours (bench_gpu, a process of its own), the same calls forced to NVIDIA's library, and PyTorch.

Vendor is cuBLAS or cuDNN under our own tensors, and for the gradient of attention cuDNN under PyTorch; without them and without PyTorch it times ours
alone. A speed is theirs / ours: above 1 we are faster. f32 is exact on all sides (no TF32). PyTorch has cuDNN's choice of the fastest algorithm, and
images the faster of its two memory formats. Rates: TFLOP/s where arithmetic counts, otherwise GB/s and % of what a copy reaches."""
import argparse, json, pathlib, statistics, sys, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import rows

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--tree", type=pathlib.Path, default=HERE.parents[1] / "build/gpu", help="the build tree")
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

        import pytorch_models, pytorch_ops

        pytorch_ops.device = "cuda"
    except ImportError:
        pass
start = time.monotonic()


def cudnn_attention(what, dtype, sizes):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def op(q, k, v):
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return F.scaled_dot_product_attention(q, k, v)

    return pytorch_ops.differentiate(what, [pytorch_ops.values(dtype, *sizes) for _ in range(3)], op)


def vendor_timer(ours, op, what, dtype, sizes):
    """How to time NVIDIA's library, or None."""
    if op in ("matmul", "conv2d") or (op, what) == ("attention", "forward"):
        forced = f"{op}_{what}:{'cublas' if op == 'matmul' else 'cudnn'}"
        return lambda: ours.time(forced)
    if op == "attention" and torch:
        work = cudnn_attention(what, dtype, sizes)
        return lambda: time_of([work])


def milliseconds(work, calls):
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


class Row(rows.Row):
    def __init__(self, *fields):
        super().__init__(*fields)
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
        if row.op == "copy":
            self.copy = row.bytes / min(row.ours, row.pytorch or row.ours) / 1e6
        if self.copy and row.bytes:
            row.percent = 100 * row.bytes / row.ours / 1e6 / self.copy
        return row.rate(row.ours, self.copy)

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


def goals(timed):
    """Each goal with its figure: (what, figure or None, whether it is met)."""
    for op, where, counts in [("matmul", "10 GFLOP and more", lambda r: r.flops >= 1e10), ("conv2d", "10 GFLOP and more", lambda r: r.flops >= 1e10),
                              ("attention", "197 to 1,024 tokens", lambda r: r.sizes[2] <= 1024)]:
        for dtype in ("f32", "bf16"):
            speeds = [r.speed() for r in timed if r.op == op and r.dtype == dtype and counts(r) and r.speed()]
            figure = f"{min(speeds):.2f} at least, {statistics.geometric_mean(speeds):.2f} in the mean of {len(speeds)}" if speeds else None
            yield f"{op} {dtype}, {where}: 1.0x the faster of the others", figure, speeds and min(speeds) >= 1
    for op in ("softmax", "layer_norm", "batch_norm", "adam"):
        shares = [r.percent for r in timed if r.op == op and r.percent]
        yield f"{op}: 85 % of a copy's rate", f"{min(shares):.0f} % at least, of {len(shares)}" if shares else None, shares and min(shares) >= 85
    times = [r.ours for r in timed if r.op == "nms" and r.sizes == [1000]]
    yield "nms of 1,000 boxes: 0.1 ms", f"{times[0]:.3f} ms" if times else None, times and times[0] <= 0.1


def theirs(row):
    """PyTorch's works, of which the fastest counts."""
    try:
        module = (pytorch_ops if hasattr(pytorch_ops.Ops, row.op) else pytorch_models) if torch else None
        return [module.work(form, row.op, row.what, row.dtype, row.sizes) for form in row.forms] if torch else None
    except ImportError:  # torchvision has nms
        return None


def vendor_time(timer, table):
    try:
        return timer()
    except Exception as error:  # not for this call, or not in this build
        return table.note(str(error).splitlines()[0][:110])


def measure(ours, table, row):
    ours.ask(row.question())
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
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}")
table, ours, failed = Table(), rows.Side([args.tree / "bin/bench_gpu", "cuda"], calls=int(args.smoke)), False
for row in rows.read(args.rows, args.smoke, Row):
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
    print("\ngoals")
    for what, figure, met in goals(table.rows):
        print(f"{what:68}{'not measured' if figure is None else ('met' if met else 'missed') + ': ' + figure}")
if args.json:
    args.json.write_text(table.json())
sys.exit(not table.rows or (failed and args.smoke))
