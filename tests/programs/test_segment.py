"""segment in a user's hands: images of any size, tiles, overlays, and clear errors."""
import json, unittest
from harness import ProgramTest, png, run


class Segment(ProgramTest):
    def setUp(self):
        super().setUp()
        self.train("run")
        self.model = self.folder / "run" / "model.safetensors"

    def segment(self, images, *arguments):
        result = run("segment", "--weights", self.model, "--images", images, "--out", self.folder / "out", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def size_of(self, path):
        data = path.read_bytes()
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")

    def test_any_size(self):
        images = self.folder / "images"
        images.mkdir()
        sizes = {"odd": (33, 47), "tiny": (1, 1), "line": (3, 200), "even": (64, 64)}
        for name, (h, w) in sizes.items():
            png(images / f"{name}.png", h, w)
        report = json.loads(self.segment(images, "--overlay", "--json").stdout)
        self.assertEqual(len(report["images"]), len(sizes))
        for name, size in sizes.items():
            self.assertEqual(self.size_of(self.folder / "out" / f"{name}.png"), size)
            self.assertEqual(self.size_of(self.folder / "out" / f"{name}_overlay.png"), size)

    def test_profile(self):
        png(self.folder / "a.png", 32, 32)
        result = self.segment(self.folder / "a.png", "--profile", self.folder / "trace.json")
        events = json.loads((self.folder / "trace.json").read_text())["traceEvents"]
        self.assertEqual(sum(e["name"] == "image" for e in events), 1)
        self.assertTrue(any(e["name"] == "conv2d" for e in events))
        self.assertIn("conv2d", result.stderr)

    def test_large_images_are_tiled(self):
        png(self.folder / "large.png", 1100, 1301, 1, lambda y, x: (x * 7 + y * 3) % 256)
        self.segment(self.folder / "large.png")
        self.assertEqual(self.size_of(self.folder / "out" / "large.png"), (1100, 1301))

    def test_pattern(self):
        for name in ["a1", "a2", "b1"]:
            png(self.folder / f"{name}.png", 32, 32)
        report = json.loads(self.segment(self.folder / "a*.png", "--json").stdout)
        self.assertEqual([image["name"] for image in report["images"]], ["a1", "a2"])

    def test_a_folder_with_other_files(self):
        images = self.folder / "images"
        images.mkdir()
        for name in ["10.png", "9.png", ".hidden.png"]:
            png(images / name, 32, 32)
        (images / "notes.txt").write_text("no image")
        result = self.segment(images, "--json")
        self.assertEqual([image["name"] for image in json.loads(result.stdout)["images"]], ["9", "10"])
        self.assertIn("2 images segmented", result.stderr)

    def test_nothing_is_overwritten_by_accident(self):
        images = self.folder / "images"
        images.mkdir()
        png(images / "a.png", 32, 32)
        before = (images / "a.png").read_bytes()
        call = lambda *arguments: run("segment", "--weights", self.model, "--images", images, *arguments)
        self.assert_one_line(call("--out", images / "." ), 1, "a.png", "overwritten")
        self.assertEqual((images / "a.png").read_bytes(), before)
        png(images / "a_overlay.png", 32, 32)
        self.assert_one_line(call("--out", self.folder / "out", "--overlay"), 1, "a_overlay.png", "a.png")
        self.assertEqual(call("--out", self.folder / "out").returncode, 0)
        (images / "a.ppm").write_bytes(b"P6 1 1 255 abc")
        self.assert_one_line(call("--out", self.folder / "out"), 1, "a.png", "a.ppm")

    def test_errors(self):
        png(self.folder / "x.png", 32, 32)
        (self.folder / "bad.png").write_text("no image")
        call = lambda weights, images: run("segment", "--weights", weights, "--images", images, "--out", self.folder / "out")
        self.assert_one_line(call("/no/such", self.folder / "x.png"), 1, "/no/such")
        self.assert_one_line(call(self.folder / "x.png", self.folder / "x.png"), 1, "x.png")
        self.assert_one_line(call(self.folder / "run" / "checkpoint.safetensors", self.folder / "x.png"), 1, "checkpoint.safetensors", "model")
        self.assert_one_line(call(self.model, self.folder / "none*.png"), 1, "none*.png")
        self.assert_one_line(call(self.model, self.folder / "bad.png"), 1, "bad.png")
        self.assert_one_line(run("segment"), 2, "--weights")
        self.assert_one_line(run("segment", "--weights", self.model, "--images", self.folder / "x.png", "--out", self.folder / "bad.png"), 1, "bad.png", "cannot be made")


if __name__ == "__main__":
    unittest.main()
