"""Runs what the README shows: `sh test` blocks command by command from the root, and whole programs in `cpp` blocks, compiled and linked."""
import pathlib, re, subprocess, sys, tempfile

compiler, root, build = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
blocks = re.findall(r"^```(\w[^\n]*)\n(.*?)^```$", (root / "README.md").read_text(), re.M | re.S)
failures, commands, programs = [], 0, 0


def check(what, *command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        failures.append(f"{what}\nexit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


with tempfile.TemporaryDirectory() as folder:
    for kind, text in blocks:
        if kind.split() == ["sh", "test"]:
            for line in text.replace("\\\n", " ").splitlines():
                command = line.split(" #")[0].strip()
                if command:
                    commands += 1
                    check(command, "bash", "-euc", command, cwd=root)
        elif kind == "cpp" and "int main(" in text:
            programs += 1
            flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{build}/include", f"-I{root}", f"-L{build}", f"-Wl,-rpath,{build}"]
            check("the program:\n" + text, compiler, *flags, "-x", "c++", "-", "-o", f"{folder}/program", "-ltapetum", input=text)
print("\n\n".join(failures) or f"{commands} commands ran, {programs} programs compiled")
sys.exit(bool(failures) or not commands + programs)
