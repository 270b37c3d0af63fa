"""What ./run says and does about missing packages, on a machine that has nothing but the tools listed here. usage: test_setup.py"""
import os, pathlib, shutil, subprocess, tempfile, unittest

RUN = pathlib.Path(__file__).resolve().parents[2] / "run"
TOOLS = ["basename", "cat", "dirname", "grep", "paste", "readlink", "sort", "tr"]
FAKES = {
    "id": "echo $FAKE_ID",
    "dpkg-query": 'case " $INSTALLED " in *" ${@: -1} "*) printf installed ;; *) exit 1 ;; esac',
    "apt-get": 'echo "$@" >> "$LOG"; exit $APT_CODE',
}


class Setup(unittest.TestCase):
    def setUp(self):
        self.bin = pathlib.Path(tempfile.mkdtemp(prefix="tapetum_"))
        self.addCleanup(shutil.rmtree, self.bin)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name, body in FAKES.items():
            self.command(name, body)
        self.log = self.bin / "log"

    def command(self, name, body=""):
        (self.bin / name).write_text(f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def run_script(self, *arguments, user=1000, installed=(), apt_code=0):
        environment = {"PATH": str(self.bin), "FAKE_ID": str(user), "INSTALLED": " ".join(installed), "LOG": str(self.log), "APT_CODE": str(apt_code)}
        return subprocess.run([RUN, *arguments], capture_output=True, text=True, env=environment, timeout=60)

    def missing(self, *arguments, **more):
        """The packages of a refusal, which must be said twice: as a list and as the command that installs them."""
        result = self.run_script(*arguments, **more)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        first, second = result.stderr.splitlines()
        names = first.removeprefix("run: missing: ")
        self.assertEqual(second, f"run: install them with: sudo apt-get install -y --no-install-recommends {names}")
        self.assertFalse(self.log.exists(), "apt-get was called")
        return names.split(" ")

    def test_a_user_is_told_exactly_what_is_missing(self):
        everything = self.missing("setup")
        self.assertEqual(everything, sorted(set(everything)))
        self.assertLessEqual({"g++", "cmake", "ninja-build", "libeigen3-dev", "catch2", "python3", "libbenchmark-dev"}, set(everything))
        for name in everything:
            self.assertEqual(self.missing("setup", installed=set(everything) - {name}), [name])
        done = self.run_script("setup", installed=everything)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_command_from_elsewhere_will_do(self):
        everything = self.missing("setup")
        self.command("g++")
        self.command("cmake")
        self.assertEqual(set(everything) - set(self.missing("setup")), {"g++", "cmake"})

    def test_programs_and_tests_ask_for_what_they_need(self):
        self.assertNotIn("catch2", self.missing("train_unet", "--epochs", "1"))
        self.assertIn("catch2", self.missing("test"))
        self.assertNotIn("libbenchmark-dev", self.missing("test"))
        self.assertIn("clang-tidy", self.missing("nightly"))

    def test_root_installs_it(self):
        name, *others = self.missing("setup")
        result = self.run_script("setup", user=0, installed=others)
        self.assertEqual((result.returncode, result.stderr), (0, f"installing {name}\n"))
        self.assertEqual(self.log.read_text(), f"install -y --no-install-recommends {name} -qq\n")

    def test_what_cannot_be_installed_is_named(self):
        name, *others = self.missing("setup")
        result = self.run_script("setup", user=0, apt_code=100, installed=others)
        self.assertEqual((result.returncode, result.stderr), (1, f"installing {name}\nrun: could not install: {name}\n"))

    def test_another_distribution_is_told_too(self):
        (self.bin / "dpkg-query").unlink()
        self.assertIn("libeigen3-dev", self.missing("setup", user=0))


if __name__ == "__main__":
    unittest.main()
