"""weights in a user's hands: files of PyTorch, ONNX and safetensors shown, converted, compared; and clear errors."""
import json, pathlib, unittest
from harness import ProgramTest, run

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures" / "weights"


class Weights(ProgramTest):
    def json(self, *arguments, code=0):
        result = run("weights", *arguments, "--json")
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)

    def test_show(self):
        report = self.json("show", FIXTURES / "checkpoint.pth")
        self.assertEqual(report["format"], "pth")
        self.assertEqual({"name": "fc.weight", "dtype": "f32", "shape": [3, 2]}, next(t for t in report["tensors"] if t["name"] == "fc.weight"))
        self.assertIn("the tensors are those under 'state_dict'", report["notes"])
        self.assertIn("state.0.exp_avg", [t["name"] for t in self.json("show", FIXTURES / "checkpoint.pth", "--key", "optimizer")["tensors"]])
        result = run("weights", "show", FIXTURES / "legacy.pth")
        self.assertIn("transposed", result.stdout)
        self.assertIn("pth (legacy): 17 tensors", result.stdout)

    def test_convert_and_back(self):
        halves, back = self.folder / "a.safetensors", self.folder / "b.pth"
        self.json("convert", FIXTURES / "checkpoint.pth", halves, "--dtype", "f16")
        shown = self.json("show", halves)
        self.assertEqual(shown["format"], "safetensors")
        self.assertEqual({t["dtype"] for t in shown["tensors"]}, {"f16", "i64"})
        self.json("convert", halves, back, "--rename", "features.=body.,fc=head")
        names = [t["name"] for t in self.json("show", back)["tensors"]]
        self.assertIn("body.0.weight", names)
        self.assertIn("head.bias", names)
        self.assert_one_line(run("weights", "convert", halves, back, "--rename", "fc.weight=fc.bias"), 1, "fc.bias")

    def test_diff(self):
        report = self.json("diff", FIXTURES / "checkpoint.pth", "--model", "resnet18", code=1)
        self.assertFalse(report["fits"])
        self.assertIn("conv1.weight", report["missing"])
        self.assertIn("scale", report["unexpected"])
        self.assertEqual(report["mis_shaped"], ["fc.weight [3, 2], expected [3, 512]"])

    def test_errors(self):
        out = self.folder / "x.safetensors"
        self.assert_one_line(run("weights"), 2, "show, convert, diff")
        self.assert_one_line(run("weights", "steal", "x"), 2, "steal")
        self.assert_one_line(run("weights", "show"), 2, "FILE")
        self.assert_one_line(run("weights", "diff", FIXTURES / "zip.pth"), 2, "--model")
        self.assert_one_line(run("weights", "convert", FIXTURES / "zip.pth", self.folder / "x.bin"), 2, "x.bin")
        self.assert_one_line(run("weights", "show", self.folder / "none"), 1, "none", "No such file")
        self.assert_one_line(run("weights", "show", self.folder), 1, "not a regular file")
        self.assert_one_line(run("weights", "show", pathlib.Path(__file__)), 1, "neither safetensors")
        self.assert_one_line(run("weights", "diff", FIXTURES / "zip.pth", "--model", "resnet17"), 1, "resnet18")
        self.assert_one_line(run("weights", "show", FIXTURES / "zip.pth", "--key", "ema"), 1, "ema")
        truncated = self.folder / "cut.pth"
        truncated.write_bytes((FIXTURES / "zip.pth").read_bytes()[:3000])
        self.assert_one_line(run("weights", "convert", truncated, out), 1, "cut.pth", "truncated")
        self.assertFalse(out.exists())
        self.assert_one_line(run("weights", "convert", FIXTURES / "zip.pth", "/no/such/folder/x.safetensors"), 1, "/no/such/folder")


if __name__ == "__main__":
    unittest.main()
