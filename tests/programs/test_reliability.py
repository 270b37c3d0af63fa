"""Same seed, same bits: run to run, at any thread count, and after kill -9 at any moment followed by --resume."""
import os, random, subprocess, time, unittest
from harness import BIN, TINY, ProgramTest, run


class Reliability(ProgramTest):
    def test_the_seed_decides_every_bit(self):
        self.train("a")
        for out, arguments in {"again": [], "one": ["--threads", 1], "two": ["--threads", 2], "four": ["--threads", 4], "loader": ["--workers", 0], "loaders": ["--workers", 3]}.items():
            self.train(out, *arguments)
            self.assertEqual(self.weights(out), self.weights("a"), out)
        self.train("other", "--seed", 1)
        self.assertNotEqual(self.weights("other"), self.weights("a"))

    def resume_until_done(self, out, *arguments):
        self.train(out, "--resume", *arguments)
        self.assertEqual(self.weights(out), self.weights("whole"), out)

    def test_killed_at_any_time(self):
        """Twelve kills at random moments of a run with augmentation and a schedule."""
        arguments = ["--augment", "strong", "--schedule", "cosine"]
        begin = time.monotonic()
        self.train("whole", *arguments)
        duration = time.monotonic() - begin
        chance = random.Random(1)
        for i in range(12):
            process = subprocess.Popen([BIN / "train_unet", *TINY, "--out", self.folder / f"t{i}", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, duration))
            process.kill()
            process.wait()
            self.resume_until_done(f"t{i}", *arguments)

    def test_killed_within_the_writing_of_a_checkpoint(self):
        """Eight kills after so many bytes of files: in headers, in tensors, and between the last byte and the renaming."""
        self.train("whole")
        size = (self.folder / "whole" / "checkpoint.safetensors").stat().st_size + (self.folder / "whole" / "config.json").stat().st_size
        chance = random.Random(2)
        points = [size, size - 1, size + 40] + [chance.randrange(size // 10, 2 * size) for _ in range(5)]
        for i, point in enumerate(points):
            killed = run("train_unet", *TINY, "--out", self.folder / f"w{i}", env={"TAPETUM_TEST_CRASH_IN_WRITE": str(point)})
            self.assertEqual(killed.returncode, -9, f"{point} of {size}: {killed.stderr}")
            self.resume_until_done(f"w{i}")


if __name__ == "__main__":
    unittest.main()
