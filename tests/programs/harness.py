"""Runs the programs as a person would, for the tests beside this file. usage of a test: test_x.py BIN_FOLDER [unittest arguments]"""
import json, os, pathlib, shutil, subprocess, sys, tempfile, unittest

BIN = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else pathlib.Path("build/release/bin").resolve()

# A training run of a second: 12 steps of tiny images.
TINY = ["--size", "32", "--width", "4", "--depth", "2", "--epochs", "2", "--steps", "30", "--quiet"]


def run(program, *arguments, env=None, timeout=300, **more):
    return subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, **more)


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tapetum_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def train(self, out, *arguments, **more):
        result = run("train_unet", *TINY, "--out", self.folder / out, *arguments, **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def weights(self, out):
        """The last and the best ones."""
        return [(self.folder / out / name).read_bytes() for name in ["model.safetensors", "best.safetensors"]]

    def assert_one_line(self, result, code, *words):
        """The program failed with `code` and one line on standard error that holds all the words."""
        self.assertEqual(result.returncode, code, result.stderr)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(str(word), lines[0])


def png(path, height, width, channels=3, value=lambda y, x: 128):
    """A PNG written by hand: gray (1 channel) or RGB (3)."""
    import struct, zlib

    rows = b"".join(b"\0" + bytes(value(y, x) for x in range(width) for _ in range(channels)) for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
