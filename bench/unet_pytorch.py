"""The U-Net of models/unet.h in PyTorch. As a program PyTorch's side of bench_unet: the median seconds of a training step.
Arguments: width size batch steps threads"""
import json, statistics, sys, time
import torch
from torch import nn
from torch.nn import functional as F


def double_conv(inputs, outputs):
    layers = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, width, in_channels=3, classes=2, depth=4):
        super().__init__()
        sizes = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in zip([in_channels] + sizes, sizes))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(sizes, sizes[1:]))
        self.merge = nn.ModuleList(double_conv(2 * a, a) for a in sizes[:-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, merge, skip in reversed(list(zip(self.up, self.merge, skips))):
            x = merge(torch.cat([skip, up(x)], 1))
        return self.head(x)


def main():
    width, size, batch, steps, threads = map(int, sys.argv[1:6])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = UNet(width)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    images, labels = torch.rand(batch, 3, size, size), torch.randint(0, 2, (batch, size, size))
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds_per_step": statistics.median(seconds[1:]), "loss": loss.item(), "parameters": sum(p.numel() for p in model.parameters())}))


if __name__ == "__main__":
    main()
