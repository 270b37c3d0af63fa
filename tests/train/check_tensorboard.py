"""Reads, with TensorBoard's own reader, an event file that the library wrote. Says that it skips where there is no tensorboard: TAPETUM_TORCH_PYTHON
names an interpreter that has it."""
import os, pathlib, subprocess, sys, tempfile

READ = """
import io, math, struct, sys, zlib
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
a = EventAccumulator(sys.argv[1], {"tensors": 0, "images": 0, "histograms": 0, "scalars": 0})
a.Reload()
tags = a.Tags()
assert tags["scalars"] == ["loss", "nan"] and tags["images"] == ["picture"] and tags["histograms"] == ["weights"] and tags["tensors"] == ["note"], tags
# The first writer's step 3 is hidden: the second one goes on from step 2.
loss = [(e.step, e.value) for e in a.Scalars("loss")]
assert [s for s, _ in loss] == [1, 2, 3, 4], loss
assert [v for _, v in loss] == [99, 0.5, struct.unpack("f", struct.pack("f", 1 / 3))[0], 0.25], loss
assert math.isnan(a.Scalars("nan")[0].value)
image = a.Images("picture")[0]
assert (image.step, image.width, image.height) == (3, 3, 2)
png, rows = image.encoded_image_string, b""
at = 8
while at < len(png):
    size, kind = struct.unpack(">I4s", png[at:at + 8])
    rows += png[at + 8:at + 8 + size] if kind == b"IDAT" else b""
    at += size + 12
assert len(zlib.decompress(rows)) == 2 * (1 + 9)
h = a.Histograms("weights")[0].histogram_value
assert (h.min, h.max, h.num, h.sum, h.sum_squares) == (-1, 2, 5, 2, 5.5), h
counts = {}
for low, high, n in zip([-math.inf] + list(h.bucket_limit), h.bucket_limit, h.bucket):
    for v in (-1, 0, 0.5, 2):
        counts[v] = counts.get(v, 0) + (n if low <= v < high else 0)
assert counts == {-1: 1, 0: 1, 0.5: 2, 2: 1}, counts
note = a.Tensors("note")[0]
assert tensor_util.make_ndarray(note.tensor_proto).tolist() == ["**bold** ünï".encode()]
assert a.SummaryMetadata("note").plugin_data.plugin_name == "text"
print(len(loss), "scalars")
"""

python = os.environ.get("TAPETUM_TORCH_PYTHON", sys.executable)
if subprocess.run([python, "-c", "import tensorboard"], capture_output=True).returncode:
    print("skipped: no tensorboard; TAPETUM_TORCH_PYTHON may name an interpreter that has it")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "an event file for another reader"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([python, "-c", READ, str(pathlib.Path(folder) / "events")], check=True)
