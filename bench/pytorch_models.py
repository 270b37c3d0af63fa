"""Networks of the rows in PyTorch: steps of training and inference, in its own forms and by runtimes that take its models."""
import os, tempfile

import torch
from torch.nn import functional as F

import pytorch_ops, unet_pytorch


def classifier(name, size):
    """torchvision's, or timm's where it has none."""
    import torchvision

    if name in torchvision.models.list_models():
        return torchvision.models.get_model(name)
    import timm

    if name.startswith("vit_s_"):
        return timm.create_model(f"vit_small_patch{name.removeprefix('vit_s_')}_224", img_size=size)
    return timm.create_model({"efficientnet_lite0": "tf_efficientnet_lite0"}.get(name, name))


def work(form, op, what, dtype, sizes):
    if op == "unet":
        width, size, batch = sizes
        model, labels = unet_pytorch.UNet(width), torch.randint(0, 2, (batch, size, size))
    else:
        batch, size = sizes
        model, labels = classifier(op, size), torch.randint(0, 1000, (batch,))
    layout = torch.contiguous_format if form in ("eager", "onnxruntime", "openvino") else torch.channels_last
    images = pytorch_ops.values(dtype, batch, 3, size, size).to(memory_format=layout)
    model = model.to(pytorch_ops.device, images.dtype, memory_format=layout)
    if what == "inference":
        return inference(form, model.eval(), images)
    return training(form, what, model, images, labels.to(pytorch_ops.device))


def training(form, what, model, images, labels):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True, capturable=what == "graph")
    if form == "compiled":
        torch._dynamo.reset()
        forward = torch.compile(model, dynamic=False)
    else:
        forward = model

    def step():
        optimizer.zero_grad()
        with torch.autocast(images.device.type, torch.bfloat16, enabled=what == "autocast"):
            loss = F.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()

    return captured(step) if what == "graph" else step


def captured(step):
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def inference(form, model, images):
    if form == "compiled":
        torch._dynamo.reset()
        model = torch.compile(model, dynamic=False, options={"freezing": True})
    if form == "onnxruntime":
        return onnxruntime_call(model, images)
    if form == "openvino":
        return openvino_call(model, images)
    return torch.no_grad()(lambda: model(images))


def onnxruntime_call(model, images):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (images,), file, input_names=["images"], verbose=False)
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {"images": images.numpy()}
    return lambda: session.run(None, feed)


def openvino_call(model, images):
    import openvino

    settings = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    with torch.no_grad():
        converted = openvino.convert_model(model, example_input=images, input=list(images.shape))
    request = openvino.Core().compile_model(converted, "CPU", settings).create_infer_request()
    return lambda: request.infer([images.numpy()], share_inputs=True)
