"""What the README shows works: its first command runs (two steps of it), every other names flags that exist, and its programs compile and link.
What CONTRIBUTING.md quotes stands in the file that it names."""
import pathlib, re, subprocess, sys, tempfile

compiler, root, build = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
text = (root / "README.md").read_text()
failures = []


def run(what, *command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        failures.append(f"{what}\nexit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


commands = re.findall(r"\./run (\w+)([^\n`|]*)", text)
helps = {}
for program, arguments in commands:
    binary = build / "bin" / program
    if program in helps or not (root / "examples" / f"{program}.cpp").exists():
        continue
    helps[program] = run(f"{program} --help", binary, "--help")
for program, arguments in commands:
    for flag in re.findall(r"--[\w-]+", arguments):
        if program in helps and not re.search(rf"{flag}\b", helps[program]):
            failures.append(f"./run {program}{arguments}\nthere is no {flag}")

programs = [body for body in re.findall(r"^```cpp\n(.*?)^```$", text, re.M | re.S) if "int main(" in body]
with tempfile.TemporaryDirectory() as folder:
    run("train_unet", build / "bin/train_unet", "--steps", "2", "--epochs", "1", "--out", folder + "/run")
    for body in programs:
        flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{build}/include", f"-I{root}", f"-L{build}", f"-Wl,-rpath,{build}"]
        run("the program:\n" + body, compiler, *flags, "-x", "c++", "-", "-o", f"{folder}/program", "-ltapetum", input=body)

quotes = re.findall(r"^\*\*\d\.[^`]*`([\w/.]+)`(?:(?!^\*\*).)*?^```cpp\n(.*?)^```$", (root / "CONTRIBUTING.md").read_text(), re.M | re.S)
for path, quote in quotes:
    source = {line.strip() for line in (root / path).read_text().splitlines()}
    failures += [f"CONTRIBUTING.md: this is not in {path}:\n{line}" for line in quote.splitlines() if line.strip() not in source | {""}]

print("\n\n".join(failures) or f"{len(commands)} commands, {len(programs)} programs, {len(quotes)} quotes")
sys.exit(bool(failures) or not (commands and programs and quotes))
