"""Same seed, same bits: run to run, at any thread count, and after kill -9 at any moment followed by --resume."""
import concurrent.futures, os, random, re, shutil, subprocess, time, unittest
from harness import BIN, TINY, ProgramTest, png, run


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
        """A run of two checkpoints dies at its n-th call that changes a file, and is resumed, for n = 1, 2, ... until it lives to its end."""
        for folder, channels in {"images": 3, "masks": 1}.items():
            (self.folder / folder).mkdir()
            for i in range(5):
                png(self.folder / folder / f"{i}.png", 8, 8, channels, lambda y, x: (x + y + i) % (256 if channels == 3 else 2))
        arguments = ["--images", self.folder / "images", "--masks", self.folder / "masks", "--size", "8", "--depth", "1", "--batch-size", "2", "--optimizer", "sgd", "--threads", "1"]
        preload = {"LD_PRELOAD": str(BIN / "crash_at_call.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.train("whole", *arguments)

        def crash_and_resume(n):
            out = f"n{n}"
            crashed = run("train_unet", *TINY, "--out", self.folder / out, *arguments, env={**preload, "CRASH_AT": str(n)})
            if crashed.returncode == 0:
                return None
            self.assertEqual(crashed.returncode, 99, crashed.stderr)
            self.resume_until_done(out, *arguments)
            self.assertEqual(list((self.folder / out).glob("*.partial")), [])
            shutil.rmtree(self.folder / out)
            return crashed.stderr.strip().removeprefix("crashed in ")

        calls = [""]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            while calls[-1] is not None:
                calls += pool.map(crash_and_resume, range(len(calls), len(calls) + 16))
        died_in = " ".join(call for call in calls if call)
        # At least config.json, two checkpoints and model.safetensors: a name changes after the bytes are safe, and is made safe itself.
        whole_files = len(re.findall("open( write)+ fsync rename fsync of the folder", died_in))
        self.assertGreaterEqual(whole_files, 4, died_in)
        self.assertEqual(whole_files, died_in.count("rename"), died_in)


if __name__ == "__main__":
    unittest.main()
