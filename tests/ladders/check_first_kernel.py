#!/usr/bin/env python3
"""Whether the program of docs/ladders/cuda-without-a-gpu.md does what the page shows: its commands are run, and print what stands under them."""
import pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
page = (ROOT / "docs/ladders/cuda-without-a-gpu.md").read_text()
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "kernels").symlink_to(ROOT / "kernels")
    pathlib.Path(folder, "smooth.cu").write_text(re.search(r"```cpp\n(.*?)```", page, re.S)[1])
    sessions = re.findall(r"```\n(\$ .*?)```", page, re.S)
    for command, shown in re.findall(r"(?m)^\$ (.*)\n((?:[^$].*\n)*)", "".join(sessions)):
        result = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
        if (result.returncode, result.stdout, result.stderr) != (0, shown, ""):
            sys.exit(f"$ {command}\n{result.stdout}{result.stderr}exit code {result.returncode}; the page shows:\n{shown}")
print(f"{len(sessions)} sessions as shown")
