#!/usr/bin/env python3
"""./run profile and TAPETUM_EMULATION_PROFILE, as a person would use them. usage: check_command.py BIN_FOLDER"""
import json, pathlib, sys, unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "programs"))
from harness import ProgramTest, run

SOFTMAX = ["softmax_forward", "--candidate", "lines", "--row", "softmax large", "--shapes", "4x256"]


class Command(ProgramTest):
    def profile(self, *arguments, **more):
        result = run("profile_kernels", *arguments, **more)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_table(self):
        text = self.profile(*SOFTMAX)
        self.assertIn("softmax_forward:lines  softmax large, f32 4x256", text)
        self.assertIn("kernels/cuda/softmax.cu", text)
        self.assertRegex(text, r"global load 4 .*const C v = widen\(x\[at\]\);")  # the source beside the counts
        self.assertRegex(text, r"loads: 0\.012 MB in sectors, 0\.004 MB of different bytes \(3\.00 times\)")

    def test_json(self):
        result = json.loads(self.profile(*SOFTMAX, "--json"))
        self.assertEqual((result["slot"], result["candidate"], result["dtype"], result["shapes"]), ("softmax_forward", "lines", "f32", "4x256"))
        (kernel,) = result["kernels"]
        self.assertEqual((kernel["unique_read"], kernel["loaded"], kernel["unique_written"]), (4096, 3 * 4096, 4096))
        self.assertEqual({l["file"] for l in kernel["lines"] if l["kind"].startswith("global")}, {"kernels/cuda/softmax.cu"})
        file = self.folder / "counts.json"
        self.assertIn("softmax_forward", self.profile(*SOFTMAX, f"--json={file}"))
        self.assertEqual(json.loads(file.read_text()), result)

    def test_races(self):
        self.assertEqual(self.profile("softmax_forward", "--races", "--row", "softmax"), "softmax_forward:registers: no race\nsoftmax_forward:lines: no race\n")

    def test_list(self):
        slots = dict(line.split(maxsplit=1) for line in self.profile("--list").splitlines())
        self.assertGreater(len(slots), 40)
        self.assertIn("winograd_f4", slots["conv2d_forward"])
        self.assertIn("softmax large", self.profile("--list", "softmax_forward"))

    def test_candidate_and_dtype(self):
        row = ["conv2d_forward", "--row", "conv2d 3x3", "--shapes", "1x8x8x8", "8x8x3x3"]
        first, second = (json.loads(self.profile(*row, "--candidate", c, "--json")) for c in ("winograd_f2", "direct"))
        self.assertEqual((first["candidate"], second["candidate"]), ("winograd_f2", "direct"))
        self.assertEqual(first["flops"], second["flops"])  # of the direct form
        self.assertGreater(len(first["kernels"]), len(second["kernels"]))
        half = json.loads(self.profile(*SOFTMAX, "--dtype", "f16", "--json"))
        self.assertEqual(half["kernels"][0]["unique_read"], 2048)

    def test_errors(self):
        for words, arguments in {
            ("no slot 'sofmax'", "--list"): ["sofmax"],
            ("a SLOT is needed",): [],
            ("one SLOT",): ["softmax_forward", "matmul_forward"],
            ("no candidate 'x'", "lines"): ["softmax_forward", "--candidate", "x"],
            ("no row of softmax_forward is named 'x y'",): ["softmax_forward", "--row", "x y"],
            ("--shapes", "'4x'"): ["softmax_forward", "--shapes", "4x"],
            ("--dtype", "i64"): ["softmax_forward", "--dtype", "i64"],
        }.items():
            self.assert_one_line(run("profile_kernels", *arguments), 2, *words)
        self.assert_one_line(run("profile_kernels", "softmax_forward", "--shapes", "4", "5"), 1, "no row", "softmax_forward")
        self.assert_one_line(run("profile_kernels", "softmax_forward", "--json=/nowhere/x.json"), 1, "/nowhere/x.json")

    def test_variable(self):
        file = self.folder / "counts.json"
        self.profile(*SOFTMAX, env={"TAPETUM_EMULATION_PROFILE": "0"})
        with_file = run("profile_kernels", *SOFTMAX, "--json", env={"TAPETUM_EMULATION_PROFILE": str(file)})
        self.assertEqual((with_file.returncode, with_file.stderr), (0, ""))
        self.assertEqual(json.loads(file.read_text()), [])  # the program counted by itself
        launch = run("test_profile", "profile: a launch", env={"TAPETUM_EMULATION_PROFILE": "1"})
        self.assertEqual(launch.returncode, 0)
        self.assertRegex(launch.stderr, r"fill  grid 2x1x1, block 64x1x1, 1 launch\n")  # and nothing of it on standard output
        self.assertNotIn("grid 2x1x1", launch.stdout)
        run("test_profile", "profile: a launch", env={"TAPETUM_EMULATION_PROFILE": str(file)})
        (kernel,) = json.loads(file.read_text())
        self.assertEqual((kernel["launches"], kernel["unique_written"]), (1, 400))
        self.assert_one_line(run("profile_kernels", "--list", env={"TAPETUM_EMULATION_PROFILE": "yes"}), 2, "TAPETUM_EMULATION_PROFILE=yes", "file.json")
        self.assert_one_line(run("profile_kernels", "--list", env={"TAPETUM_EMULATION_PROFILE": "/nowhere/x.json"}), 2, "/nowhere/x.json", "No such file")


unittest.main()
