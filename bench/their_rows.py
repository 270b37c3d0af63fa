"""Theirs for versus_pytorch, as bench_gpu is ours: answers the same questions about rows, in the form that the first argument says.
eager, channels_last, compiled: PyTorch's (compiled: torch.compile, channels-last). openblas: NumPy's. onnxruntime, openvino: of models. torchvision, pillow,
albumentations: pipelines of images. usage: their_rows.py FORM THREADS"""
import sys, time


def work(form, op, what, dtype, sizes):
    if form == "openblas":
        return product(op, *sizes)
    if op == "photos":
        import photos_python

        return photos_python.work(form, *sizes)
    import pytorch_models, pytorch_ops

    return (pytorch_ops if hasattr(pytorch_ops.Ops, op) else pytorch_models).work(form, op, what, dtype, sizes)


def product(op, m, n, k):
    import numpy

    random = lambda transposed, *shape: numpy.random.rand(*(shape[::-1] if transposed else shape)).astype(numpy.float32)
    layout = op.removeprefix("matmul").lstrip("_") or "nn"
    a, b = random(layout[0] == "t", m, k), random(layout[1] == "t", k, n)
    a, b, c = a.T if layout[0] == "t" else a, b.T if layout[1] == "t" else b, numpy.empty((m, n), numpy.float32)
    return lambda: numpy.matmul(a, b, out=c)


def milliseconds(call, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return 1e3 * (time.perf_counter() - begin) / calls


def time_of(call, calls):
    """As bench_gpu's."""
    if calls:
        return milliseconds(call, calls)
    first = milliseconds(call, 1)
    if first > 100:
        return first
    milliseconds(call, 1)
    return milliseconds(call, int(min(max(20 / milliseconds(call, 3), 1), 1000)))


def main():
    form, threads = sys.argv[1], int(sys.argv[2])
    if form != "openblas":
        import torch

        torch.set_num_threads(threads)
    call, calls = None, 0
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            if verb == "row":
                call = None  # its memory goes first
                call = work(form, *words[:3], [int(n) for n in words[3:]])
                call()
                answer = "ok"
            elif verb == "calls":
                calls, answer = int(words[0]), "ok"
            else:
                answer = f"{time_of(call, calls):.6f}"
        except Exception as error:
            answer = f"error: {type(error).__name__}: " + (str(error).strip().splitlines() or [""])[0][:150]
        print(answer, file=replies, flush=True)


if __name__ == "__main__":
    replies, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    main()
