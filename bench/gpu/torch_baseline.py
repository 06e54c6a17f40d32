#!/usr/bin/env python3
"""The same shapes and operations in PyTorch, eager and compiled: JSON lines in the form of `npm run bench` (bench/report/row.ts).

As there, executions go in batches over sets of buffers that take turns, so that none is found in a cache, and what is timed is
the GPU alone: other work keeps it busy until the host has recorded the whole batch between two CUDA events. Contenders take turns,
round after round; `torch-copy` is `copy_` of as many bytes as the operation has to move. Results are compared with float64 first.

Linear layers hold all their logits here; rows say how much memory that took at most, and contenders named tf32 may round float32
operands of products to TensorFloat-32, which the others may not.
"""

import argparse
import datetime
import json
import math
import os
import platform
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

# bench/measure/cases.ts.
SHAPES = [(4096, 10), (1024, 1000), (65536, 64), (256, 32768), (64, 50257), (16, 151936), (2, 262144)]
LINEAR_SHAPES = [(256, 256, 8192), (128, 128, 50257), (64, 256, 32768)]
LARGE_LINEAR_SHAPES = [(4096, 768, 50257), (8192, 1024, 32768), (2048, 256, 200019), (4096, 2048, 128256)]
QUICK_SHAPES = [(64, 10), (16, 1000), (16, 32, 1000)]
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# bench/run/bench.ts.
ROTATED_BYTES = 2**28
ROUNDS, QUICK_ROUNDS = 21, 5
SAMPLE_MS, MOST_BATCHED = 5.0, 100
CALIBRATION = 10
SEED = 1851
# One element in twenty is twenty times as far out, as in bench/measure/data.ts.
SPIKES, SPIKE = 0.05, 20.0
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
# rtol and atol of torch.testing.assert_close, eight times: in 16 bits eager rounds the log-probabilities on the way, too.
TOLERANCES = {"f32": (1.3e-6, 1e-5), "f16": (1e-3, 1e-5), "bf16": (1.6e-2, 1e-5)}
SLACK = 8
# Of a product with that: 10 bits of a factor.
TF32_TOLERANCE = (1e-3, 1e-5)
# As in bench/measure/head.ts: a few loud features, and states that point at a few classes.
LOUD_FEATURES, LOUD = 0.05, 8.0
LEAST_PULL, MOST_PULL = 10.0, 24.0
STEPS = (0.0, 3.0, 6.0)
FIRST = 0.7


def softmax(x, _targets):
    return torch.softmax(x, -1)


def log_softmax(x, _targets):
    return torch.log_softmax(x, -1)


def log_sum_exp(x, _targets):
    return torch.logsumexp(x, -1)


def loss(x, targets):
    return F.cross_entropy(x, targets)


def linear_loss(hidden, weight, targets):
    return F.cross_entropy(F.linear(hidden, weight), targets)


def without_gradient(function):
    """What runs of a function that is timed without its backward pass."""

    def run(*inputs):
        with torch.no_grad():
            return {"output": function(*inputs)}

    return run


def with_gradient(function):
    """The loss and its gradient, by autograd; `function` may be compiled, and its backward pass is then, too."""

    def run(x, targets):
        value = function(x, targets)
        (grad,) = torch.autograd.grad(value, x)
        return {"loss": value.detach(), "grad": grad}

    return run


def with_gradients(function):
    """The same for a linear layer, with respect to its hidden states and its weights."""

    def run(hidden, weight, targets):
        value = function(hidden, weight, targets)
        grads = torch.autograd.grad(value, (hidden, weight))
        return {"loss": value.detach(), "gradHidden": grads[0], "gradWeight": grads[1]}

    return run


# By the names of bench/measure/contender.ts: the function, how it is run, and the tensors moved: elements, rows, one value, or the
# matrices of a linear layer, whose gradients this library has in float32.
LOGITS = ("logits", "element")
LAYER = [("hidden", "hidden"), ("weight", "weight"), ("targets", "row"), ("loss", "case")]
OPS = {
    "softmax": (softmax, without_gradient, [LOGITS, ("output", "element")]),
    "logSoftmax": (log_softmax, without_gradient, [LOGITS, ("output", "element")]),
    "logSumExp": (log_sum_exp, without_gradient, [LOGITS, ("output", "row")]),
    "crossEntropy": (loss, without_gradient, [LOGITS, ("targets", "row"), ("loss", "case")]),
    "crossEntropyGrad": (loss, with_gradient, [LOGITS, ("targets", "row"), ("loss", "case"), ("grad", "element")]),
    "linearCrossEntropy": (linear_loss, without_gradient, LAYER),
    "linearCrossEntropyGrad": (
        linear_loss,
        with_gradients,
        [*LAYER, ("gradHidden", "hidden32"), ("gradWeight", "weight32")],
    ),
}
DEFAULT_OPS = ["softmax", "logSumExp", "crossEntropyGrad", "linearCrossEntropy", "linearCrossEntropyGrad"]
# What is made by products, each of rows x features x classes multiplications and as many additions; bench/measure/flops.ts.
PRODUCTS = {"linearCrossEntropy": ["logits"], "linearCrossEntropyGrad": ["logits", "gradHidden", "gradWeight"]}


def text_of(factors, name):
    return "·".join(map(str, factors)) + " " + name


def traffic(op, shape, dtype):
    """Bytes that have to be moved and how they come about, counted as for this library: targets are i32, rows f32."""
    size = DTYPES[dtype].itemsize
    rows, classes = shape[0], shape[-1]
    features = shape[1]
    kinds = {
        "element": [rows, classes, size],
        "row": [rows, 4],
        "case": [4],
        "hidden": [rows, features, size],
        "weight": [classes, features, size],
        "hidden32": [rows, features, 4],
        "weight32": [classes, features, 4],
    }
    parts = [(math.prod(kinds[per]), text_of(kinds[per], name)) for name, per in OPS[op][2]]
    return sum(count for count, _ in parts), " + ".join(text for _, text in parts)


def flops_of(op, shape):
    """Multiplications and additions of the products, and how they come about."""
    factors = [2, *shape]
    products = PRODUCTS[op]
    return len(products) * math.prod(factors), " + ".join(text_of(factors, name) for name in products)


def spiky(shape, dtype, generator):
    rows, classes = shape
    values = torch.randn(rows, classes, device="cuda", generator=generator)
    out = torch.rand(rows, classes, device="cuda", generator=generator) < SPIKES
    logits = torch.where(out, values * SPIKE, values).to(DTYPES[dtype])
    targets = torch.randint(classes, (rows,), device="cuda", generator=generator)
    return logits, targets


def head(shape, dtype, generator):
    """Hidden states and weights as a trained model has them: the logits of a few classes are far above the rest."""
    rows, features, classes = shape
    some = {"device": "cuda", "generator": generator}
    weight = torch.randn(classes, features, **some) / math.sqrt(features)
    hidden = torch.randn(rows, features, **some)
    hidden *= torch.where(torch.rand(rows, features, **some) < LOUD_FEATURES, LOUD, 1.0)
    pull = LEAST_PULL + (MOST_PULL - LEAST_PULL) * torch.rand(rows, **some)
    pointed_at = torch.randint(classes, (rows, len(STEPS)), **some)
    for i, step in enumerate(STEPS):
        lines = weight[pointed_at[:, i]]
        lacking = pull - step - (hidden * lines).sum(-1)
        hidden += (lacking / lines.square().sum(-1)).unsqueeze(1) * lines
    anything = torch.randint(classes, (rows,), **some)
    targets = torch.where(torch.rand(rows, **some) < FIRST, pointed_at[:, 0], anything)
    return hidden.to(DTYPES[dtype]), weight.to(DTYPES[dtype]), targets


def data_of(op, shape, dtype):
    generator = torch.Generator(device="cuda").manual_seed(SEED)
    return (head if op in PRODUCTS else spiky)(shape, dtype, generator)


def leaves(inputs, how, dtype=None):
    """Inputs of a run of their own: floats that gradients are taken with respect to, where the op has gradients."""
    copies = [value.detach().to(dtype or value.dtype, copy=True) if value.is_floating_point() else value for value in inputs]
    return tuple(x.requires_grad_(how is not without_gradient) if x.is_floating_point() else x for x in copies)


def exact_results(op, inputs):
    """Float64 on the same inputs, which are rounded already; made once a case."""
    function, how, _ = OPS[op]
    return how(function)(*leaves(inputs, how, torch.float64))


def error_over_bound(op, results, exact, inputs, tolerance):
    """The worst error over its tolerance."""
    rtol, atol = tolerance
    worst = 0.0
    for name, value in results.items():
        # The gradient of a mean is tiny; times the number of rows it is of the size of a probability.
        scale = inputs[0].shape[0] if name.startswith("grad") else 1
        wanted, got = exact[name] * scale, value.double() * scale
        allowed = rtol * wanted.abs()
        if op in PRODUCTS:
            # Sums of products cancel: they are as exact as the largest of them.
            allowed = allowed.max()
        ratio = (got - wanted).abs() / (SLACK * (atol + allowed))
        # A NaN compares as neither more nor less; it is wrong.
        worst = max(worst, ratio.nan_to_num(nan=float("inf")).max().item())
    return worst


def with_tf32(run, tf32):
    """Sets what float32 products may do each time: contenders take turns."""

    def switched(*inputs):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        return run(*inputs)

    return switched


class Contender:
    """A function over sets of arguments that take turns. The last results on each set stay, so that their memory takes turns, too."""

    def __init__(self, name, run, sets, tolerance=None, tf32=False):
        self.name, self.sets, self.tolerance, self.tf32 = name, sets, tolerance, tf32
        self.run = with_tf32(run, tf32)
        self.peak = None
        self.held, self.turn = [None] * len(sets), 0
        self.ms, self.batch, self.head_start = [], 1, 0
        self.wrong, self.error, self.first_ms = None, None, None

    def step(self):
        at = self.turn % len(self.sets)
        self.turn += 1
        self.held[at] = self.run(*self.sets[at])
        return self.held[at]

    def calibrate(self, idle):
        """How many executions make a sample, and for how long the GPU must be kept busy while the host records them."""
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(CALIBRATION):
            self.step()
        recorded = time.perf_counter()
        torch.cuda.synchronize()
        host_ms, both_ms = (1e3 * (end - start) / CALIBRATION for end in (recorded, time.perf_counter()))
        self.batch = max(1, min(MOST_BATCHED, round(SAMPLE_MS / both_ms)))
        self.head_start = math.ceil(1.5 * host_ms * self.batch / idle.ms)

    def sample(self, idle):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        idle.run(self.head_start)
        begin.record()
        for _ in range(self.batch):
            self.step()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / self.batch


class IdleWork:
    """Work that only takes time."""

    def __init__(self):
        self.buffer = torch.empty(2**30, dtype=torch.uint8, device="cuda")
        self.run(3)
        torch.cuda.synchronize()
        start = time.perf_counter()
        self.run(10)
        torch.cuda.synchronize()
        self.ms = 1e3 * (time.perf_counter() - start) / 10

    def run(self, times):
        for _ in range(times):
            self.buffer.zero_()


def peak_of(contender):
    """Bytes that one execution has allocated at most, with its own inputs and results, and nothing else's."""
    torch.cuda.synchronize()
    others = torch.cuda.memory_allocated() - sum(
        value.untyped_storage().nbytes() for value in contender.sets[0] if torch.is_tensor(value)
    )
    torch.cuda.reset_peak_memory_stats()
    results = contender.run(*contender.sets[0])
    torch.cuda.synchronize()
    del results
    return torch.cuda.max_memory_allocated() - others


def prepare(contender, op, inputs, exact, idle):
    """First call, check, warm-up. What goes wrong is written down and keeps the contender from being timed."""
    try:
        start = time.perf_counter()
        results = contender.step()
        torch.cuda.synchronize()
        contender.first_ms = 1e3 * (time.perf_counter() - start)
        if results is not None:
            contender.error = error_over_bound(op, results, exact, inputs, contender.tolerance)
            if not contender.error <= 1:
                contender.wrong = f"worst error / tolerance is {contender.error}"
                contender.error = None
            contender.peak = peak_of(contender)
        # Once on each set: memory is taken now, not while the time runs.
        for _ in contender.sets:
            contender.step()
        contender.calibrate(idle)
    except Exception as error:  # A compiler that is missing, memory that runs out: a row says so, the others go on.
        contender.wrong = f"{type(error).__name__}: {error}"[:1000]


def measure(contenders, rounds, idle):
    timed = [contender for contender in contenders if contender.wrong is None]
    for turn in range(rounds):
        # Every other round runs backwards.
        for contender in timed if turn % 2 == 0 else reversed(timed):
            contender.ms.append(contender.sample(idle))


def quantiles(values):
    samples = torch.tensor(values, dtype=torch.float64)
    return {name: torch.quantile(samples, q).item() for name, q in QUANTILES.items()}


def driver_version():
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split("\n")[0].strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def facts():
    """What is the same in all rows of a run."""
    properties = torch.cuda.get_device_properties(0)
    return {
        "adapter": {
            "name": "cuda",
            "backend": "cuda",
            "vendor": "nvidia" if torch.version.cuda else "unknown",
            "architecture": f"sm_{properties.major}{properties.minor}",
            "device": properties.name,
            "description": f"{properties.name}, {properties.multi_processor_count} multiprocessors",
            "isFallbackAdapter": False,
            "subgroupMinSize": 32,
            "subgroupMaxSize": 32,
        },
        "versions": {
            "torch": torch.__version__,
            "cuda": str(torch.version.cuda),
            "driver": driver_version(),
            "python": platform.python_version(),
            "platform": f"{sys.platform} {platform.machine()}",
            "revision": os.environ.get("WEBGPU_LOSS_REVISION", "unknown"),
        },
        "seed": SEED,
    }


def compiled(function):
    # A cache of another shape must not make this one general.
    torch.compiler.reset()
    return torch.compile(function, dynamic=False)


def copy(source, destination):
    destination.copy_(source)


def contenders_of(op, bytes_moved, inputs, dtype):
    function, how, _ = OPS[op]
    count = math.ceil(ROTATED_BYTES / bytes_moved)
    sets = [leaves(inputs, how) for _ in range(count)]
    half = bytes_moved // 2
    copies = [tuple(torch.zeros(half, dtype=torch.uint8, device="cuda") for _ in range(2)) for _ in range(count)]
    tolerance = TOLERANCES[dtype]
    fast = compiled(function)
    found = [
        Contender("torch-eager", how(function), sets, tolerance),
        Contender("torch-compile", how(fast), sets, tolerance),
    ]
    if op in PRODUCTS and dtype == "f32":
        found += [
            Contender("torch-eager-tf32", how(function), sets, TF32_TOLERANCE, tf32=True),
            # torch.compile looks at the switch, and keeps what it has compiled for either position.
            Contender("torch-compile-tf32", how(fast), sets, TF32_TOLERANCE, tf32=True),
        ]
    return [*found, Contender("torch-copy", copy, copies)]


def rows_of(op, shape, dtype, rounds, idle, common):
    bytes_moved, formula = traffic(op, shape, dtype)
    inputs = data_of(op, shape, dtype)
    exact = exact_results(op, inputs)
    contenders = contenders_of(op, bytes_moved, inputs, dtype)
    for contender in contenders:
        prepare(contender, op, inputs, exact, idle)
    del exact
    measure(contenders, rounds, idle)
    for contender in contenders:
        computes = op in PRODUCTS and contender.name != "torch-copy"
        row = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "op": op,
            "rows": shape[0],
            **({"features": shape[1]} if len(shape) == 3 else {}),
            "classes": shape[-1],
            "dtype": dtype,
            "contender": contender.name,
            **common,
            "bytes": bytes_moved,
            "formula": formula,
        }
        if computes:
            row["flops"], row["flopsFormula"] = flops_of(op, shape)
            if dtype == "f32":
                row["tf32"] = contender.tf32
        if contender.peak is not None:
            row["peakBytes"] = contender.peak
        if contender.wrong is not None:
            row["wrong"] = contender.wrong
        if contender.error is not None:
            row["errorOverBound"] = contender.error
        if contender.first_ms is not None:
            row["firstCallMs"] = contender.first_ms
        if contender.ms:
            others = [other for other in contenders if other is not contender and other.ms]
            ratios = {
                other.name: quantiles([theirs / own for own, theirs in zip(contender.ms, other.ms)])
                for other in others
            }
            row["timing"] = {
                "clock": "timestamps",
                "batch": contender.batch,
                "rounds": len(contender.ms),
                "ms": quantiles(contender.ms),
                "ratios": ratios,
            }
            row["gigabytesPerSecond"] = bytes_moved / row["timing"]["ms"]["median"] / 1e6
            if computes:
                row["gigaflopsPerSecond"] = row["flops"] / row["timing"]["ms"]["median"] / 1e6
        yield row


def key_of(row):
    return tuple(row.get(name) for name in ("op", "rows", "features", "classes", "dtype"))


def suits(op, shape):
    """Linear layers have shapes of three sizes, what begins with logits of two."""
    return (op in PRODUCTS) == (len(shape) == 3)


def done_before(path):
    """Cases whose last row is written: a call that was cut off is gone on with."""
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        # A line that was cut off is none.
        lines = [line for line in file if line.endswith("\n")]
    return {key_of(row) for row in map(json.loads, lines) if row["contender"] == "torch-copy"}


def parse_shape(text):
    sizes = tuple(int(size) for size in text.split("x"))
    if len(sizes) not in (2, 3) or min(sizes) < 1:
        raise ValueError(text)
    return sizes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="file that JSON lines are added to; cases that are in it are not done again")
    parser.add_argument("--op", default=",".join(DEFAULT_OPS), help=f"some of {', '.join(OPS)} (default %(default)s)")
    parser.add_argument("--dtype", default=",".join(DTYPES), help="default %(default)s")
    parser.add_argument("--shape", help="ROWSxCLASSES, of linear layers ROWSxFEATURESxCLASSES, by commas (default: those of the bench)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no case after so many seconds")
    parser.add_argument("--quick", action="store_true", help="few small shapes, few rounds")
    given = parser.parse_args()
    for name, known in (("op", OPS), ("dtype", DTYPES)):
        setattr(given, name, getattr(given, name).split(","))
        unknown = [value for value in getattr(given, name) if value not in known]
        if unknown:
            parser.error(f"--{name}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    if given.shape is None:
        given.shape = QUICK_SHAPES if given.quick else [*SHAPES, *LINEAR_SHAPES, *LARGE_LINEAR_SHAPES]
    else:
        try:
            given.shape = [parse_shape(text) for text in given.shape.split(",")]
        except ValueError as error:
            parser.error(f"--shape must be ROWSxCLASSES or ROWSxFEATURESxCLASSES, by commas: {error}")
    if not any(suits(op, shape) for op in given.op for shape in given.shape):
        parser.error("no shape suits an operation: linear layers need ROWSxFEATURESxCLASSES, the others ROWSxCLASSES")
    return given


def main():
    given = arguments()
    start = time.monotonic()
    if not torch.cuda.is_available():
        sys.exit("torch_baseline.py: PyTorch finds no CUDA device")
    common = facts()
    print(f"{common['adapter']['description']}; PyTorch {torch.__version__}, CUDA {torch.version.cuda}")
    idle = IdleWork()
    done = done_before(given.out)
    wrong, left = 0, 0
    with open(given.out, "a", encoding="utf-8") as file:
        for dtype in given.dtype:
            for shape in given.shape:
                for op in (op for op in given.op if suits(op, shape)):
                    case = {"op": op, "rows": shape[0], "classes": shape[-1], "dtype": dtype}
                    if key_of({**case, **({"features": shape[1]} if len(shape) == 3 else {})}) in done:
                        continue
                    if time.monotonic() - start > given.seconds:
                        left += 1
                        continue
                    rounds = QUICK_ROUNDS if given.quick else ROUNDS
                    for row in rows_of(op, shape, dtype, rounds, idle, common):
                        wrong += "wrong" in row
                        file.write(json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n")
                        file.flush()
                        what = row.get("wrong", "").split("\n")[0] or f"{row['gigabytesPerSecond']:.0f} GB/s"
                        print(f"{op} {'x'.join(map(str, shape))} {dtype} {row['contender']}: {what}", flush=True)
    print(f"{wrong} rows are wrong, {left} cases are left for lack of time")
    sys.exit(1 if wrong or left else 0)


if __name__ == "__main__":
    main()
