"""show_augmentation in a user's hands: presets, files, masks and boxes, and clear errors."""
import json, unittest
from harness import ProgramTest, png, run


class ShowAugmentation(ProgramTest):
    def setUp(self):
        super().setUp()
        self.photo, self.sheet = self.folder / "photo.png", self.folder / "sheet.png"
        png(self.photo, 60, 80, 3, lambda y, x: (x * 3 + y) % 256)

    def show(self, *arguments):
        return run("show_augmentation", self.photo, "--out", self.sheet, *arguments)

    def size_of(self, path):
        data = path.read_bytes()
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")

    def test_presets(self):
        for preset in ["none", "light", "strong", "classification", "detection"]:
            result = self.show("--preset", preset, "--count", 3)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("Compose(", result.stdout)
        once = self.sheet.read_bytes()
        self.show("--preset", "detection", "--count", 3)
        self.assertEqual(self.sheet.read_bytes(), once)
        self.show("--preset", "detection", "--count", 3, "--seed", 1)
        self.assertNotEqual(self.sheet.read_bytes(), once)

    def test_a_pipeline_with_mask_and_boxes(self):
        png(self.folder / "mask.png", 60, 80, 1, lambda y, x: int(20 <= x < 40 and 10 <= y < 30))
        (self.folder / "boxes.txt").write_text("20 10 40 30 1\n\n5,5,9,9\n")
        (self.folder / "pipeline.json").write_text(json.dumps([{"transform": "HorizontalFlip", "p": 1}, {"transform": "Normalize"}]))
        result = self.show("--pipeline", self.folder / "pipeline.json", "--mask", self.folder / "mask.png", "--boxes", self.folder / "boxes.txt", "--count", 1, "--cell", 160)
        self.assertEqual(result.returncode, 0, result.stderr)
        height, width = self.size_of(self.sheet)
        self.assertEqual(width, 2 * 40 + 2 * 160 + 18)
        self.assertGreater(height, 120)

    def test_without_a_photo(self):
        result = run("show_augmentation", "--count", 3, "--cell", 120, cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.size_of(self.folder / "augmentation.png")[1], 2 * 40 + 4 * 120 + 3 * 18)

    def test_errors(self):
        self.assert_one_line(run("show_augmentation", "--mask", self.photo), 2, "PHOTO")
        self.assert_one_line(run("show_augmentation", self.folder / "no.png", "--out", self.sheet), 1, "no.png")
        self.assert_one_line(run("show_augmentation", self.photo, "--out", self.folder / "." / "photo.png"), 1, "photo.png", "overwritten")
        (self.folder / "p.json").write_text('[{"transform": "HorizontalFlop"}]')
        self.assert_one_line(self.show("--pipeline", self.folder / "p.json"), 1, "p.json", "[0]", "HorizontalFlop")
        (self.folder / "b.txt").write_text("1 2 3\n")
        self.assert_one_line(self.show("--boxes", self.folder / "b.txt"), 1, "b.txt", "line 1")
        (self.folder / "b.txt").write_text("1 2 1 9\n")
        self.assert_one_line(self.show("--boxes", self.folder / "b.txt"), 1, "box 0")
        png(self.folder / "small.png", 6, 8, 1)
        self.assert_one_line(self.show("--mask", self.folder / "small.png"), 1, "mask", "[60, 80]")


if __name__ == "__main__":
    unittest.main()
