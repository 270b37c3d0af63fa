#!/usr/bin/env python3
"""./run ladder, as a person would use it. usage: check_command.py BIN_FOLDER"""
import json, pathlib, sys, unittest, xml.etree.ElementTree

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "programs"))
from harness import ProgramTest, run


class Command(ProgramTest):
    def ladder(self, *arguments):
        result = run("ladder", *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_table(self):
        text = self.ladder("transpose")
        self.assertRegex(text, r"(?m)^3 tile +A block carries a tile")
        self.assertRegex(text, r"(?m)^3 tile +\d+ +1 +16384 +1\.049 +1\.049 +16384 +253952 +8192 +32\.0$")
        self.assertNotIn("shuffles", text)  # no step has one
        alone = self.ladder("transpose", "--step", "3")
        self.assertIn("3 tile", alone)
        self.assertNotIn("4 padding", alone)

    def test_json(self):
        result = json.loads(self.ladder("transpose", "--json"))
        self.assertEqual([s["number"] for s in result["steps"]], list(range(1, len(result["steps"]) + 1)))
        tile = result["steps"][2]
        self.assertEqual((tile["name"], tile["file"], tile["bank_conflicts"]), ("tile", "ladders/transpose/3_tile.cu", 253952))

    def test_show(self):
        lines = self.ladder("transpose", "--step", "4", "--show").splitlines()
        self.assertEqual(lines[0], "ladders/transpose/4_padding.cu, against ladders/transpose/3_tile.cu")
        (old,) = (i for i, l in enumerate(lines) if l.strip() == "-   __shared__ float tile[kTile][kTile];")
        self.assertEqual(lines[old + 1].strip(), "+   __shared__ float tile[kTile][kTile + 1];")
        self.assertTrue(any(l.startswith("shared load 4       8192  32.0  1.0 ") and l.endswith("= tile[tx][ty];") for l in lines))
        first = self.ladder("transpose", "--step", "1", "--show").splitlines()
        self.assertEqual(first[0], "ladders/transpose/1_naive.cu")
        self.assertTrue(any(l.startswith("global store 4      8192  32.0  32.0 (4.0) ") for l in first))

    def test_races(self):
        self.assertEqual(self.ladder("transpose", "--races", "--step", "3"), "3 tile: no race\n")

    def test_draw(self):
        picture = self.ladder("transpose", "--step", "3", "--draw")
        words = [e.text for e in xml.etree.ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
        for text in ("x 512x512", "1024 elements, 1x", "4 sectors of 32 bytes, of which the warp asks for 128 bytes", "1 pass over the 32 banks",
                     "... 25 passes more, alike", "32 passes over the 32 banks"):
            self.assertIn(text, words)

    def test_words(self):
        self.assertRegex(self.ladder("--list"), r"(?m)^transpose +7 steps  y\[j\]\[i\] = x\[i\]\[j\]$")
        self.assertIn("--step", self.ladder("--help"))

    def test_errors(self):
        for words, arguments in {
            ("no ladder 'transpos'", "transpose"): ["transpos"],
            ("a LADDER is needed",): [],
            ("cpu_gemm has no steps in this tree", "release"): ["cpu_gemm"],
            ("one LADDER",): ["transpose", "softmax"],
            ("steps 1 to 7, not 8",): ["transpose", "--step", "8"],
            ("not -1",): ["transpose", "--step", "-1"],
            ("--show and --draw need --step N",): ["transpose", "--show"],
            ("--draw", "need --step"): ["transpose", "--draw"],
            ("one of", "--races"): ["transpose", "--races", "--json"],
            ("--show", "--json"): ["transpose", "--step", "1", "--show", "--json"],
        }.items():
            self.assert_one_line(run("ladder", *arguments), 2, *words)


unittest.main()
