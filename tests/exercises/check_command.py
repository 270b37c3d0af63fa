#!/usr/bin/env python3
"""./run exercise, as a person would use it, and whether docs/ladders/exercises.md shows what it prints. usage: check_command.py BIN_FOLDER VARIANTS_OF_TRANSPOSE_4"""
import json, pathlib, re, sys, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANTS = sys.argv.pop(2)
sys.path.append(str(ROOT / "tests/programs"))
from harness import ProgramTest, run

PAGE = (ROOT / "docs/ladders/exercises.md").read_text()
NAMES = {f"{p.parent.name}-{p.name.split('_')[0]}": p.relative_to(ROOT).as_posix() for p in ROOT.glob("exercises/*/[0-9]*.cu")}


class Command(ProgramTest):
    def test_list(self):
        result = run("exercise", "--list")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(set(re.findall(r"(?m)^(\w+-\d+) ", result.stdout)), set(NAMES))
        self.assertRegex(result.stdout, r"trains step 4 of docs/ladders/transpose\.md: Rows of the tile are 33 floats apart")
        for name, file in NAMES.items():
            self.assertIn(file, result.stdout)
            self.assertIn(f"| {name} | `{file}` |", PAGE)
            self.assertRegex(result.stdout, rf"(?m)^{name} .*\.$")  # the whole of a sentence

    def test_as_given(self):
        result = run("exercise", "transpose-2", "--json")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        verdict = json.loads(result.stdout)
        self.assertEqual((verdict["exercise"], verdict["solved"], verdict["what"]), ("transpose-2", False, "result"))
        self.assertIn("not solved yet: result\n", run("exercise", "transpose-2").stdout)

    def test_the_session_of_the_page(self):
        shown = re.findall(r"```\n\$ \./run exercise transpose-4\n(.*?)```", PAGE, re.S)
        for variant, text in zip(["given", "no_barrier", "no_padding", "solution"], shown, strict=True):
            printed = run("exercise", variant, "--library", VARIANTS).stdout
            printed = re.sub(rf"[\w./-]*/{variant}\.cu", NAMES["transpose-4"], printed)
            self.assertEqual(printed.replace(f"{variant} (", "transpose-4 (", 1), text)

    def test_errors(self):
        for words, arguments in {
            ("no exercise 'transpose-99'",): ["transpose-99"],
            ("a NAME is needed",): [],
            ("one NAME",): ["transpose-2", "transpose-3"],
        }.items():
            self.assert_one_line(run("exercise", *arguments), 2, *words)
        self.assert_one_line(run("exercise", "transpose-2", "--library", "/nowhere.so"), 1, "not built", "/nowhere.so")
        self.assert_one_line(run("exercise", "nobody", "--library", VARIANTS), 1, "has no nobody")


unittest.main()
