"""train_classifier and finetune in PyTorch, by the same recipe: Adam and one cycle, cross-entropy; prints accuracy and seconds of training as JSON.
usage: classify_pytorch.py cifar10 ROOT | mnist ROOT | cats_dogs ROOT WEIGHTS   [--epochs N ...]"""
import argparse, json, pathlib, time
import numpy, torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("data", choices=["cifar10", "mnist", "cats_dogs"])
parser.add_argument("root", type=pathlib.Path)
parser.add_argument("weights", nargs="?")
for flag, value in (("--epochs", 12), ("--batch-size", 64), ("--seed", 0), ("--threads", 2), ("--workers", 2)):
    parser.add_argument(flag, type=int, default=value)
parser.add_argument("--lr", type=float, default=3e-3)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)


class SimpleCNN(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        widths = [channels, 32, 64, 128]
        self.features = nn.Sequential(*(layer for i, o in zip(widths, widths[1:]) for layer in (nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2))))
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(128 * 16, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, classes))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Pictures(Dataset):
    def __init__(self, pictures, labels, transform):
        self.pictures, self.labels, self.transform = pictures, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.pictures[i]), self.labels[i]


def train(model, train_set, val_set, seconds=0.0):
    loader = DataLoader(train_set, args.batch_size, shuffle=True, num_workers=args.workers, persistent_workers=args.workers > 0)
    val_loader = DataLoader(val_set, args.batch_size, num_workers=args.workers, persistent_workers=args.workers > 0)
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), args.lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.epochs * len(loader))
    start = time.perf_counter()
    for _ in range(args.epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
    print(json.dumps({"accuracy": right / len(val_set), "seconds": seconds + time.perf_counter() - start}))


def cifar10():
    from torchvision import transforms as T

    scale = T.Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    changed = T.Compose([T.ToPILImage(), T.RandomHorizontalFlip(), T.RandomRotation(10), T.ColorJitter(0.2, 0.2, 0.2), T.ToTensor(), scale])
    sets = []
    for pattern, transform in (("data_batch*.bin", changed), ("test*.bin", T.Compose([T.ToPILImage(), T.ToTensor(), scale]))):
        records = numpy.concatenate([numpy.fromfile(p, numpy.uint8).reshape(-1, 3073) for p in sorted(args.root.glob(pattern))])
        pictures = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        sets.append(Pictures(numpy.ascontiguousarray(pictures), records[:, 0].astype(numpy.int64), transform))
    train(SimpleCNN(3, 10), *sets)


def mnist():
    """Nine of ten pictures of the training set; the others are the test."""
    read = lambda kind, start: numpy.fromfile(next(args.root.glob(f"train*{kind}-ubyte")), numpy.uint8)[start:]
    labels = torch.tensor(read("labels-idx1", 8).astype(numpy.int64))
    pictures = torch.tensor(read("images-idx3", 16).reshape(-1, 1, 28, 28)).float()
    pictures = (F.interpolate(pictures, 32, mode="bilinear") - 33.3285) / 78.5655
    chosen = torch.randperm(len(labels))
    part = lambda indices: TensorDataset(pictures[indices], labels[indices])
    train(SimpleCNN(1, 10), part(chosen[: len(labels) * 9 // 10]), part(chosen[len(labels) * 9 // 10 :]))


def cats_dogs():
    """A new last layer on the features of EfficientNet-Lite0, which are computed once. Parts by the hash of the file's name that finetune uses."""
    import timm
    from PIL import Image

    model = timm.create_model("tf_efficientnet_lite0", num_classes=1000)
    state = torch.load(args.weights, map_location="cpu", weights_only=True)
    theirs, ours = model.state_dict(), list(state.values())
    assert [t.shape for t in theirs.values()] == [t.shape for t in ours]
    model.load_state_dict(dict(zip(theirs, ours)))
    model.reset_classifier(0)
    model.eval()

    def in_validation(name):
        h = 0xCBF29CE484222325
        for byte in name.encode():
            h = (h ^ byte) * 0x100000001B3 % 2**64
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            h = (h ^ h >> shift) * factor % 2**64
        return (h >> 11) / 2**53 >= 0.8

    start = time.perf_counter()
    parts = {False: ([], []), True: ([], [])}
    for label, folder in enumerate(sorted(p for p in args.root.iterdir() if p.is_dir())):
        for path in sorted(folder.iterdir()):
            picture = Image.open(path).convert("RGB")
            scale = 256 / min(picture.size)
            picture = picture.resize([round(s * scale) for s in picture.size], Image.BICUBIC)
            left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
            pixels = numpy.asarray(picture.crop((left, top, left + 224, top + 224)), numpy.float32)
            pictures, labels = parts[in_validation(f"{folder.name}/{path.name}")]
            pictures.append(torch.tensor((pixels - 127) / 128).permute(2, 0, 1))
            labels.append(label)
    sets = []
    with torch.no_grad():
        for pictures, labels in parts.values():
            features = torch.cat([model(batch) for batch in torch.stack(pictures).split(args.batch_size)])
            sets.append(TensorDataset(features, torch.tensor(labels)))
    args.workers = 0
    train(nn.Linear(1280, 2), *sets, seconds=time.perf_counter() - start)


globals()[args.data]()
