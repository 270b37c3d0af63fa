"""train_unet in a user's hands: its results, and one clear line with the right exit code for whatever goes wrong."""
import fcntl, json, os, pty, resource, shutil, signal, struct, subprocess, tempfile, termios, time, unittest
from harness import BIN, TINY, ProgramTest, png, run


class Results(ProgramTest):
    def test_without_arguments_it_learns(self):
        result = run("train_unet", "--out", self.folder / "a", "--json", "--quiet", timeout=900)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(json.loads(result.stdout)["val"]["miou"], 0.9)

    def test_json_and_files(self):
        result = self.train("a", "--json")
        report = json.loads(result.stdout)
        self.assertEqual(list(report), ["model", "parameters", "cpu", "threads", "seed", "epochs", "steps", "seconds_per_step", "images_per_second", "peak_memory_mb", "train", "val", "files"])
        self.assertEqual((report["seed"], report["epochs"], report["steps"]), (0, 2, 30))
        self.assertEqual(len(report["train"]["loss"]), 2)
        self.assertEqual(list(report["val"]), ["loss", "miou", "iou", "dice", "pixel_accuracy"])
        self.assertEqual(len(report["val"]["iou"]), 2)
        self.assertTrue(0 < report["seconds_per_step"] < 10 and report["images_per_second"] > 0 and report["peak_memory_mb"] > 5)
        for name in ["panel", "curves", "model", "best", "metrics", "config", "checkpoint"]:
            self.assertTrue(os.path.getsize(report["files"][name]) > 0, name)
        metrics = [json.loads(line) for line in (self.folder / "a" / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual([m["epoch"] for m in metrics], [1, 2])
        self.assertEqual(json.loads((self.folder / "a" / "config.json").read_text())["width"], 4)

    def test_json_into_a_file_leaves_standard_output_to_people(self):
        result = run("train_unet", *TINY[:-1], "--out", self.folder / "a", f"--json={self.folder / 'r.json'}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mIoU", result.stdout)
        self.assertEqual(json.loads((self.folder / "r.json").read_text())["steps"], 30)

    def test_quiet_says_nothing(self):
        result = self.train("a")
        self.assertEqual((result.stdout, result.stderr), ("", ""))

    def test_the_live_line_fits_the_terminal(self):
        for columns in [200, 70, 30]:
            try:
                terminal, other_end = pty.openpty()
            except OSError as error:
                self.skipTest(f"skipped: there is no pseudo-terminal here: {error}")
            fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            arguments = ["--size", "128", "--steps", "12", "--epochs", "2", "--width", "2", "--out", self.folder / str(columns)]
            process = subprocess.Popen([BIN / "train_unet", *arguments], stdout=other_end, env={**os.environ, "TERM": "xterm"})
            os.close(other_end)
            text = b""
            try:
                while more := os.read(terminal, 4096):
                    text += more
            except OSError:  # the other end was closed
                pass
            self.assertEqual(process.wait(), 0)
            lines = [line for line in text.split(b"\r\x1b[K")[1:] if b"step" in line and b"val_loss" not in line]
            self.assertTrue(lines)
            for line in lines:
                self.assertLess(len(line), columns)
            self.assertEqual(b"[=" in text, columns == 200)

    def test_profile(self):
        file = self.folder / "trace.json"
        result = self.train("a", "--profile", file)
        trace = json.loads(file.read_text())
        events = [e for e in trace["traceEvents"] if e["ph"] == "X"]
        self.assertEqual(sum(e["name"] == "step" for e in events), 6)
        for name, kind in [("conv2d", "op"), ("conv2d backward", "backward"), ("conv2d_forward", "kernel"), ("load batch", "range"), ("optimizer step", "range")]:
            self.assertTrue(any((e["name"], e["cat"]) == (name, kind) for e in events), name)
        conv = next(e for e in events if e["name"] == "conv2d")
        self.assertTrue(conv["args"]["flops"] > 0 and conv["args"]["bytes"] > 0 and len(conv["args"]["shapes"]) >= 2)
        self.assertTrue(any(e["ph"] == "C" and e["args"]["allocated"] > 0 for e in trace["traceEvents"]))
        self.assertTrue(trace["tapetum"]["operations"] and trace["tapetum"]["kernels"])
        self.assertIn("conv2d_grad_weight", result.stderr)
        self.assertLessEqual(len(result.stderr.splitlines()), 25 + 3)

    def test_profile_of_a_run_that_is_too_short(self):
        result = self.train("a", "--steps", 2, "--profile", self.folder / "trace.json")
        self.assertFalse((self.folder / "trace.json").exists())
        self.assert_one_line(result, 0, "--profile", "step 3")
        self.assert_one_line(run("train_unet", *TINY, "--out", self.folder / "b", "--profile", self.folder), 1, self.folder, "directory")

    def test_every_choice_trains(self):
        for i, choice in enumerate([["--up", "bilinear"], ["--optimizer", "sgd", "--lr", "0.01"], ["--optimizer", "adamw", "--weight-decay", "0.01"], ["--schedule", "step"],
                                    ["--schedule", "onecycle"], ["--schedule", "cosine", "--warmup", "5"], ["--loss", "dice"], ["--loss", "ce+dice", "--class-weights", "1,2"],
                                    ["--loss", "focal"], ["--augment", "light"], ["--augment", "strong"], ["--size", "33x47"]]):
            with self.subTest(choice):
                report = json.loads(self.train(str(i), "--steps", 8, "--json", *choice).stdout)
                self.assertGreater(report["val"]["loss"], 0)

    def test_own_images(self):
        own_images(self.folder)
        result = run("train_unet", "--images", self.folder / "images", "--masks", self.folder / "masks", *TINY, "--epochs", 2, "--mask-threshold", 127,
                     "--out", self.folder / "a", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["steps"], 4)

    def test_coloured_masks_with_pixels_that_no_one_labelled(self):
        own_images(self.folder)
        colours = self.folder / "colours.txt"
        colours.write_text("30 30 30 ground, wet\n200 200 200\n0 0 0 ignore\n")
        for i in range(8):  # the sixth has no label at all
            png(self.folder / "masks" / f"{i}.png", 40, 44, 3, lambda y, x: 0 if i == 5 or y < 8 else 200 if x > 20 + i else 30)
        arguments = ["--images", self.folder / "images", "--masks", self.folder / "masks", "--mask-colors", colours, "--batch-size", 1]
        result = run("train_unet", *TINY, *arguments, "--out", self.folder / "a", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(json.loads(result.stdout)["val"]["loss"], 0)
        segmented = run("segment", "--weights", self.folder / "a" / "best.safetensors", "--images", self.folder / "images", "--out", self.folder / "s", "--json")
        self.assertEqual(list(json.loads(segmented.stdout)["images"][0]["classes"]), ["ground, wet", "class 1"])

    def test_a_batch_larger_than_the_set(self):
        own_images(self.folder, 2)
        result = run("train_unet", "--images", self.folder / "images", "--masks", self.folder / "masks", *TINY, "--mask-threshold", 127, "--batch-size", 100,
                     "--out", self.folder / "a", "--json")
        self.assertEqual(json.loads(result.stdout)["steps"], 2, result.stderr)

    def test_resumed_after_its_end_it_says_the_same_again(self):
        arguments = ["--steps", 0, "--json"]
        first, again = (json.loads(self.train("a", *arguments, *more).stdout) for more in [[], ["--resume"]])
        self.assertEqual((again["val"], again["train"], again["steps"]), (first["val"], first["train"], first["steps"]))

    def test_mixed_precision(self):
        for amp in ["bf16", "f16"]:
            with self.subTest(amp):
                self.train(amp, "--amp", amp, "--steps", 14, "--json")
                self.train("parts", "--amp", amp, "--steps", 6)
                self.train("parts", "--amp", amp, "--steps", 14, "--resume")
                self.assertEqual(self.weights(amp), self.weights("parts"))
                self.assertEqual(json.loads((self.folder / amp / "config.json").read_text())["amp"], amp)
                shutil.rmtree(self.folder / "parts")
        self.train("off", "--steps", 14)
        self.assertNotEqual(self.weights("off"), self.weights("bf16"))
        self.assertNotEqual(self.weights("f16"), self.weights("bf16"))
        self.assert_one_line(run("train_unet", *TINY, "--out", self.folder / "f16", "--resume"), 1, "--amp", "f16", "off")
        self.assert_one_line(run("train_unet", "--amp", "f8"), 2, "--amp", "f8")

    def test_weights_to_start_from(self):
        self.train("a")
        self.train("b", "--weights", self.folder / "a" / "model.safetensors", "--lr", "1e-9", "--optimizer", "sgd", "--json")


def own_images(folder, count=8):
    (folder / "images").mkdir(exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    for i in range(count):
        png(folder / "images" / f"{i}.png", 40, 44, 3, lambda y, x: 200 if x > 20 + i else 30)
        png(folder / "masks" / f"{i}.png", 40, 44, 1, lambda y, x: 255 if x > 20 + i else 0)


class Errors(ProgramTest):
    def fails(self, code, arguments, *words, **more):
        self.assert_one_line(run("train_unet", *TINY, "--out", self.folder / "a", *arguments, **more), code, *words)

    def own(self, *arguments):
        return ["--images", self.folder / "images", "--masks", self.folder / "masks", *arguments]

    def test_usage(self):
        for arguments, *words in [(["--size", "0"], "--size", "'0'"), (["--size", "12x"], "--size", "'12x'"), (["--size", "3"], "--size", "--depth 2"),
                                  (["--lr", "nan"], "--lr", "nan"), (["--lr", "fast"], "--lr", "fast"), (["--seed", "99999999999999999999"], "--seed", "99999999999999999999"), (["--batch-size", "0"], "--batch-size", "0"),
                                  (["--loss", "l2"], "--loss", "l2"), (["--class-weights", "1,2,3"], "--class-weights", "3"), (["--class-weights", "1,0"], "--class-weights", "above 0"), (["--no-such-flag"], "--no-such-flag"),
                                  (["--images", "x"], "--masks"), (["--threads", "1000000"], "--threads", "1000000"), (["--lr", "inf"], "--lr", "inf"),
                                  (["--epochs", "9223372036854775807"], "--epochs"), (["--width", "5000"], "--width", "4096"), (["--classes", "257"], "--classes", "256"), (["--classes", "1"], "--classes", "1"), (["extra"], "extra")]:
            with self.subTest(arguments):
                self.fails(2, arguments, *words)
        self.assert_one_line(run("train_unet", "--resume"), 2, "--out")
        self.assertFalse((self.folder / "a").exists())

    def test_files_that_cannot_be_used(self):
        own_images(self.folder)
        image, mask = self.folder / "images" / "3.png", self.folder / "masks" / "3.png"
        whole = image.read_bytes()
        with self.subTest("truncated"):
            image.write_bytes(whole[: len(whole) // 2])
            self.fails(1, self.own("--mask-threshold", 127), "3.png")
        with self.subTest("no image"):
            image.write_text("hello")
            self.fails(1, self.own("--mask-threshold", 127), "3.png")
        image.write_bytes(whole)
        with self.subTest("label out of range"):
            self.fails(1, self.own(), "masks/", ".png", "255", "threshold")
        with self.subTest("with workers, and before anything is written"):
            shutil.rmtree(self.folder / "a", ignore_errors=True)
            self.fails(1, self.own("--workers", 3, "--ignore-index", 7), "masks/", "255", "row 0, column")
            self.assertFalse((self.folder / "a").exists())
        with self.subTest("mask of another size"):
            png(mask, 20, 20, 1)
            self.fails(1, self.own("--mask-threshold", 127), "3.png")
        with self.subTest("no partner"):
            mask.unlink()
            self.fails(1, self.own("--mask-threshold", 127), "3")
        with self.subTest("no folder"):
            self.fails(1, ["--images", "/no/such", "--masks", self.folder / "masks"], "/no/such")

    def test_weights_that_do_not_fit(self):
        self.train("w", "--width", 8)
        path = self.folder / "w" / "model.safetensors"
        self.fails(1, ["--weights", path], path)
        path.write_bytes(path.read_bytes()[:-1])
        self.fails(1, ["--weights", path], path)
        self.fails(1, ["--weights", "/no/such"], "/no/such: cannot be read: No such file or directory")

    def test_results_that_have_no_place(self):
        (self.folder / "file").touch()
        self.assert_one_line(run("train_unet", *TINY, "--out", self.folder / "file"), 1, "file", "cannot be made")
        self.assert_one_line(run("train_unet", *TINY, "--out", self.folder / "file" / "a"), 1, "file/a", "cannot be made")
        self.fails(1, ["--json=/no/such/r.json"], "/no/such/r.json", "No such file")
        self.fails(1, [f"--json={self.folder}"], "is a directory")
        self.assertFalse((self.folder / "a").exists())

    def test_a_loss_that_explodes(self):
        self.fails(1, ["--lr", "1e30", "--optimizer", "sgd"], "the loss is", "step")

    def test_no_cuda(self):
        self.fails(1, ["--device", "cuda"], "cuda")

    def test_resume_with_other_flags(self):
        self.train("a")
        config = (self.folder / "a" / "config.json").read_bytes()
        self.fails(1, ["--resume", "--lr", "0.5"], "checkpoint.safetensors", "--lr", "0.003", "0.5")
        self.fails(1, ["--resume", "--width", "5"], "--width")
        self.assertEqual((self.folder / "a" / "config.json").read_bytes(), config)

    def test_a_resume_without_a_checkpoint_starts_anew(self):
        (self.folder / "a").mkdir()
        (self.folder / "a" / "config.json").write_text("{}")
        self.train("a", "--resume", "--lr", "0.002")
        self.assertEqual(json.loads((self.folder / "a" / "config.json").read_text())["lr"], 0.002)

    def test_a_full_disk_leaves_the_last_checkpoint(self):
        self.train("whole")
        self.train("a", "--steps", 24)
        before = (self.folder / "a" / "checkpoint.safetensors").read_bytes()

        def limit():  # of file sizes: write() fails half-way, as on a full disk
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))

        self.fails(1, ["--resume"], "checkpoint.safetensors", "File too large", preexec_fn=limit)
        self.assertEqual((self.folder / "a" / "checkpoint.safetensors").read_bytes(), before)
        self.assertFalse((self.folder / "a" / "checkpoint.safetensors.partial").exists())
        self.train("a", "--resume")
        self.assertEqual(self.weights("a"), self.weights("whole"))

    def test_a_disk_that_is_full(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode != 0:
            self.skipTest("skipped: a small file system can be mounted by root only")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        self.assert_one_line(run("train_unet", *TINY, "--out", disk / "a"), 1, "safetensors", "No space left on device")

    def wait_for(self, process, path):
        while not path.exists():
            self.assertIsNone(process.poll(), "the program ended early")
            time.sleep(0.01)

    def interrupted(self, out, *arguments):
        process = subprocess.Popen([BIN / "train_unet", *TINY, "--out", self.folder / out, "--steps", "1000", "--epochs", "40", "--schedule", "none", *arguments], stderr=subprocess.PIPE, text=True)
        self.wait_for(process, self.folder / out / "checkpoint.safetensors")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        return process.returncode

    def test_interrupt_saves_and_exits_130(self):
        self.assertEqual(self.interrupted("a"), 130)
        longer = ["--schedule", "none", "--steps", "1000", "--epochs", "8"]
        self.train("a", "--resume", *longer)
        self.train("whole", *longer)
        self.assertEqual(self.weights("a"), self.weights("whole"))

    def test_two_programs_at_once_learn_what_one_does(self):
        self.train("alone")
        both = [subprocess.Popen([BIN / "train_unet", *TINY, "--threads", "2", "--out", self.folder / name]) for name in ["a", "b"]]
        self.assertEqual([process.wait(timeout=300) for process in both], [0, 0])
        self.assertEqual([self.weights("a"), self.weights("b")], 2 * [self.weights("alone")])

    def test_two_runs_in_one_folder(self):
        process = subprocess.Popen([BIN / "train_unet", *TINY, "--out", self.folder / "a", "--steps", "1000", "--epochs", "40"])
        try:
            self.wait_for(process, self.folder / "a" / "config.json")
            self.fails(1, [], "another process")
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    unittest.main()
