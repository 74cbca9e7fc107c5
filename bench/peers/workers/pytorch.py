"""The worker of torch: the protocol of serve.mjs, the inputs of bench/harness.mjs and losses.mjs."""

import base64
import ctypes
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

MASK = 2**32 - 1
# As bench/topK.bench.mjs has it.
K = 50
SAMPLE_SECONDS = 0.00005
WARM_UP_SECONDS = 0.15


def uniform(count, seed):
    """Numbers 1 … count of the generator state = state · 1664525 + 1013904223 (mod 2³²), divided by 2³²."""
    # State k is factor[k] · seed + offset[k]; each step doubles how many are known.
    factor = torch.tensor([1664525])
    offset = torch.tensor([1013904223])
    while len(factor) < count:
        last_factor, last_offset = factor[-1], offset[-1]
        offset = torch.cat([offset, (factor * last_offset + offset) & MASK])
        factor = torch.cat([factor, (factor * last_factor) & MASK])
    return ((factor[:count] * seed + offset[:count]) & MASK).double() / 2**32


def logits(count, seed=1):
    draws = uniform(3 * count, seed).view(count, 3)
    return (6 * (draws[:, 0] + draws[:, 1] + draws[:, 2] - 1.5)).float()


def prepare(operation, shape):
    """A function that does the work once, or None for an operation that there is not."""
    rows, n = shape
    x = logits(rows * n).view(rows, n)
    if operation.endswith("WithGrad"):
        x.requires_grad_()
    if operation.startswith("crossEntropy"):
        targets = (logits(rows, 2).double().abs() / 9 * n).long()
        loss = lambda: F.cross_entropy(x, targets)
    elif operation.startswith("bceWithLogits"):
        targets = (logits(rows * n, 2).double().abs() / 9).float().view(rows, n)
        loss = lambda: F.binary_cross_entropy_with_logits(x, targets)
    elif operation.endswith("Backward"):
        # What the backward passes of softmax and log_softmax call.
        size = logits(rows * n).view(rows, n).double().abs()
        dy = (logits(rows * n, 2).double().abs() / 9).float().view(rows, n)
        y, log_p = (size / 9).float(), (-size).float()
        return {
            "softmaxBackward": lambda: torch.ops.aten._softmax_backward_data(dy, y, 1, torch.float32),
            "logSoftmaxBackward": lambda: torch.ops.aten._log_softmax_backward_data(dy, log_p, 1, torch.float32),
        }.get(operation)
    elif operation == "topK":
        run = lambda: torch.topk(x, K, 1)
        run.result = lambda: torch.cat([part.float().flatten() for part in run()])
        return run
    else:
        return {
            "softmax": lambda: F.softmax(x, 1),
            "logSoftmax": lambda: F.log_softmax(x, 1),
            "logSumExp": lambda: torch.logsumexp(x, 1),
            "argmax": lambda: torch.argmax(x, 1),
            "sigmoid": lambda: torch.sigmoid(x),
            "logSigmoid": lambda: F.logsigmoid(x),
        }.get(operation)

    def with_gradient():
        value = loss()
        (gradient,) = torch.autograd.grad(value, x)
        return torch.cat([value.detach().view(1), gradient.flatten()])

    def forward_and_backward():
        value = loss()
        return value, torch.autograd.grad(value, x)

    if x.requires_grad:
        forward_and_backward.result = with_gradient
        return forward_and_backward
    return loss


class Stopwatch:
    def __init__(self, run):
        self.run = run
        self.calls = 0

    def call_for(self, seconds):
        start = time.perf_counter()
        calls = 0
        while (elapsed := time.perf_counter() - start) < seconds or calls == 0:
            self.run()
            calls += 1
        return elapsed / calls

    def sample(self):
        start = time.perf_counter()
        for _ in range(self.calls):
            self.run()
        return (time.perf_counter() - start) / self.calls

    def measure(self, seconds):
        """Seconds of one call: the median of the samples that fit."""
        if self.calls == 0:
            self.call_for(WARM_UP_SECONDS)
            self.calls = int(SAMPLE_SECONDS / self.call_for(seconds / 4)) + 1
        start = time.perf_counter()
        samples = [self.sample(), self.sample()]
        while time.perf_counter() - start < seconds:
            samples.append(self.sample())
        return sorted(samples)[len(samples) // 2]


stopwatch = None


def answer(request):
    global stopwatch
    if request["do"] == "start":
        torch.set_num_threads(1)
        return {"version": torch.__version__}
    if request["do"] == "measure":
        return {"nanoseconds": stopwatch.measure(request["milliseconds"] / 1e3) * 1e9}
    run = prepare(request["operation"], request["shape"])
    if run is None:
        return {}
    stopwatch = Stopwatch(run)
    result = getattr(run, "result", run)().float().contiguous()
    return {"result": base64.b64encode(ctypes.string_at(result.data_ptr(), 4 * result.numel())).decode()}


with os.fdopen(3, "w") as replies:
    for line in sys.stdin:
        try:
            reply = {"answer": answer(json.loads(line))}
        except Exception as error:
            reply = {"error": str(error)}
        print(json.dumps(reply), file=replies, flush=True)
