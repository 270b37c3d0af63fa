"""Rows timed alternately on all sides, and the table of what came out."""
import json, os, pathlib, statistics, sys, time

import rows

HERE = pathlib.Path(__file__).resolve().parent
PYTORCH = ("eager", "channels_last", "compiled", "torchvision", "pillow")  # forms of PyTorch, of which the fastest is its best; the rest are others


class Figure:
    def __init__(self, group, name, unit, ours, theirs, goals=None, rate="", larger=False):
        """theirs: figure by form. goals: least ratio by form, `best` among them. larger: is better."""
        self.group, self.name, self.unit, self.ours, self.theirs, self.rate = group, name, unit, ours, theirs, rate
        self.ratios = {form: ours / t if larger else t / ours for form, t in theirs.items() if t and ours}
        own = {form: ratio for form, ratio in self.ratios.items() if form in PYTORCH}
        self.best = min(own, key=own.get) if own else None
        self.goals = {form: goal for form, goal in (goals or {}).items() if self.ratio(form) is not None}
        self.met = all(self.ratio(form) >= goal for form, goal in self.goals.items()) if self.goals else None

    def ratio(self, form):
        return self.ratios.get(self.best if form == "best" else form)

    def goal_text(self):
        return ", ".join(f"{form} {goal:.3g}" for form, goal in self.goals.items())

    def line(self):
        number = lambda value, digits="10.4g": f"{value:{digits}}" if value is not None else f"{'':{digits.split('.')[0]}}"
        line = f"{self.name:50}{number(self.ours)} {self.unit:3}{number(self.theirs.get('eager'))}{number(self.theirs.get(self.best))} {self.best or '':13}"
        line += number(self.ratio("eager"), "8.2f") + number(self.ratio("best"), "8.2f")
        goals = self.goal_text()
        others = "  ".join(f"{form} {self.theirs[form]:.4g} ({ratio:.2f})" for form, ratio in self.ratios.items() if form not in ("eager", self.best))
        return f"{line}  {'' if self.met is None else 'met' if self.met else 'missed':7}{goals:20} {self.rate:18} {others}".rstrip()


class Table:
    def __init__(self, machine, total):
        self.machine, self.total, self.figures, self.failed, self.notes = machine, total, [], 0, {}
        self.begun, self.done, self.copy, self.group = time.monotonic(), 0, 0, None
        print("  ".join(f"{key} {value}" for key, value in machine.items()))
        print("ratios are theirs / ours: above 1 we are faster or smaller. best: PyTorch's fastest form; others behind, with their ratios")
        print(f"{'':50}{'ours':>10}    {'eager':>10}{'best':>10} {'':13}{'/eager':>8}{'/best':>8}  goal", flush=True)

    def progress(self, name):
        if sys.stderr.isatty():
            minutes = (time.monotonic() - self.begun) / 60
            print(f"\r\033[K[{self.done}/{self.total}, {minutes:.1f} min] {name}", end="", file=sys.stderr, flush=True)

    def say(self, text):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    def head(self, group):
        if group != self.group:
            self.group = group
            self.say(group)

    def add(self, figure):
        self.figures.append(figure)
        self.head(figure.group)
        self.say(figure.line())

    def fail(self, group, name, error):
        self.failed += 1
        self.head(group)
        self.say(f"{name:50} error: {(str(error).splitlines() or [type(error).__name__])[0][:150]}")

    def note(self, text):
        self.notes[text] = self.notes.get(text, 0) + 1

    def run(self, group, measure):
        """Figures of a generator; what goes wrong ends it alone."""
        self.progress(group)
        try:
            for figure in measure():
                self.add(figure)
        except Exception as error:
            self.fail(group, group, error)

    def groups(self):
        groups = {}
        for figure in self.figures:
            groups.setdefault(figure.group, []).append(figure)
        return groups

    def summary(self):
        for text, count in self.notes.items():
            self.say(f"no figure in {count} rows: {text}")
        self.say(f"\n{'':26}{'/best, geometric mean':>22}{'least':>7}{'goals met':>12}")
        for group, members in self.groups().items():
            ratios = [f.ratio("best") for f in members if f.ratio("best")]
            with_goals = [f for f in members if f.met is not None]
            mean = f"{statistics.geometric_mean(ratios):22.2f}{min(ratios):7.2f}" if ratios else f"{'':29}"
            self.say(f"{group:26}{mean}{sum(f.met for f in with_goals):6} of {len(with_goals)}")

    def markdown(self):
        """The figures of whole programs one by one, those of operations by group."""
        number = lambda value: "" if value is None else f"{value:.2f}"
        lines = [f"{self.machine['cpu']}, {self.machine['threads']} threads ({self.machine['isa']}); PyTorch {self.machine['torch']}.", ""]
        lines += ["| | ours | PyTorch as it comes | its best form | others | goal |", "|---|---|---|---|---|---|"]
        for f in self.figures:
            if f.group.startswith("ops/"):
                continue
            others = ", ".join(f"{form} {ratio:.2f}" for form, ratio in f.ratios.items() if form not in PYTORCH)
            goals = f.goal_text() + (": missed" if f.met is False else "")
            best = f"{number(f.ratio('best'))} {f.best}" if f.best else ""
            lines.append(f"| {f.name} | {f.ours:.4g} {f.unit} | {number(f.ratio('eager'))} | {best} | {others} | {goals} |")
        lines += ["", "| operations | rows | ratio to its best form, geometric mean | least | goals met |", "|---|---|---|---|---|"]
        for group, members in self.groups().items():
            ratios = [f.ratio("best") for f in members if f.ratio("best")]
            if group.startswith("ops/") and ratios:
                met = [f.met for f in members if f.met is not None]
                lines.append(f"| {group[4:]} | {len(members)} | {statistics.geometric_mean(ratios):.2f} | {min(ratios):.2f} | {sum(met)} of {len(met)} |")
        return "\n".join(lines) + "\n"

    def json(self):
        return json.dumps({"machine": self.machine, "figures": [vars(figure) for figure in self.figures]}, indent=1) + "\n"

    def ratios(self):
        lines = [f"# {key}: {value}" for key, value in self.machine.items()]
        return "\n".join(lines + [f"{f.name}\t{f.ratio('best'):.3f}" for f in self.figures if f.ratio("best")]) + "\n"

    def fallen(self, path):
        """How many ratios are lower than those of ratios() in the file, which another machine's are not compared with."""
        lines = pathlib.Path(path).read_text().splitlines()
        before = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
        if other := [f"{key} {self.machine[key]}" for key in ("cpu", "isa", "threads") if f"# {key}: {self.machine[key]}" not in lines]:
            self.say(f"the ratios of {path} are of another machine, not of {', '.join(other)}: not compared")
            return 0
        fallen = [(f, float(before[f.name])) for f in self.figures if f.name in before and f.ratio("best") and f.ratio("best") < 0.9 * float(before[f.name])]
        for figure, ratio in fallen:
            self.say(f"fallen: {figure.name}: {ratio:.2f} to {figure.ratio('best'):.2f}")
        self.say(f"{len(fallen)} of {len(before)} ratios of {path} have fallen by more than 10 %")
        return len(fallen)


class Sides:
    """The processes: ours, and one for each form of theirs, begun when a row first wants it. What they say besides is in build/versus_pytorch.log."""

    def __init__(self, args, python):
        self.args, self.python, self.sides, self.last = args, python, {}, None
        build = HERE.parent / "build"
        build.mkdir(exist_ok=True)
        self.log = open(build / "versus_pytorch.log", "w")
        threads = dict.fromkeys(("TAPETUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(args.threads))
        self.environment = {**os.environ, **threads, "TORCHINDUCTOR_CACHE_DIR": str(build / "pytorch-compiled")}
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # they slow it
            self.environment.pop(name, None)

    def __getitem__(self, form):
        if form not in self.sides:
            command = [self.args.tree / "bin/bench_gpu", "cpu"] if form == "ours" else [self.python, HERE / "their_rows.py", form, self.args.threads]
            self.sides[form] = rows.Side(command, self.environment, int(self.args.smoke or self.args.least), self.log)
        return self.sides[form]

    def time(self, form):
        """Milliseconds: what a side says, or the least of single calls in 30 ms."""
        time.sleep(0.2 if self.last == "openblas" else 0.01)  # its threads wait for work in a loop that takes a core for 0.11 s, others' for some ms
        self.last = form
        side, least, end = self[form], None, time.monotonic() + 0.03
        while least is None or (self.args.least and time.monotonic() < end):
            taken = side.time()
            least = min(taken, least or taken)
        return least


def time_rows(todo, args, python, table):
    sides = Sides(args, python)
    for row in todo:
        table.progress(row.name)
        try:
            table.add(figure_of(row, sides, args, python, table))
        except Exception as error:
            table.fail(row.group, row.name, error)
        table.done += 1


def figure_of(row, sides, args, python, table):
    sides["ours"].ask(row.question())
    times = {"ours": []}
    for form in [form for form in row.forms if not args.forms or form in args.forms] if python else []:
        try:
            sides[form].ask(row.question())
            times[form] = []
        except RuntimeError as error:
            table.note(f"{form}: {row.op}: {error}")
    begin = time.monotonic()
    for done in range(1 if args.smoke else args.rounds):
        if done >= 3 and time.monotonic() - begin > 20:
            break
        for form in times:
            times[form].append(sides.time(form))
    theirs = {form: (min if args.least else statistics.median)(t) for form, t in times.items()}
    ours = theirs.pop("ours")
    if row.op == "copy":
        table.copy = row.bytes / min([ours, *theirs.values()]) / 1e6
    return Figure(row.group, row.name, "ms", ours, theirs, row.goals, row.rate(ours, table.copy))
