"""Every public header compiles alone; core/tensor.h stays light; none pulls in what users should not pay for."""
import pathlib, subprocess, sys

compiler, root = sys.argv[1], pathlib.Path(sys.argv[2])
FORBIDDEN = ["/functional", "/iostream", "Eigen/", "cuda_runtime"]
BUDGET = {"core/tensor.h": 250_000}
errors = []
for folder in ["kernels", "core", "nn", "optim", "data", "models", "train", "viz"]:
    for header in sorted((root / folder).rglob("*.h")):
        name = header.relative_to(root).as_posix()
        if name.startswith(("kernels/cuda", "kernels/cpu")):
            continue
        text = subprocess.run([compiler, "-std=c++20", "-I", str(root), "-E", "-x", "c++", "-"], input=f'#include "{name}"\n', capture_output=True, text=True)
        if text.returncode:
            errors.append(f"{name} does not compile alone:\n{text.stderr}")
            continue
        if len(text.stdout) > BUDGET.get(name, 10**9):
            errors.append(f"{name} preprocesses to {len(text.stdout)} bytes, more than {BUDGET[name]}")
        lines = [l for l in text.stdout.splitlines() if l.startswith("# ")]
        errors += [f"{name} pulls in {bad}" for bad in FORBIDDEN if any(f"{bad}\"" in l or (bad.endswith("/") and bad in l) for l in lines)]
        if name in BUDGET:
            print(f"{name}: {len(text.stdout)} bytes")
print("\n".join(errors) or "headers are light")
sys.exit(bool(errors))
