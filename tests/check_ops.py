"""Every op of the sources (each OpInfo) runs in some case row, and every option of it takes at least two values over the rows."""
import collections, pathlib, re, subprocess, sys

compiler, root, test_ops = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]

# Not reachable by a row, or not a choice of the caller.
EXEMPT = {
    "alias": "the engine's own: a place in the graph for an output that is an input",
    "to_device": "needs a second device",
    "sets": "batch_norm, group_norm and instance_norm are one op at different values of these",
    "group": "as sets",
}


def ops_in_sources():
    found = {}
    for folder in ["core", "nn", "optim", "data", "models", "train"]:
        for source in sorted((root / folder).rglob("*.cpp")):
            if "OpInfo info" not in source.read_text():
                continue
            # Preprocessed, since families of one shape are written as macros.
            text = subprocess.run([compiler, "-std=c++20", "-I", str(root), "-E", "-P", str(source)], capture_output=True, text=True, check=True).stdout
            for names in re.findall(r"OpInfo info([^;]*);", text):
                found |= {name: source.relative_to(root) for name in re.findall(r'"(\w+)"', names)}
    return found


def fields(options):
    """'stride=[1,1], padding={h=0, w=0}' -> pairs, split at the outermost commas."""
    depth, start, parts = 0, 0, []
    for i, c in enumerate(options + ","):
        depth += (c in "[{(") - (c in "]})")
        if c == "," and depth == 0:
            parts.append(options[start:i].strip())
            start = i + 1
    return [part.split("=", 1) for part in parts if "=" in part]


rows = collections.Counter()
values = collections.defaultdict(set)
traced = subprocess.run([test_ops, "[.trace]"], capture_output=True, text=True, check=True).stdout
for _, op, options in (line.split("\t") for line in traced.splitlines() if line.startswith("traced\t")):
    rows[op] += 1
    for name, value in fields(options):
        values[op, name].add(value)

ops = ops_in_sources()
errors = [f"{file}: no case row runs {op}" for op, file in sorted(ops.items()) if not rows[op] and op not in EXEMPT]
errors += [f"{ops.get(op, '?')}: the rows of {op} never change {name} = {next(iter(v))}" for (op, name), v in sorted(values.items()) if len(v) == 1 and name not in EXEMPT]
print("\n".join(errors) or f"{len(ops)} ops, {sum(rows.values())} rows, {len(values)} options")
sys.exit(bool(errors) or not ops)
