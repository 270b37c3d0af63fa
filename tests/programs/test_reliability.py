"""Same seed, same bits: run to run, at any thread count, and after kill -9 at any moment followed by --resume."""
import random, re, shutil, subprocess, time, unittest
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

    def test_a_crash_at_every_change_of_a_file(self):
        """A run of two checkpoints that dies at its n-th call that changes a file, for n = 1, 2, ... until it lives to its end."""
        arguments = ["--size", "16", "--depth", "1", "--batch-size", "48", "--steps", "4", "--optimizer", "sgd"]
        crash = {"LD_PRELOAD": str(BIN / "crash_at_call.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.train("whole", *arguments)
        died_in = []
        while True:
            out = f"n{len(died_in) + 1}"
            crashed = run("train_unet", *TINY, "--out", self.folder / out, *arguments, env={**crash, "CRASH_AT": str(len(died_in) + 1)})
            if crashed.returncode == 0:
                break
            self.assertEqual(crashed.returncode, 99, crashed.stderr)
            died_in.append(crashed.stderr.strip().removeprefix("crashed in "))
            self.resume_until_done(out, *arguments)
            self.assertEqual(list((self.folder / out).glob("*.partial")), [])
            shutil.rmtree(self.folder / out)
        self.assertEqual(self.weights(out), self.weights("whole"))
        # Whole files: config.json, two checkpoints, model.safetensors. A name changes after the bytes are safe, and is made safe itself.
        commits = re.findall(r"open( write)+ fsync rename folder", " ".join(call.removeprefix("fsync of the ") for call in died_in))
        self.assertEqual(len(commits), 4, died_in)


if __name__ == "__main__":
    unittest.main()
