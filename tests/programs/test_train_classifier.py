"""train_classifier and finetune in a user's hands: folders and tables of pictures, resume, new last layers, and clear errors."""
import json, unittest
from harness import ProgramTest, png, run

SHORT = ["--size", "32", "--batch-size", "8", "--quiet", "--json"]


class TrainClassifier(ProgramTest):
    def pictures(self, name="photos", count=10, classes=("dark", "light")):
        """A folder for each class: one has dark pictures, one light ones."""
        for k, label in enumerate(classes):
            folder = self.folder / name / label
            folder.mkdir(parents=True)
            for i in range(count):
                png(folder / f"{i}.png", 36, 40, 3, lambda y, x: 40 + 70 * k + (x * 3 + y * 5 + 7 * i) % 40)
        return self.folder / name

    def call(self, program, *arguments, code=0):
        result = run(program, *arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)

    def train(self, *arguments):
        return self.call("train_classifier", "--data", "imagefolder", *SHORT, *arguments)

    def test_a_folder_of_folders(self):
        report = self.train("--root", self.pictures(), "--epochs", "6", "--augment", "light", "--label-smoothing", "0.1", "--tensorboard", "--out", self.folder / "run")
        self.assertEqual(report["val"]["accuracy"], 1)
        self.assertEqual([c["name"] for c in report["val"]["classes"]], ["dark", "light"])
        files = {p.name for p in (self.folder / "run").iterdir()}
        self.assertLessEqual({"panel.png", "confusion.png", "curves.png", "report.json", "model.safetensors", "best.safetensors", "config.json", "metrics.jsonl"}, files)
        self.assertTrue(any(name.startswith("events.out.tfevents") for name in files))

        # The file says which model it is, its classes and how pictures are prepared.
        images = self.call("classify", self.folder / "photos" / "light" / "3.png", "--weights", self.folder / "run" / "best.safetensors", "--json")["images"]
        self.assertEqual(images[0]["top5"][0]["name"], "light")
        listed = self.call("runs", self.folder, "--json")
        self.assertIn("run", json.dumps(listed))

    def test_a_table(self):
        photos = self.pictures()
        table = self.folder / "table.csv"
        table.write_text("picture,kind\n" + "".join(f"{p.relative_to(self.folder)},{p.parent.name}\n" for p in sorted(photos.rglob("*.png"))))
        report = self.call("train_classifier", "--data", "csv", "--root", table, "--csv-file", "picture", "--csv-label", "kind", "--mixup", "0.2", *SHORT, "--epochs", "1", "--out", self.folder / "run")
        self.assertEqual(report["val"]["samples"], 4)

    def test_killed_and_resumed(self):
        photos = self.pictures()
        weights = lambda name: (self.folder / name / "model.safetensors").read_bytes()
        common = ["--root", photos, "--epochs", "3", "--cutmix", "1", "--augment", "light"]
        self.train(*common, "--out", self.folder / "whole")
        self.train(*common, "--steps", "3", "--out", self.folder / "parts")
        self.train(*common, "--resume", "--out", self.folder / "parts")
        self.assertEqual(weights("whole"), weights("parts"))
        self.assert_one_line(run("train_classifier", "--data", "imagefolder", *SHORT, *common, "--seed", "1", "--resume", "--out", self.folder / "parts"), 1, "--seed")

    def test_checkpoints(self):
        weights = lambda name: (self.folder / name / "model.safetensors").read_bytes()
        photos = self.pictures()
        for model in ["simple_cnn", "resnet20"]:
            for out, flags in {"plain": [], "again": ["--checkpoint"]}.items():
                self.train("--root", photos, "--epochs", "2", "--model", model, *flags, "--out", self.folder / model / out)
            self.assertEqual(weights(f"{model}/plain"), weights(f"{model}/again"))
        line = run("train_classifier", "--data", "imagefolder", *SHORT, "--root", photos, "--model", "lenet5", "--checkpoint", "--out", self.folder / "none")
        self.assert_one_line(line, 1, "LeNet5", "neither blocks")

    def test_mixed_precision(self):
        photos = self.pictures()
        common = ["--root", photos, "--epochs", "3", "--amp", "f16"]
        whole = self.train(*common, "--out", self.folder / "whole")
        self.train(*common, "--steps", "3", "--out", self.folder / "parts")
        parts = self.train(*common, "--resume", "--out", self.folder / "parts")
        self.assertEqual(whole["val"], parts["val"])
        weights = [(self.folder / name / "model.safetensors").read_bytes() for name in ["whole", "parts"]]
        self.assertEqual(*weights)
        for amp in ["off", "bf16"]:
            shown = self.call("classify", photos / "light" / "3.png", "--weights", self.folder / "whole" / "best.safetensors", "--amp", amp, "--json")
            self.assertEqual(len(shown["images"][0]["top5"]), 2)

    def test_finetune(self):
        photos = self.pictures()
        self.train("--root", photos, "--model", "resnet20", "--epochs", "1", "--out", self.folder / "first")
        base = self.folder / "first" / "model.safetensors"
        three = self.pictures("three", 6, ("a", "b", "c"))
        for extra in (["--freeze", "backbone"], ["--freeze", "backbone", "--augment", "light"], ["--lr-layer3", "1e-4", "--lr-head=1e-2"]):
            report = self.call("finetune", "--root", three, "--weights", base, *SHORT, "--epochs", "2", "--out", self.folder / str(len(extra)), *extra)
            self.assertEqual(len(report["val"]["classes"]), 3)
        shown = self.call("weights", "show", self.folder / "2" / "model.safetensors", "--json")
        self.assertEqual(next(t["shape"] for t in shown["tensors"] if t["name"] == "linear.weight"), [3, 64])
        self.assert_one_line(run("finetune", "--root", three, "--weights", base, "--lr-layer9", "1", "--out", self.folder / "x"), 2, "--lr-layer9")
        self.assert_one_line(run("finetune", "--root", three, "--weights", base, "--lr-head"), 2, "--lr-head")
        self.assert_one_line(run("finetune", "--root", three, "--weights", base, "--model", "resnet18", "--out", self.folder / "x"), 1, "resnet20")
        self.assert_one_line(run("finetune", "--root", three), 2, "--weights")

    def test_broken_pictures(self):
        photos = self.pictures()
        (photos / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        call = lambda *more: run("train_classifier", "--data", "imagefolder", "--root", photos, "--size", "32", "--epochs", "1", "--out", self.folder / "run", *more)
        self.assert_one_line(call("--quiet"), 1, "broken.png")
        result = call("--skip-broken")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("broken.png", result.stdout)

    def test_find_lr(self):
        result = run("train_classifier", "--data", "imagefolder", "--root", self.pictures(), "--size", "32", "--batch-size", "8", "--find-lr", "--out", self.folder / "lr")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("steepest", result.stdout)
        self.assertTrue((self.folder / "lr" / "lr_finder.png").exists())

    def test_errors(self):
        empty = self.folder / "empty"
        empty.mkdir()
        call = lambda *arguments: run("train_classifier", *arguments, "--out", self.folder / "x")
        self.assert_one_line(call("--data", "imagefolder"), 2, "--root")
        self.assert_one_line(call("--root", empty), 2, "--root")
        self.assert_one_line(call("--data", "imagefolder", "--root", empty), 1, "empty")
        self.assert_one_line(call("--data", "imagefolder", "--root", self.folder / "none"), 1, "none")
        self.assert_one_line(call("--data", "cifar10", "--root", empty), 1, "empty")
        self.assert_one_line(call("--data", "mnist", "--root", empty), 1, "train-images-idx3-ubyte")
        self.assert_one_line(call("--model", "resnet19"), 1, "resnet18")
        self.assert_one_line(call("--augment", "wild"), 1, "wild")
        self.assert_one_line(call("--augment", self.folder / "none.json"), 1, "none.json")
        self.assert_one_line(call("--mixup", "1", "--cutmix", "1"), 2, "--cutmix")
        self.assert_one_line(call("--val-fraction", "1"), 2, "--val-fraction")
        self.assert_one_line(call("--size", "x"), 2, "--size")
        one = self.pictures("one", 1)
        self.assert_one_line(call("--data", "imagefolder", "--root", one, "--size", "32"), 1, "too few")
        (one / "stray.png").write_bytes((one / "dark" / "0.png").read_bytes())
        self.assert_one_line(call("--data", "imagefolder", "--root", one), 1, "stray.png")


if __name__ == "__main__":
    unittest.main()
