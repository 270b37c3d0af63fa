#!/usr/bin/env python3
"""./run ladder of the CPU's ladders, as a person would use it. usage: check_times.py BIN_FOLDER"""
import json, pathlib, sys, unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "programs"))
from harness import ProgramTest, run


class Times(ProgramTest):
    def ladder(self, *arguments):
        result = run("ladder", *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_table(self):
        text = self.ladder("cpu_conv", "--step", "4")
        self.assertRegex(text, r"(?m)^f32, timed at 112x112x64x64: median of \d+ rounds, \d+ threads$")
        self.assertRegex(text, r"(?m)^ +lines +ms +x faster +GFLOP/s +% of peak$")
        self.assertRegex(text, r"(?m)^4 in_place +\d+ +\d+\.\d{3} +1\.00 +\d+\.\d +\d+\.\d$")

    def test_json(self):
        (step,) = json.loads(self.ladder("cpu_conv", "--step", "6", "--json"))["steps"]
        self.assertEqual((step["name"], step["file"]), ("winograd4", "ladders/cpu_conv/6_winograd4.cpp"))
        flops = 18 * 112 * 112 * 64 * 64
        self.assertAlmostEqual(step["gflop_per_s"] * step["ms"], 1e-6 * flops, delta=1e-9 * flops)

    def test_show(self):
        lines = self.ladder("cpu_conv", "--step", "6", "--show").splitlines()
        self.assertEqual(lines[0], "ladders/cpu_conv/6_winograd4.cpp, against ladders/cpu_conv/5_winograd2.cpp")
        self.assertEqual([l[1] for l in lines[1:] if l[1:2] in ("-", "+")], ["-", "+", "-", "+"])

    def test_other_trees(self):
        self.assertRegex(self.ladder("--list"), r"(?m)^softmax +gpu-profile  y\[i\]")
        self.assert_one_line(run("ladder", "softmax"), 2, "softmax has no steps in this tree", "gpu-profile")


unittest.main()
