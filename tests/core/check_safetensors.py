"""A file that the library wrote, read by the format's rules alone: https://github.com/huggingface/safetensors#format"""
import json, math, pathlib, struct, subprocess, sys, tempfile

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "I8": 1, "BOOL": 1}
CODES = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "U8": "B", "I8": "b", "BOOL": "?"}


def once(pairs):
    assert len(dict(pairs)) == len(pairs), f"a key appears twice: {pairs}"
    return dict(pairs)


def read(path):
    """{name: (dtype, shape, values)} and the metadata; every rule of the format is checked on the way."""
    file = path.read_bytes()
    (length,) = struct.unpack_from("<Q", file)
    header, data = file[8 : 8 + length], file[8 + length :]
    assert len(header) == length and header[:1] == b"{", "the header begins with '{' and is whole"
    assert (8 + length) % 8 == 0 and header.rstrip(b" ").endswith(b"}"), "the header is padded with spaces so that the data is aligned"
    entries = json.loads(header.decode("utf-8"), object_pairs_hook=once)
    metadata = entries.pop("__metadata__", {})
    assert all(isinstance(text, str) for pair in metadata.items() for text in pair), f"metadata maps strings to strings: {metadata}"

    tensors, end = {}, 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        assert entry.keys() == {"dtype", "shape", "data_offsets"}, f"{name}: {entry}"
        dtype, shape, (begin, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
        assert begin == end, f"{name} begins at {begin}, but the tensor before it ends at {end}"
        assert begin % SIZES[dtype] == 0, f"{name}: {dtype} at byte {begin} is not aligned"
        assert stop - begin == math.prod(shape) * SIZES[dtype], f"{name}: {entry} holds {stop - begin} bytes"
        end = stop
        count = math.prod(shape)
        if dtype == "BF16":  # the upper half of an F32
            values = [struct.unpack("<f", b"\0\0" + data[i : i + 2])[0] for i in range(begin, stop, 2)]
        else:
            values = list(struct.unpack(f"<{count}{CODES[dtype]}", data[begin:stop]))
        tensors[name] = (dtype, shape, values)
    assert end == len(data), f"the tensors end at {end}, the data at {len(data)}"
    return tensors, metadata


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "a safetensors file for another reader"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    tensors, metadata = read(pathlib.Path(folder) / "other.safetensors")

six = [0, 1, 2, 3, 4, 5]
names = {"f64": "F64", "f32": "F32", "f16": "F16", "bf16": "BF16", "i64": "I64", "i32": "I32", "u8": "U8", "i8": "I8"}
expected = {name: (dtype, [2, 3], six) for name, dtype in names.items()}
expected |= {
    "bool": ("BOOL", [2, 3], [False, True] * 3),
    "scalar": ("F32", [], [2.5]),
    "empty": ("I32", [0, 4], []),
    "transposed": ("F32", [2, 3], six),
    'ünï "quoted" \\ \n': ("F32", [1], [1]),
}
assert tensors == expected, tensors
assert metadata == {"epoch": "3", "ünï": 'line\nbreak "quoted" \\'}, metadata
print(f"{len(tensors)} tensors")
