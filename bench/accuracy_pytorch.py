"""train_unet in PyTorch: the same network, images, steps and preprocessing; prints the scores on the validation images as JSON.
The flags are those of train_unet; Adam without a schedule, cross-entropy, no augmentation."""
import argparse, json, pathlib
import numpy, torch
from PIL import Image
from torch.nn import functional as F

from unet_pytorch import UNet

parser = argparse.ArgumentParser(description=__doc__)
for flag in ("--images", "--masks", "--val-images", "--val-masks"):
    parser.add_argument(flag, type=pathlib.Path, required=True)
for flag, value in (("--classes", 2), ("--mask-threshold", -1), ("--ignore-index", -100), ("--width", 16), ("--epochs", 20), ("--batch-size", 4), ("--seed", 0), ("--threads", 2)):
    parser.add_argument(flag, type=int, default=value)
parser.add_argument("--size", default="256")
parser.add_argument("--lr", type=float, default=1e-3)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
height, width = map(int, (args.size.split("x") * 2)[:2])


def read(images, masks):
    pictures, labels = [], []
    for path in sorted(images.iterdir()):
        picture = Image.open(path).convert("RGB").resize((width, height), Image.BILINEAR)
        mask = Image.open(masks / path.name).resize((width, height), Image.NEAREST)
        pictures.append(numpy.asarray(picture, numpy.float32) / 255)
        labels.append(numpy.asarray(mask.convert("L")) > args.mask_threshold if args.mask_threshold >= 0 else numpy.asarray(mask))
    x, y = torch.tensor(numpy.stack(pictures)).permute(0, 3, 1, 2), torch.tensor(numpy.stack(labels).astype(numpy.int64))
    mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True)  # of each image, as examples/common/model_card.cpp
    return (x - mean) / (variance + 1e-4).sqrt(), y


def confusion(model, x, y):
    model.eval()
    counts = torch.zeros(args.classes, args.classes, dtype=torch.float64)
    with torch.no_grad():
        for picture, truth in zip(x, y):
            judged = truth != args.ignore_index
            pairs = args.classes * truth[judged] + model(picture[None]).argmax(1)[0][judged]
            counts += torch.bincount(pairs, minlength=args.classes**2).reshape(args.classes, args.classes)
    return counts


x, y = read(args.images, args.masks)
val_x, val_y = read(args.val_images, args.val_masks)
model = UNet(args.width, classes=args.classes)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    model.train()
    for chosen in torch.randperm(len(x)).split(args.batch_size):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[chosen]), y[chosen], ignore_index=args.ignore_index)
        loss.backward()
        optimizer.step()
counts = confusion(model, val_x, val_y)
union = counts.sum(0) + counts.sum(1) - counts.diag()
iou = (counts.diag() / union)[union > 0]
print(json.dumps({"miou": iou.mean().item(), "pixel_accuracy": (counts.diag().sum() / counts.sum()).item(), "loss": loss.item()}))
