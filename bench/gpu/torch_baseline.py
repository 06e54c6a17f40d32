#!/usr/bin/env python3
"""The same shapes and operations in PyTorch, eager and compiled: JSON lines in the form of `npm run bench` (bench/report/row.ts).

As there, executions go in batches over sets of buffers that take turns, so that none is found in a cache, and what is timed is
the GPU alone: other work keeps it busy until the host has recorded the whole batch between two CUDA events. Contenders take turns,
round after round; `torch-copy` is `copy_` of as many bytes as the operation has to move. Results are compared with float64 first.
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
QUICK_SHAPES = [(64, 10), (16, 1000)]
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


def softmax(x, _targets):
    return torch.softmax(x, -1)


def log_softmax(x, _targets):
    return torch.log_softmax(x, -1)


def log_sum_exp(x, _targets):
    return torch.logsumexp(x, -1)


def loss(x, targets):
    return F.cross_entropy(x, targets)


def without_gradient(function):
    """What runs of a function that is timed without its backward pass."""

    def run(x, targets):
        with torch.no_grad():
            return {"output": function(x, targets)}

    return run


def with_gradient(function):
    """The loss and its gradient, by autograd; `function` may be compiled, and its backward pass is then, too."""

    def run(x, targets):
        value = function(x, targets)
        (grad,) = torch.autograd.grad(value, x)
        return {"loss": value.detach(), "grad": grad}

    return run


# By the names of bench/measure/contender.ts: the function, how it is run, and the tensors moved besides the logits:
# elements, rows, or one value.
OPS = {
    "softmax": (softmax, without_gradient, [("output", "element")]),
    "logSoftmax": (log_softmax, without_gradient, [("output", "element")]),
    "logSumExp": (log_sum_exp, without_gradient, [("output", "row")]),
    "crossEntropy": (loss, without_gradient, [("targets", "row"), ("loss", "case")]),
    "crossEntropyGrad": (loss, with_gradient, [("targets", "row"), ("loss", "case"), ("grad", "element")]),
}
DEFAULT_OPS = ["softmax", "logSumExp", "crossEntropyGrad"]


def traffic(op, rows, classes, dtype):
    """Bytes that have to be moved and how they come about, counted as for this library: targets are i32, rows f32."""
    size = DTYPES[dtype].itemsize
    parts = []
    for name, per in [("logits", "element"), *OPS[op][2]]:
        factors = {"element": [rows, classes, size], "row": [rows, 4], "case": [4]}[per]
        count = 1
        for factor in factors:
            count *= factor
        parts.append((count, "·".join(map(str, factors)) + " " + name))
    return sum(count for count, _ in parts), " + ".join(text for _, text in parts)


def spiky(rows, classes, dtype):
    generator = torch.Generator(device="cuda").manual_seed(SEED)
    values = torch.randn(rows, classes, device="cuda", generator=generator)
    out = torch.rand(rows, classes, device="cuda", generator=generator) < SPIKES
    logits = torch.where(out, values * SPIKE, values).to(DTYPES[dtype])
    targets = torch.randint(classes, (rows,), device="cuda", generator=generator)
    return logits, targets


def error_over_bound(op, results, logits, targets, dtype):
    """The worst error over its tolerance, against float64 on the same logits, which are rounded already."""
    function, how, _ = OPS[op]
    exact = how(function)(logits.detach().double().requires_grad_(how is with_gradient), targets)
    rtol, atol = TOLERANCES[dtype]
    worst = 0.0
    for name, value in results.items():
        # The gradient of a mean is tiny; times the number of rows it is of the size of a probability.
        scale = logits.shape[0] if name == "grad" else 1
        wanted, got = exact[name] * scale, value.double() * scale
        ratio = (got - wanted).abs() / (SLACK * (atol + rtol * wanted.abs()))
        # A NaN compares as neither more nor less; it is wrong.
        worst = max(worst, ratio.nan_to_num(nan=float("inf")).max().item())
    return worst


class Contender:
    """A function over sets of arguments that take turns. The last results on each set stay, so that their memory takes turns, too."""

    def __init__(self, name, run, sets):
        self.name, self.run, self.sets = name, run, sets
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


def prepare(contender, op, logits, targets, dtype, idle):
    """First call, check, warm-up. What goes wrong is written down and keeps the contender from being timed."""
    try:
        start = time.perf_counter()
        results = contender.step()
        torch.cuda.synchronize()
        contender.first_ms = 1e3 * (time.perf_counter() - start)
        if results is not None:
            contender.error = error_over_bound(op, results, logits, targets, dtype)
            if not contender.error <= 1:
                contender.wrong = f"worst error / tolerance is {contender.error}"
                contender.error = None
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


def contenders_of(op, bytes_moved, logits, targets):
    function, how, _ = OPS[op]
    count = math.ceil(ROTATED_BYTES / bytes_moved)
    inputs = [(logits.detach().clone().requires_grad_(how is with_gradient), targets) for _ in range(count)]
    half = bytes_moved // 2
    copies = [tuple(torch.zeros(half, dtype=torch.uint8, device="cuda") for _ in range(2)) for _ in range(count)]
    return [
        Contender("torch-eager", how(function), inputs),
        Contender("torch-compile", how(compiled(function)), inputs),
        Contender("torch-copy", copy, copies),
    ]


def rows_of(op, rows, classes, dtype, rounds, idle, common):
    bytes_moved, formula = traffic(op, rows, classes, dtype)
    logits, targets = spiky(rows, classes, dtype)
    contenders = contenders_of(op, bytes_moved, logits, targets)
    for contender in contenders:
        prepare(contender, op, logits, targets, dtype, idle)
    measure(contenders, rounds, idle)
    for contender in contenders:
        row = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "op": op,
            "rows": rows,
            "classes": classes,
            "dtype": dtype,
            "contender": contender.name,
            **common,
            "bytes": bytes_moved,
            "formula": formula,
        }
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
        yield row


def key_of(row):
    return tuple(row[name] for name in ("op", "rows", "classes", "dtype"))


def done_before(path):
    """Cases whose last row is written: a call that was cut off is gone on with."""
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        # A line that was cut off is none.
        lines = [line for line in file if line.endswith("\n")]
    return {key_of(row) for row in map(json.loads, lines) if row["contender"] == "torch-copy"}


def parse_shape(text):
    rows, classes = text.split("x")
    return int(rows), int(classes)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="file that JSON lines are added to; cases that are in it are not done again")
    parser.add_argument("--op", default=",".join(DEFAULT_OPS), help=f"some of {', '.join(OPS)} (default %(default)s)")
    parser.add_argument("--dtype", default=",".join(DTYPES), help="default %(default)s")
    parser.add_argument("--shape", help="ROWSxCLASSES, by commas (default: those of the bench)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no case after so many seconds")
    parser.add_argument("--quick", action="store_true", help="few small shapes, few rounds")
    given = parser.parse_args()
    for name, known in (("op", OPS), ("dtype", DTYPES)):
        setattr(given, name, getattr(given, name).split(","))
        unknown = [value for value in getattr(given, name) if value not in known]
        if unknown:
            parser.error(f"--{name}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    if given.shape is None:
        given.shape = QUICK_SHAPES if given.quick else SHAPES
    else:
        given.shape = [parse_shape(text) for text in given.shape.split(",")]
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
            for rows, classes in given.shape:
                for op in given.op:
                    if (op, rows, classes, dtype) in done:
                        continue
                    if time.monotonic() - start > given.seconds:
                        left += 1
                        continue
                    rounds = QUICK_ROUNDS if given.quick else ROUNDS
                    for row in rows_of(op, rows, classes, dtype, rounds, idle, common):
                        wrong += "wrong" in row
                        file.write(json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n")
                        file.flush()
                        what = row.get("wrong", "").split("\n")[0] or f"{row['gigabytesPerSecond']:.0f} GB/s"
                        print(f"{op} {rows}x{classes} {dtype} {row['contender']}: {what}", flush=True)
    print(f"{wrong} rows are wrong, {left} cases are left for lack of time")
    sys.exit(1 if wrong or left else 0)


if __name__ == "__main__":
    main()
