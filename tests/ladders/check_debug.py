#!/usr/bin/env python3
"""./run debug: gdb stops in the thread that is asked for, and knows the others. 77 where gdb is missing or may not trace. usage: check_debug.py BIN_FOLDER"""
import pathlib, shutil, subprocess, sys, unittest

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
DEBUG = pathlib.Path(__file__).resolve().parents[2] / "tools/debug"


def debug(*arguments):
    return subprocess.run([DEBUG, "--bin", BIN, *arguments], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)


class Debug(unittest.TestCase):
    def test_session(self):
        asked = [a for c in ("print threadIdx", "next", "next", "next", "print threadIdx", "print tile[0][0] == x[0]", "cuda-bt 0 4", "cuda-threads") for a in ("-ex", c)]
        result = debug("transpose", "--step", "4", "--thread", "3,1", "--", "-batch", *asked)
        text = result.stdout + result.stderr
        self.assertRegex(text, r"Breakpoint 1, tapetum::ladders::.*transpose_kernel \(.*rows=512, columns=512\) at .*4_padding\.cu:11")
        self.assertIn("$1 = {x = 3, y = 1, z = 0}", text)
        self.assertIn("$2 = {x = 3, y = 1, z = 0}", text)  # next stays in the thread
        self.assertIn("$3 = true", text)
        self.assertRegex(text, r"#3 .*transpose_kernel .*4_padding\.cu:14")  # where thread 0 waits
        self.assertRegex(text, r"threads 0 to 34 \(0,0,0\) to \(2,1,0\) +__syncthreads")
        self.assertRegex(text, r"thread 35 \(3,1,0\) +\* running")
        self.assertRegex(text, r"threads 36 to 1023 \(4,1,0\) to .* +not started")

    def test_errors(self):
        for words, arguments in {
            "no ladder 'transpos'; there are: ": ["transpos", "--step", "1"],
            "transpose has no step 99": ["transpose", "--step", "99"],
            "7_library.cu has no kernel of its own": ["transpose", "--step", "7"],
            "got 'x'": ["transpose", "--step", "1", "--thread", "x"],
            "--step": ["transpose"],
        }.items():
            result = debug(*arguments)
            self.assertEqual((result.returncode, result.stdout, len(result.stderr.splitlines())), (2, "", 1), result.stderr)
            self.assertIn(words, result.stderr)


if not shutil.which("gdb") or "exited normally" not in subprocess.run(["gdb", "-batch", "-ex", "run", "true"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout:
    print("skipped: no gdb that can run programs")
    sys.exit(77)
unittest.main()
