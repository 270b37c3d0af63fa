"""Ops of the rows in PyTorch: for each its inputs, and the call. Layouts, gradients and compilation are added by work()."""
import torch
from torch.nn import functional as F

device = "cpu"
DTYPES = {"f32": torch.float32, "f64": torch.float64, "bf16": torch.bfloat16, "f16": torch.float16}


def values(dtype, *shape):
    return (2 * torch.rand(*shape, device=device) - 1).to(DTYPES[dtype])


def differentiate(what, xs, op):
    """The op, or its gradient with respect to the inputs that `what` says."""
    if what == "forward":
        return torch.no_grad()(lambda: op(*xs))
    inputs = [x.requires_grad_() for i, x in enumerate(xs) if what == "backward" or i == (0 if what == "grad_input" else 1)]
    y = op(*xs)
    gy = torch.rand_like(y)
    return lambda: torch.autograd.grad(y, inputs, gy, retain_graph=True)


def work(form, op, what, dtype, sizes):
    """A call without arguments. form: eager; channels_last, with images in that layout; compiled, in it too."""
    xs, call = getattr(Ops, op)(dtype, *sizes)
    if form != "eager":
        xs = [x.to(memory_format=torch.channels_last) if x.dim() == 4 else x for x in xs]
    if form == "compiled":
        torch._dynamo.reset()
        call = torch.compile(call, dynamic=False)
    return differentiate(what, xs, call) if xs else call


def unary(function):
    return lambda dtype, *sizes: ([values(dtype, *sizes)], function)


def matmul(dtype, m, n, k, transpose_a=False, transpose_b=False):
    a, b = values(dtype, *((k, m) if transpose_a else (m, k))), values(dtype, *((n, k) if transpose_b else (k, n)))
    return [a, b], lambda a, b: (a.t() if transpose_a else a) @ (b.t() if transpose_b else b)


class Ops:
    matmul = matmul
    matmul_nt = lambda *sizes: matmul(*sizes, transpose_b=True)
    matmul_tn = lambda *sizes: matmul(*sizes, transpose_a=True)
    matmul_tt = lambda *sizes: matmul(*sizes, transpose_a=True, transpose_b=True)
    relu = unary(F.relu)
    gelu = unary(F.gelu)
    silu = unary(F.silu)
    sigmoid = unary(torch.sigmoid)
    exp = unary(torch.exp)
    sum_all = unary(torch.sum)
    max_all = unary(torch.amax)
    sum_rows = unary(lambda x: x.sum(1))
    sum_columns = unary(lambda x: x.sum(0))
    max_rows = unary(lambda x: x.max(1).values)
    sum_channels = unary(lambda x: x.sum((0, 2, 3)))
    mean_pixels = unary(lambda x: x.mean((2, 3)))
    softmax = unary(lambda x: F.softmax(x, -1))
    log_softmax = unary(lambda x: F.log_softmax(x, -1))
    nchw_to_nhwc = unary(lambda x: x.permute(0, 2, 3, 1).contiguous())
    transpose = unary(lambda x: x.t().contiguous())

    def copy(dtype, n):
        return [values(dtype, n), values(dtype, n)], lambda x, y: y.copy_(x)

    def conv2d(dtype, n, c, h, w, k, r, stride, padding, groups=1):
        xs = [values(dtype, n, c, h, w), values(dtype, k, c // groups, r, r)]
        return xs, lambda x, w: F.conv2d(x, w, stride=stride, padding=padding, groups=groups)

    def conv_transpose2d(dtype, n, c, h, w, k, r, stride):
        return [values(dtype, n, c, h, w), values(dtype, c, k, r, r)], lambda x, w: F.conv_transpose2d(x, w, stride=stride)

    def attention(dtype, n, heads, tokens, head):
        return [values(dtype, n, heads, tokens, head) for _ in range(3)], F.scaled_dot_product_attention

    def layer_norm(dtype, rows, columns):
        xs = [values(dtype, rows, columns), values(dtype, columns), values(dtype, columns)]
        return xs, lambda x, w, b: F.layer_norm(x, (columns,), w, b)

    def batch_norm(dtype, n, c, h, w):
        mean, variance = torch.zeros(c, device=device), torch.ones(c, device=device)
        xs = [values(dtype, n, c, h, w), values("f32", c), values("f32", c)]
        return xs, lambda x, w, b: F.batch_norm(x, mean, variance, w, b, training=True)

    def group_norm(dtype, n, c, h, w, groups):
        return [values(dtype, n, c, h, w), values(dtype, c), values(dtype, c)], lambda x, w, b: F.group_norm(x, groups, w, b)

    def add(dtype, n):
        return [values(dtype, n), values(dtype, n)], torch.add

    def mul_channels(dtype, n, c, h, w):
        return [values(dtype, n, c, h, w), values(dtype, 1, c, 1, 1)], torch.mul

    def cross_entropy(dtype, n, classes, h, w):
        labels = torch.randint(0, classes, (n, h, w), device=device)
        return [values(dtype, n, classes, h, w)], lambda x: F.cross_entropy(x, labels)

    def max_pool2d(dtype, n, c, h, w, r, stride, padding):
        return [values(dtype, n, c, h, w)], lambda x: F.max_pool2d(x, r, stride, padding)

    def avg_pool2d(dtype, n, c, h, w, r, stride, padding):
        return [values(dtype, n, c, h, w)], lambda x: F.avg_pool2d(x, r, stride, padding)

    def adaptive_avg_pool2d(dtype, n, c, h, w, p):
        return [values(dtype, n, c, h, w)], lambda x: F.adaptive_avg_pool2d(x, p)

    def resize_bilinear(dtype, n, c, h, w, p, q):
        return [values(dtype, n, c, h, w)], lambda x: F.interpolate(x, (p, q), mode="bilinear")

    def resize_nearest(dtype, n, c, h, w, p, q):
        return [values(dtype, n, c, h, w)], lambda x: F.interpolate(x, (p, q))

    def cat(dtype, n, c, h, w):
        return [values(dtype, n, c, h, w), values(dtype, n, c, h, w)], lambda a, b: torch.cat([a, b], 1)

    def nms(dtype, n):
        from torchvision.ops import nms

        corner, extent = 10 * n**0.5 * torch.rand(n, 2, device=device), 10 + 90 * torch.rand(n, 2, device=device)
        return [torch.cat([corner, corner + extent], 1), values(dtype, n)], lambda boxes, scores: nms(boxes, scores, 0.5)

    def grid_sample(dtype, n, c, h, w, p, q):
        xs = [values(dtype, n, c, h, w), values(dtype, n, p, q, 2)]
        return xs, lambda x, grid: F.grid_sample(x, grid, align_corners=False)

    def unfold(dtype, n, c, h, w, r):
        return [values(dtype, n, c, h, w)], lambda x: F.unfold(x, r, padding=r // 2)

    def searchsorted(dtype, boundaries, wanted):
        return [values(dtype, boundaries).sort().values, values(dtype, wanted)], torch.searchsorted

    def adam(dtype, tensors, elements):
        parameters = [torch.nn.Parameter(values(dtype, elements)) for _ in range(tensors)]
        for p in parameters:
            p.grad = values(dtype, elements)
        optimizer = torch.optim.Adam(parameters, fused=True)
        return [], lambda: optimizer.step()
