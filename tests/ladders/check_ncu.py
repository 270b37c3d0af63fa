#!/usr/bin/env python3
"""The counts of the ladders' steps beside those of Nsight Compute, on a machine with a GPU. It prints them side by side, and how many are the same.
usage: check_ncu.py BIN_FOLDER COUNTS

COUNTS has a line for each ladder, what ./run ladder NAME --json prints, from any machine: ./run gpu-pack leaves it in .gpu-pack/ladders.json. Exit codes:
0 compared, 1 ncu failed, 77 there is no ncu."""
import csv, json, pathlib, shutil, subprocess, sys

# Ours: kinds of lines and what is summed over them. docs/ladders/on-a-gpu.md
METRICS = {
    "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum": (["global load"], "requests"),
    "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum": (["global store"], "requests"),
    "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum": (["global load"], "sectors"),
    "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum": (["global store"], "sectors"),
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum": (["shared load"], "conflicts"),
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum": (["shared store"], "conflicts"),
    "smsp__inst_executed_op_shared_ld.sum": (["shared load"], "requests"),
    "smsp__inst_executed_op_shared_st.sum": (["shared store"], "requests"),
}


def counted(step, kinds, what):
    lines = [line for kernel in step["kernels"] for line in kernel["lines"] if line["kind"] in kinds]
    return sum(line["wavefronts"] - line["ideal_wavefronts"] if what == "conflicts" else line[what] for line in lines)


def measured(folder, ladder, number):
    """{metric: sum over the step's kernels}"""
    command = ["ncu", "--csv", "--page", "raw", "--print-units", "base", "--metrics", ",".join(METRICS), f"{folder}/run_step", ladder, str(number)]
    result = subprocess.run(command, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    header = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if result.returncode or header is None:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    rows = list(csv.DictReader(lines[header:]))[1:]  # the first has the units
    return {metric: round(sum(float(row[metric].replace(",", "")) for row in rows)) for metric in METRICS}


if not shutil.which("ncu"):
    print("skipped: no ncu")
    sys.exit(77)
same = all_of_them = 0
for line in pathlib.Path(sys.argv[2]).read_text().splitlines():
    ladder = json.loads(line)
    for step in ladder["steps"]:
        theirs = measured(sys.argv[1], ladder["ladder"], step["number"])
        ours = {metric: counted(step, *how) for metric, how in METRICS.items()}
        same += sum(ours[m] == theirs[m] for m in METRICS)
        all_of_them += len(METRICS)
        for m in METRICS:
            if ours[m] != theirs[m]:
                print(f"{ladder['ladder']} {step['number']} {step['name']:16} {m:58} counted {ours[m]:10} ncu {theirs[m]:10}", flush=True)
print(f"{same} of {all_of_them} counts are Nsight Compute's")
