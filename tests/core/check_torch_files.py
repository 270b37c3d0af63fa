"""Reads, with PyTorch, a .pth that the library wrote: torch.load(weights_only=True) and memory mapping. Says that it skips where there is no PyTorch:
TAPETUM_TORCH_PYTHON names an interpreter that has it."""
import os, pathlib, subprocess, sys, tempfile

READ = """
import torch, sys
for mapped in False, True:
    state = torch.load(sys.argv[1], weights_only=True, mmap=mapped)
    assert list(state) == ["f64", "f32", "f16", "bf16", "i64", "i32", "u8", "i8", "bool", "scalar", "empty", "transposed", "tied.a", "tied.b", "ünï"], list(state)
    types = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32, "u8": torch.uint8, "i8": torch.int8}
    for name, dtype in types.items():
        assert state[name].dtype == dtype and state[name].tolist() == [[0, 1, 2], [3, 4, 5]], (name, state[name])
    assert state["bool"].tolist() == [False, True, False]
    assert state["scalar"].shape == () and state["scalar"].item() == 2.5
    assert state["empty"].shape == (0, 7)
    assert state["transposed"].tolist() == [[0, 1, 2], [3, 4, 5]] and state["transposed"].is_contiguous()
    assert state["tied.a"].data_ptr() == state["tied.b"].data_ptr()
print(len(state), "tensors")
"""

python = os.environ.get("TAPETUM_TORCH_PYTHON", sys.executable)
if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
    print("skipped: no PyTorch; TAPETUM_TORCH_PYTHON may name an interpreter that has it")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "a .pth file for another reader"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([python, "-c", READ, str(pathlib.Path(folder) / "other.pth")], check=True)
