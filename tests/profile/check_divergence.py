#!/usr/bin/env python3
"""Random kernels of nested ifs, loops with trips that differ by lane, break, continue, return and calls: does the profiler group the lanes of
a warp as a machine does that joins them at the end of every if and loop? What to expect comes from an interpreter with masks.
usage: check_divergence.py TREE [SEED] [KERNELS]"""
import json, os, pathlib, random, shlex, subprocess, sys, tempfile

TREE = pathlib.Path(sys.argv[1]).resolve()
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 2
KERNELS = int(sys.argv[3]) if len(sys.argv) > 3 else 200
rng = random.Random(SEED)


class Condition:
    """(sum of factors * names + offset) % modulus, as text and as a function of the names' values."""

    def __init__(self, variables):
        self.terms = [(rng.randrange(1, 8), "lane")] + [(rng.randrange(0, 6), v) for v in variables]
        self.modulus, self.offset = rng.choice((2, 3, 4, 5, 8)), rng.randrange(8)
        self.limit = rng.randrange(1, self.modulus)
        self.text = "(" + " + ".join(f"{k} * {n}" for k, n in self.terms) + f" + {self.offset}) % {self.modulus}"
        self.holds_text = f"{self.text} < {self.limit}"

    def value(self, env):
        return (sum(k * env[n] for k, n in self.terms) + self.offset) % self.modulus

    def holds(self, env):
        return self.value(env) < self.limit


class Generator:
    """Writes a function's source and returns it as a tree: ("load", line), ("if", condition, then, else), ..."""

    def __init__(self, out, function=None):
        self.out, self.function = out, function

    def write(self, indent, text):
        self.out.append("  " * indent + text)

    def load(self, indent):
        self.write(indent, f"s += x[lane * 64 + {rng.randrange(64)}];")
        return "load", len(self.out)

    def body(self, indent, depth, variables=(), in_loop=False):
        tree = []
        for _ in range(rng.randrange(1, 4)):
            kind = rng.random()
            if depth == 0 or kind < 0.3:
                tree.append(self.load(indent))
            elif kind < 0.6:
                tree.append(self.branch(indent, depth, variables, in_loop))
            elif kind < 0.85:
                tree.append(self.loop(indent, depth, variables))
            elif kind < 0.95 and in_loop:
                tree.append(self.jump(indent, rng.choice(("break", "continue")), variables))
            elif kind < 0.97 and self.function:
                tree.append(self.jump(indent, "return", variables))
            elif self.function:
                self.write(indent, f"s += {self.function[0]}(x, lane);")
                tree.append(("call", self.function[1]))
        return tree

    def branch(self, indent, depth, variables, in_loop):
        c, other = Condition(variables), []
        self.write(indent, f"if ({c.holds_text}) {{")
        then = self.body(indent + 1, depth - 1, variables, in_loop)
        if rng.random() < 0.5:
            self.write(indent, "} else {")
            other = self.body(indent + 1, depth - 1, variables, in_loop)
        self.write(indent, "}")
        return "if", c, then, other

    def loop(self, indent, depth, variables):
        c, i = Condition(variables), f"i{len(variables)}"
        self.write(indent, f"for (int {i} = 0; {i} < {c.text}; ++{i}) {{")
        inside = self.body(indent + 1, depth - 1, (*variables, i), True)
        self.write(indent, "}")
        return "for", c, i, inside

    def jump(self, indent, word, variables):
        c = Condition(variables)
        self.write(indent, f"if ({c.holds_text}) {word};")
        return word, c


def select(mask, env, f):
    return sum(1 << lane for lane in range(32) if mask >> lane & 1 and f({**env, "lane": lane}))


def interpret(tree, mask, env, counts, left):
    """Adds (requests, lanes) of each line to `counts`. `left`: the lanes that have left this body, by the word that made them."""
    for statement in tree:
        mask &= ~(left["break"] | left["continue"] | left["return"])
        if not mask:
            return
        word = statement[0]
        if word == "load":
            requests, lanes = counts.get(statement[1], (0, 0))
            counts[statement[1]] = requests + 1, lanes + mask.bit_count()
        elif word == "call":
            interpret(statement[1], mask, {}, counts, nobody())
        elif word == "if":
            then = select(mask, env, statement[1].holds)
            interpret(statement[2], then, env, counts, left)
            interpret(statement[3], mask & ~then, env, counts, left)
        elif word == "for":
            _, c, i, inside = statement
            turn, turning = 0, mask
            while turning := select(turning, env, lambda e: turn < c.value(e)):
                inner = nobody()
                interpret(inside, turning, {**env, i: turn}, counts, inner)
                left["return"] |= inner["return"]
                turning &= ~(inner["break"] | inner["return"])
                turn += 1
        else:
            left[word] |= select(mask, env, statement[1].holds)


def nobody():
    return {"break": 0, "continue": 0, "return": 0}


def make_kernels(out):
    """The expected counts of each kernel."""
    expected = {}
    for n in range(KERNELS):
        out += [f"__attribute__((noinline)) __device__ float f{n}(volatile const float* x, int lane) {{", "  float s = 0;"]
        function = f"f{n}", Generator(out).body(1, 2)
        out += ["  return s;", "}", f"__global__ void k{n}(volatile const float* x, float* y) {{", "  const int lane = threadIdx.x;", "  float s = 0;"]
        tree = Generator(out, function).body(1, 4)
        out.append("  y[lane] = s;")
        tree.append(("load", len(out)))
        out.append("}")
        expected[f"k{n}"] = counts = {}
        interpret(tree, 0xFFFFFFFF, {}, counts, nobody())
    return expected


def compile_and_run(folder, source):
    """What the profiler says: kernels with their lines."""
    commands = json.loads((TREE / "compile_commands.json").read_text())
    entry = next(c for c in commands if c["file"].endswith("tests/profile/test_paths.cu"))
    words = [w for w in shlex.split(entry["command"]) if "ccache" not in w]
    words = words[:words.index("-o")] + ["-w", "-c", str(source), "-o", str(folder / "kernels.o")]
    subprocess.run(words, cwd=entry["directory"], check=True)
    subprocess.run([words[0], folder / "kernels.o", "-o", folder / "kernels", f"-L{TREE}", "-ltapetum", f"-Wl,-rpath,{TREE}"], check=True)
    subprocess.run([folder / "kernels"], check=True, env={**os.environ, "TAPETUM_EMULATION_PROFILE": str(folder / "counts.json")})
    return json.loads((folder / "counts.json").read_text())


out = ['#include "kernels/cuda/gpu/gpu.cuh"', "namespace {"]
expected = make_kernels(out)
launches = [f"  (void)gpu::launch<k{n}>({{.grid = 1, .block = 32}}, x, y);" for n in range(KERNELS)]
out += ["}", "int main() {", "  float *x, *y;", "  cudaMalloc(&x, 8192);", "  cudaMalloc(&y, 128);", "  cudaMemset(x, 0, 8192);", *launches, "}"]
with tempfile.TemporaryDirectory() as folder:
    source = pathlib.Path(folder) / "kernels.cu"
    source.write_text("\n".join(out) + "\n")
    kernels = compile_and_run(pathlib.Path(folder), source)

lines, wrong = 0, []
for kernel in kernels:
    name, counted = kernel["name"].split("::")[-1], {}
    for line in kernel["lines"]:
        if line["kind"] in ("global load", "global store"):
            requests, lanes = counted.get(line["line"], (0, 0))
            counted[line["line"]] = requests + line["requests"], lanes + line["lanes"]
    lines += len(expected[name])
    for line in sorted({*expected[name], *counted}):
        if counted.get(line) != expected[name].get(line):
            wrong.append(f"{name} line {line}: requests and lanes {counted.get(line)}, not {expected[name].get(line)}: {out[line - 1].strip()}")
print("\n".join(wrong[:20]))
print(f"seed {SEED}: {len(kernels)} kernels, {lines} lines with accesses, {len(wrong)} of them differ")
sys.exit(bool(wrong) or len(kernels) != KERNELS)
