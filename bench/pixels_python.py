"""Pillow's and OpenCV's times for what bench_pixels does, on one thread: the median milliseconds of each, as JSON. usage: pixels_python.py FILE.jpg"""
import io, json, pathlib, statistics, sys, time
import cv2, numpy
from PIL import Image, ImageEnhance

cv2.setNumThreads(1)
data = pathlib.Path(sys.argv[1]).read_bytes()
picture = Image.open(io.BytesIO(data)).convert("RGB")
pixels = numpy.asarray(picture)
size = (pixels.shape[1], pixels.shape[0])


def clahe():
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(4, (8, 8)).apply(lab[..., 0])
    cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


calls = {
    "decode JPEG": lambda: Image.open(io.BytesIO(data)).convert("RGB"),
    "resize to 224, bilinear": lambda: picture.resize((224, 224), Image.BILINEAR),
    "resize to 224, bicubic": lambda: picture.resize((224, 224), Image.BICUBIC),
    "resize to 1024, bicubic": lambda: picture.resize((1024, 1024), Image.BICUBIC),
    "brightness": lambda: ImageEnhance.Brightness(picture).enhance(1.2),
    "contrast": lambda: ImageEnhance.Contrast(picture).enhance(1.2),
    "saturation": lambda: ImageEnhance.Color(picture).enhance(1.2),
    "sharpness": lambda: ImageEnhance.Sharpness(picture).enhance(1.2),
    "Gaussian blur, sigma 1.5": lambda: cv2.GaussianBlur(pixels, (0, 0), 1.5),
    "median of 5 x 5": lambda: cv2.medianBlur(pixels, 5),
    "RGB to HSV": lambda: cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV),
    "CLAHE": clahe,
    "rotation, bilinear": lambda: cv2.warpAffine(pixels, cv2.getRotationMatrix2D((0, 0), 10, 1), size, flags=cv2.INTER_LINEAR),
}


def milliseconds(call):
    times = []
    for _ in range(30):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


print(json.dumps({name: milliseconds(call) for name, call in calls.items()}))
