"""An epoch over photographs by torch's DataLoader: shorter side 256, a window of 224, flipped, jittered, normalised, in batches of 32."""
import itertools, os, pathlib

import torch

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision_steps():
    from torchvision.transforms import v2

    return [v2.Resize(256, antialias=True), v2.RandomCrop(224), v2.RandomHorizontalFlip(), v2.ColorJitter(0.4, 0.4, 0.4)]


def torchvision():
    """v2 on 8-bit tensors."""
    from torchvision import io
    from torchvision.transforms import v2

    steps = v2.Compose(torchvision_steps() + [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda path: steps(io.decode_jpeg(io.read_file(path), io.ImageReadMode.RGB))


def pillow():
    """v2 on Pillow's images."""
    from PIL import Image
    from torchvision.transforms import v2

    steps = v2.Compose(torchvision_steps() + [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda path: steps(Image.open(path).convert("RGB"))


def albumentations():
    import albumentations as A
    import cv2
    from albumentations.pytorch import ToTensorV2

    cv2.setNumThreads(1)
    jitter = A.ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(0, 0), p=1)
    steps = A.Compose([A.SmallestMaxSize(256), A.RandomCrop(224, 224), A.HorizontalFlip(), jitter, A.Normalize(MEAN, STD), ToTensorV2()])
    return lambda path: steps(image=cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB))["image"]


class Photos(torch.utils.data.Dataset):
    def __init__(self, paths, load):
        self.paths, self.load = paths, load

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.load(self.paths[index]), 0


def work(form, photos, workers):
    folder = pathlib.Path(os.environ["TAPETUM_DATA"]) / "imagenet_samples"
    paths = list(itertools.islice(itertools.cycle(sorted(str(path) for path in folder.glob("*.JPEG"))), photos))
    loader = torch.utils.data.DataLoader(Photos(paths, globals()[form]()), batch_size=32, num_workers=workers, persistent_workers=True)

    def epoch():
        for images, _ in loader:
            if images.shape[2] != 224:
                raise ValueError("a photograph has the wrong size")

    return epoch
