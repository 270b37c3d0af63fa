"""Every kernel slot that kernels/*.h declares has a reference and a CUDA kernel in its family's list."""
import pathlib, re, subprocess, sys

compiler, root = sys.argv[1], pathlib.Path(sys.argv[2])

DECLARATION = re.compile(r"extern const (?:KernelSlot<\w+>|\w+Slot) ([\w, ]+);")


ALL = [f"-DTAPETUM_WITH_{name}" for name in ("CUDA", "CUB", "CUBLAS", "CUDNN")]


def initializer(text, start):
    """From the brace at `start` to the one that closes it."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[start:i]


def lists():
    """The candidates of each slot in a build with all there is, after preprocessing: families of one shape are macros."""
    found = {}
    for source in sorted((root / "kernels").glob("*.cpp")):
        if "constinit" not in source.read_text():
            continue
        text = subprocess.run([compiler, "-std=c++20", *ALL, "-I", str(root), "-E", "-P", str(source)], capture_output=True, text=True, check=True).stdout
        for match in re.finditer(r"constinit const [\w<>]+ (\w+)\s*(?=\{)", text):
            found[match.group(1)] = set(re.findall(r"Entry<\w+>\s*\{\{&(\w+)", initializer(text, match.end())))
    return found


declared = {name.strip(): header.name for header in sorted((root / "kernels").glob("*.h")) for names in DECLARATION.findall(header.read_text()) for name in names.split(",")}
found = lists()
errors = [f"kernels/{header}: no family file lists {slot}" for slot, header in declared.items() if slot not in found]
for slot, candidates in sorted(found.items()):
    if not any(c.endswith("_reference") for c in candidates):
        errors.append(f"{slot}: no reference")
    if not any(c.endswith("_cuda") for c in candidates):
        errors.append(f"{slot}: no CUDA kernel")
print("\n".join(errors) or f"{len(found)} slots, {sum(len(c) for c in found.values())} candidates")
sys.exit(bool(errors) or not declared)
