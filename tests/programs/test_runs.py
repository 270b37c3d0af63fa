"""runs in a user's hands: what it lists, sorts, compares and draws, and one line for what goes wrong."""
import json, unittest
from harness import ProgramTest, run


class Runs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.runs = self.folder / "runs"
        self.write("unet/2026-01-02_03-04-05", {"lr": 0.1, "epochs": 3, "size": [32, 32]}, [(0.5, 1), (0.7, 2), (0.6, 3)])
        self.write("unet/2026-01-01_00-00-00", {"lr": 0.01, "epochs": 3, "size": [32, 32], "note": ""}, [(0.8, 1)])

    def write(self, name, config, values):
        folder = self.runs / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2))
        lines = [json.dumps({"epoch": i + 1, "step": 10 * (i + 1), "loss": 1 / (i + 1), "val_loss": v, "miou": v, "seconds": s}) for i, (v, s) in enumerate(values)]
        (folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines))

    def lines(self, *arguments):
        result = run("runs", self.runs, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return [line.split() for line in result.stdout.splitlines()]

    def test_lists_oldest_first(self):
        head, first, second = self.lines()
        self.assertEqual(head, ["run", "started", "state", "epochs", "best", "epoch", "time"])
        self.assertEqual(first, ["unet/2026-01-01_00-00-00", "2026-01-01", "00:00:00", "interrupted", "1/3", "miou", "0.8000", "1", "1s"])
        self.assertEqual(second, ["unet/2026-01-02_03-04-05", "2026-01-02", "03:04:05", "finished", "3/3", "miou", "0.7000", "2", "3s"])

    def test_sorts_the_best_first(self):
        self.assertEqual([l[0][-8:] for l in self.lines("--sort", "miou")[1:]], ["00-00-00", "03-04-05"])
        self.assertEqual([l[0][-8:] for l in self.lines("--sort", "val_loss")[1:]], ["03-04-05", "00-00-00"])
        self.write("other", {}, [])
        self.assertEqual(self.lines("--sort", "loss")[-1][0], "other")

    def test_compares_what_differs(self):
        rows = {row[0]: row[1:] for row in self.lines("--compare", "unet/2026-01-02_03-04-05", self.runs / "unet/2026-01-01_00-00-00/")}
        self.assertEqual(rows["lr"], ["0.1", "0.01"])
        self.assertEqual(rows["note"], ["-", "''"])
        self.assertNotIn("size", rows)
        self.assertEqual(rows["state"], ["finished", "interrupted"])

    def test_json(self):
        report = json.loads(run("runs", self.runs, "--json").stdout)
        self.assertEqual([r["best"] for r in report["runs"]], [0.8, 0.7])
        self.assertEqual(report["runs"][1]["config"], {"lr": 0.1, "epochs": 3, "size": [32, 32]})
        report = json.loads(run("runs", self.runs, "--json", "--compare", "unet/2026-01-02_03-04-05", "unet/2026-01-01_00-00-00").stdout)
        self.assertEqual(report["differing"], ["lr", "note"])
        run("runs", self.runs, f"--json={self.folder / 'r.json'}")
        self.assertEqual(len(json.loads((self.folder / "r.json").read_text())["runs"]), 2)

    def test_draws(self):
        for arguments in [], ["--compare", "unet/2026-01-01_00-00-00"]:
            self.lines("--save", self.folder / "curves.png", *arguments)
            self.assertEqual((self.folder / "curves.png").read_bytes()[1:4], b"PNG")

    def test_a_real_run_is_finished_and_needs_no_configuration(self):
        self.train("runs/unet/real")
        self.assertIn("finished", {l[0]: l for l in self.lines()}["unet/real"])
        (self.runs / "unet/real/config.json").unlink()
        self.assertIn("finished", {l[0]: l for l in self.lines()}["unet/real"])

    def test_broken_files_are_named_and_not_fatal(self):
        log = self.runs / "unet/2026-01-02_03-04-05/metrics.jsonl"
        log.write_text(log.read_text()[:-40] + "\n[]\n" + '{"epo')
        (self.runs / "empty").mkdir()
        (self.runs / "broken").mkdir()
        (self.runs / "broken/config.json").write_bytes(b"\xff\x00{")
        result = run("runs", self.runs)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 5, result.stderr)
        for words in "metrics.jsonl: line 3: JSON", "line 4: JSON: an object is expected, got array", "line 5: is cut off", "broken/config.json: JSON", "broken/metrics.jsonl: is missing":
            self.assertIn(words, result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 4)

    def test_one_line_for_what_goes_wrong(self):
        self.assert_one_line(run("runs", self.folder / "nowhere"), 1, "nowhere", "is no folder")
        self.assert_one_line(run("runs", self.runs, "--sort", "typo"), 1, "no run", "typo")
        self.assert_one_line(run("runs", self.runs, "--compare", "unet"), 1, "'unet' is no run")
        self.assert_one_line(run("runs", self.runs, "--save", "a.jpg"), 2, "--save", ".png")
        self.assert_one_line(run("runs", self.runs, "--save", self.folder / "no/a.png"), 1, "no/a.png")
        self.assert_one_line(run("runs", self.runs, "--typo"), 2, "--typo")
        (self.folder / "none").mkdir()
        self.assertEqual(run("runs", self.folder / "none").stdout, f"no run in {self.folder / 'none'}\n")
        self.assert_one_line(run("runs", self.folder / "none", "--save", self.folder / "a.png"), 1, "no run to draw")


if __name__ == "__main__":
    unittest.main()
