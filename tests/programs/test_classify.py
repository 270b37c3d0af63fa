"""classify in a user's hands: pretrained weights on photos, broken files among them. Needs the photos and weights that TAPETUM_DATA names."""
import json, os, pathlib, sys, unittest
from harness import ProgramTest, png, run

if "TAPETUM_DATA" not in os.environ:
    print("skipped: TAPETUM_DATA is not set")
    sys.exit(77)
DATA = pathlib.Path(os.environ["TAPETUM_DATA"])
PHOTOS, LABELS = DATA / "imagenet_samples", DATA / "imagenet_samples" / "classes.txt"
WEIGHTS = {
    "efficientnet_lite0": DATA / "weights/efficientnet_lite0/efficientnet-lite0-57934424.pth",
    "squeezenet1_1": DATA / "weights/squeezenet1_1/squeezenet1_1_caffe_fp16.safetensors",
}


class Classify(ProgramTest):
    def classify(self, *arguments, model="efficientnet_lite0", code=0):
        result = run("classify", *arguments, "--model", model, "--weights", WEIGHTS[model], "--json")
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)["images"], result.stderr

    def test_same_classes_as_the_golden_ones(self):
        for model in WEIGHTS:
            images, _ = self.classify(PHOTOS / "*.JPEG", model=model)
            golden = json.loads((WEIGHTS[model].parent / "golden" / "top5_dev.json").read_text())["per_image"]
            found = {pathlib.Path(i["file"]).name: [c["class"] for c in i["top5"]] for i in images}
            self.assertEqual(found, {name: entry["top5"] for name, entry in golden.items()})

    def test_broken_files_do_not_stop_the_others(self):
        good = next(PHOTOS.glob("*tench.JPEG"))
        (self.folder / "broken.jpg").write_bytes(good.read_bytes()[:500])
        png(self.folder / "wide.png", 2, 30000)
        png(self.folder / "one.png", 1, 1)
        files = [self.folder / "broken.jpg", good, self.folder / "none.png", self.folder / "wide.png", self.folder / "one.png"]
        images, errors = self.classify(*files, "--labels", LABELS, "--save", self.folder / "out", code=1)
        self.assertEqual([image["file"] for image in images], [str(f) for f in files])
        self.assertEqual([("error" in image) for image in images], [True, False, True, True, False])
        for name in ["broken.jpg", "none.png", "wide.png"]:
            self.assertEqual(sum(name in line for line in errors.splitlines() if line.startswith("classify:")), 1)
        top = images[1]["top5"]
        self.assertEqual((top[0]["name"], len(top)), ("tench", 5))
        self.assertGreater(images[1]["milliseconds"], 0)
        self.assertEqual(sorted(p.name for p in (self.folder / "out").iterdir()), ["n01440764_tench.png", "one.png"])

    def test_flags(self):
        good = next(PHOTOS.glob("*tench.JPEG"))
        images, _ = self.classify(good, "--top", "2", "--resize", "0", "--crop", "160", "--interpolation", "bilinear", "--channel-order", "bgr", "--mean", "0,0,0", "--std", "255,255,255")
        self.assertEqual(len(images[0]["top2"]), 2)
        text = run("classify", "--help").stdout
        for word in ["efficientnet_lite0", "vit_b_16", "mean=127,127,127", "--preset"]:
            self.assertIn(word, text)

    def test_errors(self):
        good, weights = next(PHOTOS.glob("*tench.JPEG")), WEIGHTS["efficientnet_lite0"]
        call = lambda *arguments: run("classify", good, "--weights", weights, *arguments)
        self.assert_one_line(call(), 1, "--model")
        self.assert_one_line(call("--model", "resnet18"), 1, "not the weights of resnet18", "--model efficientnet_lite0")
        self.assert_one_line(call("--model", "efficientnet_lite"), 1, "efficientnet_lite0")
        short = self.folder / "short.txt"
        short.write_text("a\nb\n")
        self.assert_one_line(call("--model", "efficientnet_lite0", "--labels", short), 1, "short.txt", "2 names", "1000 classes")
        self.assert_one_line(call("--model", "efficientnet_lite0", "--mean", "1,2"), 2, "three numbers")
        self.assert_one_line(call("--model", "efficientnet_lite0", "--preset", "none"), 1, "imagenet")
        self.assert_one_line(call("--model", "efficientnet_lite0", "--interpolation", "cubic"), 1, "bicubic")
        (self.folder / "empty").mkdir()
        self.assert_one_line(run("classify", self.folder / "empty", "--weights", weights, "--model", "efficientnet_lite0"), 1, "empty")
        self.assert_one_line(run("classify", "--weights", weights), 2, "photo")
        (self.folder / "a").mkdir()
        for copy in [self.folder / "x.png", self.folder / "a" / "x.png"]:
            png(copy, 8, 8)
        self.assert_one_line(call(self.folder / "x.png", self.folder / "a" / "x.png", "--model", "efficientnet_lite0", "--save", self.folder / "out"), 1, "would be written for")


if __name__ == "__main__":
    unittest.main()
