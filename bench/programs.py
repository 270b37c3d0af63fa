"""Measures of versus_pytorch that are programs of their own on both sides. Each is a generator of figures, named as its group."""
import concurrent.futures, json, os, pathlib, platform, statistics, subprocess, sys, tempfile, time

from figures import Figure

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ["torch==2.15.*", "torchvision", "timm", "numpy", "pillow", "onnx", "onnxscript", "onnxruntime", "openvino", "albumentations", "opencv-python-headless"]


def torch_python(root):
    if named := os.environ.get("TAPETUM_TORCH_PYTHON"):
        return named
    home = root / "build/pytorch"
    python, complete = home / "bin/python", home / "complete"
    if not complete.exists() or complete.read_text() != " ".join(PACKAGES):
        print("installing PyTorch into build/pytorch", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        complete.write_text(" ".join(PACKAGES))
    return str(python)


def machine(python, threads):
    """What figures depend on."""
    facts = {}
    if os.path.exists("/proc/cpuinfo"):
        facts = dict([part.strip() for part in line.split(":", 1)] for line in open("/proc/cpuinfo") if ":" in line)
    flags = set(facts.get("flags", "").split())
    found = {"cpu": facts.get("model name", platform.machine()), "threads": threads,
             "isa": " ".join(f for f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16") if f in flags)}
    if python:
        probe = ("import importlib.metadata as m, json\ndef version(p):\n try: return m.version(p)\n except m.PackageNotFoundError: return None\n"
                 "print(json.dumps({p: version(p) for p in 'torch torchvision timm numpy onnxruntime openvino albumentations'.split()}))")
        found |= {name: version for name, version in json.loads(subprocess.run([python, "-c", probe], check=True, capture_output=True, text=True).stdout).items() if version}
    return found


def run(args, *command):
    """Standard output, seconds and peak resident megabytes of a process."""
    environment = {**os.environ, "TAPETUM_THREADS": str(args.threads), "OMP_NUM_THREADS": str(args.threads)}
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True, env=environment)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[0]} failed with status {os.waitstatus_to_exitcode(status)}")
    return text, time.perf_counter() - start, usage.ru_maxrss / 1024


def alternately(args, ours, theirs):
    """Medians, figure by figure, over three rounds in which both run."""
    rounds = [(ours(), theirs()) for _ in range(1 if args.smoke else min(args.rounds, 3))]
    return [{key: statistics.median(r[side][key] for r in rounds) for key in rounds[0][side]} for side in (0, 1)]


def data_folder():
    if folder := os.environ.get("TAPETUM_DATA"):
        return pathlib.Path(folder)
    raise RuntimeError("needs TAPETUM_DATA, the folder of the public data sets")


def overhead(args, python):
    """Nanoseconds of small calls beside PyTorch's C++."""
    source, program = ROOT / "bench/overhead_pytorch.cpp", ROOT / "build/overhead_pytorch"
    probe = "import torch, json, os; print(json.dumps([os.path.dirname(torch.__file__), int(torch._C._GLIBCXX_USE_CXX11_ABI)]))"
    home, abi = json.loads(run(args, python, "-c", probe)[0])
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        includes, lib = ["-isystem", f"{home}/include"], f"{home}/lib"
        flags = ["-O3", "-DNDEBUG", "-std=c++20", f"-D_GLIBCXX_USE_CXX11_ABI={abi}", f"-L{lib}", f"-Wl,-rpath,{lib}", "-Wl,--disable-new-dtags"]
        subprocess.run(["g++", source, "-o", program, *includes, *flags, "-Wl,--no-as-needed", "-ltorch_cpu", "-lc10"], check=True)

    def ours():
        text, *_ = run(args, args.tree / "bin/bench_overhead", "--benchmark_filter=^(add_recorded|small_model)$", "--benchmark_format=json", "--benchmark_repetitions=10")
        times = {}
        for b in json.loads(text)["benchmarks"]:
            if b["run_type"] == "iteration":
                times[b["run_name"]] = min(b["real_time"], times.get(b["run_name"], b["real_time"]))
        return times

    a, b = alternately(args, ours, lambda: json.loads(run(args, program)[0]))
    for name, what in {"add_recorded": "add of 64 elements, recorded", "small_model": "perceptron 8 x 16 x 32 x 10, forward and backward"}.items():
        yield Figure("overhead", what, "ns", a[name], {"eager": b[name]}, {"eager": 4})


def memory(args, python):
    """Peak resident megabytes of processes that train a U-Net."""
    sizes = [4, 32, 1, 1, args.threads] if args.smoke else [64, 256, 2, 2, args.threads]

    def side(*command):
        text, _, megabytes = run(args, *command, *sizes)
        return {"megabytes": megabytes, "parameters": json.loads(text)["parameters"]}

    a, b = alternately(args, lambda: side(args.tree / "bin/bench_unet"), lambda: side(python, ROOT / "bench/unet_pytorch.py"))
    if a["parameters"] != b["parameters"]:
        raise RuntimeError(f"the networks differ: {a['parameters']} and {b['parameters']} parameters")
    what = f"training of a U-Net, {'x'.join(map(str, sizes[:3]))}: peak"
    yield Figure("memory", what, "MB", a["megabytes"], {"eager": b["megabytes"]}, {"eager": 1 / 0.6})


def crowded(args, python):
    """How many times longer a step of a U-Net takes beside a loop that holds one of the CPUs, and beside the same program."""
    sizes = [4, 32, 1, 1, args.threads] if args.smoke else [32, 128, 2, 4, args.threads]

    def side(*command):
        step = lambda _=None: json.loads(run(args, *command, *sizes)[0])["seconds_per_step"]
        alone = step()
        loop = subprocess.Popen([sys.executable, "-c", "import os\nos.sched_setaffinity(0, [max(os.sched_getaffinity(0))])\nwhile True: pass"])
        try:
            beside_loop = step()
        finally:
            loop.kill()
            loop.wait()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return {"loop": beside_loop / alone, "twice": statistics.mean(pool.map(step, range(2))) / alone}

    a, b = alternately(args, lambda: side(args.tree / "bin/bench_unet"), lambda: side(python, ROOT / "bench/unet_pytorch.py"))
    for key, what in {"loop": "a CPU is taken", "twice": "two programs"}.items():
        yield Figure("crowded", f"step of a U-Net, {what}: times longer", "", a[key], {"eager": b[key]})


def start(args, python):
    a, b = alternately(args, lambda: {"ms": 1e3 * run(args, args.tree / "bin/train_unet", "--help")[1]}, lambda: {"ms": 1e3 * run(args, python, "-c", "import torch")[1]})
    yield Figure("start", "program start", "ms", a["ms"], {"eager": b["ms"]})


def size(args, python):
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "library"
        subprocess.run(["strip", "-o", stripped, args.tree / "libtapetum.so"], check=True)
        home = pathlib.Path(run(args, python, "-c", "import torch, os; print(os.path.dirname(torch.__file__))")[0].strip())
        yield Figure("size", "shared library, stripped", "MB", stripped.stat().st_size / 1e6, {"eager": (home / "lib/libtorch_cpu.so").stat().st_size / 1e6})


def build(args, python):
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        environment = {**os.environ, "CCACHE_DISABLE": "1"}
        for command in (["cmake", "--preset", "release", "-B", folder], ["cmake", "--build", folder]):
            subprocess.run(command, cwd=ROOT, check=True, env=environment, stdout=subprocess.DEVNULL)
        yield Figure("build", "cold build of library, programs and tests", "s", time.perf_counter() - begin, {})


def accuracy(args, python):
    """mIoU on validation images after the same steps on the same images. Where a set has no validation part, every fourth image is held out."""
    data = data_folder()
    sets = {
        "membrane": ("image", "label", "--mask-threshold 127 --size 256 --epochs 20 --batch-size 2"),
        "camvid": ("train", "trainannot", "val", "valannot", "--classes 11 --ignore-index 11 --size 192x256 --epochs 40 --batch-size 4"),
        "tents": ("images", "labels", "--mask-threshold 150 --size 256 --epochs 20 --batch-size 4"),
    }
    for name in args.sets:
        *folders, flags = sets[name]
        with tempfile.TemporaryDirectory() as scratch:
            where = split(data / name, folders, pathlib.Path(scratch)) if len(folders) == 2 else [data / name / f for f in folders]
            common = [*flags.split(), "--width", "16", "--lr", "1e-3", "--threads", args.threads]
            for flag, folder in zip(("--images", "--masks", "--val-images", "--val-masks"), where):
                common += [flag, folder]
            for seed in range(args.seeds):
                ours = [args.tree / "bin/train_unet", *common, "--schedule", "none", "--seed", seed, "--quiet", "--json", "--out", pathlib.Path(scratch) / str(seed)]
                a = json.loads(run(args, *ours)[0])["val"]["miou"]
                b = json.loads(run(args, python, ROOT / "bench/accuracy_pytorch.py", *common, "--seed", seed)[0])["miou"]
                yield Figure("accuracy", f"{name}, seed {seed}: mIoU", "", a, {"eager": b}, larger=True)


def split(folder, parts, scratch):
    """Four folders of links: images and masks for training, and for validation."""
    where = [scratch / side / part for side in ("train", "val") for part in parts]
    for target in where:
        target.mkdir(parents=True)
    for part, train, val in zip(parts, where[:2], where[2:]):
        for i, path in enumerate(sorted((folder / part).iterdir())):
            (val if i % 4 == 0 else train).joinpath(path.name).symlink_to(path)
    return where


def pixels(args, python):
    """Functions on 8-bit images beside Pillow and OpenCV; a photo of TAPETUM_DATA."""
    photo = min((data_folder() / "imagenet_samples").glob("*.JPEG"))
    a, b = alternately(args, lambda: json.loads(run(args, args.tree / "bin/bench_pixels", photo)[0]), lambda: json.loads(run(args, python, ROOT / "bench/pixels_python.py", photo)[0]))
    for name in a:
        yield Figure("pixels", f"{photo.stem}: {name}", "ms", a[name], {"eager": b[name]})


def classify(args, python):
    """Accuracy on held-out pictures and seconds, by the same recipe: train_classifier and finetune beside classify_pytorch.py."""
    data = data_folder()
    weights = data / "weights/efficientnet_lite0/efficientnet-lite0-57934424.pth"
    common = ["--threads", args.threads, "--quiet", "--json"]
    frozen = ["--freeze", "backbone", "--model", "efficientnet_lite0", "--weights", weights, "--optimizer", "adam", "--schedule", "onecycle", "--lr-head", "3e-3"]
    recipes = {
        "SimpleCNN on MNIST": (["train_classifier", "--data", "mnist", "--root", data / "mnist", "--hold-out", "--val-fraction", "0.1"], ["mnist", data / "mnist"], 8),
        "SimpleCNN on CIFAR-10": (["train_classifier", "--data", "cifar10", "--root", data / "cifar10", "--augment", ROOT / "bench/cifar_augment.json"], ["cifar10", data / "cifar10"], 20),
        "new layer for cats and dogs": (["finetune", "--root", data / "cats_dogs", *frozen], ["cats_dogs", data / "cats_dogs", weights], 10),
    }
    for name, (ours, theirs, epochs) in recipes.items():
        with tempfile.TemporaryDirectory() as folder:

            def mine():
                out = tempfile.mkdtemp(dir=folder)
                report = json.loads(run(args, args.tree / "bin" / ours[0], *ours[1:], *common, "--epochs", epochs, "--out", f"{out}/run")[0])
                return {"accuracy": report["val"]["accuracy"], "seconds": report["seconds"]}

            a, b = alternately(args, mine, lambda: json.loads(run(args, python, ROOT / "bench/classify_pytorch.py", *theirs, "--epochs", epochs, "--threads", args.threads)[0]))
        yield Figure("classify", f"{name}: accuracy", "", a["accuracy"], {"eager": b["accuracy"]}, larger=True)
        yield Figure("classify", f"{name}: training", "s", a["seconds"], {"eager": b["seconds"]})
