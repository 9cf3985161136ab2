"""The experiment at full size, on one GPU: python .ci/full_size.py DATA OUT

DATA is a folder with CIFAR-10 in class folders (train/ and test/). What is found is
written to OUT at once, step by step: a run that is cut at any moment leaves what came
before. A second call with the same OUT goes on: finished recipes are not run again.
Rehearse it on a CPU:

    python .ci/full_size.py DATA OUT --width 16 --epochs 2 --limit 256 --minutes 10
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
import torch.nn.functional as F
from project import read_cells, root, source
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from resnet_gradcam import training
from resnet_gradcam.augment import train_tfms
from resnet_gradcam.batches import loader
from resnet_gradcam.checkpoints import save_tensors
from resnet_gradcam.data import channel_stats, image_folder
from resnet_gradcam.recipes import recipes
from resnet_gradcam.resnet import resnet18
from resnet_gradcam.runs import build, load_run
from resnet_gradcam.train import default_device, fit
from resnet_gradcam.trainer import train_recipe

gpu_chapters = (
    "32_batches",
    "34_precision",
    "49_setting",
    "69_closed",
)  # they test CUDA if it's there
piece = 15 * 2**20  # bytes of a part of the weights


class OutOfTime(Exception):
    "The minutes are over."


class Report:
    "A line of JSON per result, written as it comes; and the time that is left"

    def __init__(self, out, minutes):
        self.path = out / "report.jsonl"
        self.end = time.monotonic() + 60 * minutes

    def __call__(self, **result):
        line = json.dumps(result)
        print(line, flush=True)
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(line + "\n")
            f.flush()
            os.fsync(f.fileno())

    def check_time(self, needed=0):  # seconds
        if time.monotonic() + needed > self.end:
            raise OutOfTime


# Step 1: what the notebooks test on a GPU


def chapter_as_script(name):
    "The cells of a chapter that its test runs"
    cells = [source(c) for c in read_cells(name) if c["cell_type"] == "code"]
    skipped = "#| slow", "#| cifar", "#| peers", "#| gpu", "\n! ", "import nbdev"
    return "\n\n".join(c for c in cells if not any(s in c for s in skipped))


def test_chapters(report, work):
    for name in gpu_chapters:
        script = work / f"{name}.py"
        script.write_text(chapter_as_script(name), encoding="utf-8")
        env = {**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": str(root)}
        start = time.monotonic()
        ran = subprocess.run(
            [sys.executable, script],
            cwd=root / "nbs",
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        report(
            step="test",
            chapter=name,
            passed=ran.returncode == 0,
            seconds=round(time.monotonic() - start),
            error=ran.stderr[-600:] if ran.returncode else "",
        )


# Step 2: how long an epoch takes, and where its time goes


def operations_per_image(width):
    "Products and sums of the convolutions: forward, and twice as much backward"
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        resnet18(width=width)(torch.empty(1, 3, 32, 32))
    return 3 * counter.get_total_flops()


def sync():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def our_epoch(recipe, train, memory_format=torch.channels_last, compiled=False):
    "A function that trains one epoch by a recipe, as `train_recipe` does"
    every_image = replace(recipe, valid=0.0)
    made = training.Training(every_image, train, train, default_device())
    made.model.to(memory_format=memory_format)
    if compiled:
        made.run.model.compile()
    opt, loss = made.given()
    return lambda: fit(made.model, made.batches, opt, range(1), loss)


def assignment_epoch(recipe, train):
    """The same as the recorded experiment did it.

    albumentations an image at a time in processes, fp32 (PyTorch's defaults),
    contiguous memory, Adam, the number of right answers read after each step.
    """
    device = default_device()
    torch.manual_seed(0)
    model = resnet18(len(train.classes), width=recipe.width).to(device)
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    tfms = train_tfms(*channel_stats(train.images))
    batches = loader(train, tfms, 128, shuffle=True, workers=os.cpu_count())

    def epoch():
        model.train()
        correct = 0
        for xb, yb in batches:
            xb, yb = xb.contiguous().to(device), yb.to(device)
            opt.zero_grad()
            logits = model(xb)
            loss = F.cross_entropy(logits, yb)
            loss.backward()
            opt.step()
            correct += (logits.argmax(1) == yb).sum().item()

    return epoch


def candidates(width, train):
    sized = {k: replace(r, width=width) for k, r in recipes.items()}
    assignment = sized["assignment"]
    contiguous = dict(memory_format=torch.contiguous_format)
    made = {
        "the assignment's loop": lambda: assignment_epoch(assignment, train),
        "contiguous memory": lambda: our_epoch(assignment, train, **contiguous),
        "compiled": lambda: our_epoch(assignment, train, compiled=True),
        "best, compiled": lambda: our_epoch(sized["best"], train, compiled=True),
    }
    for name, recipe in sized.items():
        made[name] = lambda recipe=recipe: our_epoch(recipe, train)
    return made


def measure_epochs(report, width, train):
    "An epoch to warm up, and then the candidates take turns, twice"
    epochs = {}
    for name, make in candidates(width, train).items():
        report.check_time(needed=60)
        try:
            start = time.monotonic()
            epochs[name] = make()
            epochs[name]()
            sync()
            report(step="first epoch", name=name, seconds=time.monotonic() - start)
        except Exception as e:  # one that can't be had here must not end the rest
            epochs.pop(name, None)
            report(
                step="first epoch", name=name, error=f"{type(e).__name__}: {e}"[:300]
            )
    for turn in range(2):
        for name, epoch in epochs.items():
            report.check_time(needed=60)
            start = time.monotonic()
            epoch()
            sync()
            seconds = time.monotonic() - start
            per_second = len(train) / seconds
            report(
                step="epoch",
                turn=turn,
                name=name,
                seconds=seconds,
                images_per_second=round(per_second),
                tflops=per_second * operations_per_image(width) / 1e12,
            )


def profile_steps(report, out, width, train, names=("assignment", "best")):
    "Which kernels the time of forty steps goes to"
    activities = [ProfilerActivity.CPU]
    by = "self_cpu_time_total"
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
        by = "self_device_time_total"
    for name in names:
        report.check_time(needed=30)
        recipe = replace(recipes[name], width=width)
        some = train[: 40 * recipe.batch_size]
        epoch = our_epoch(recipe, some)
        epoch()
        sync()
        with profile(activities=activities) as p:
            epoch()
            sync()
        averages = p.key_averages()
        text = averages.table(sort_by=by, row_limit=25, max_name_column_width=60)
        (out / f"profile_{name}.txt").write_text(text, encoding="utf-8")
        steps = math.ceil(len(some) / recipe.batch_size)
        launches = sum(a.count for a in averages if "LaunchKernel" in a.key)
        report(step="profile", name=name, launches_per_step=launches / steps)


# Step 3: the recipes


def compiled_build(recipe, num_classes):
    model = build(recipe, num_classes)
    model.compile()
    return model


def keep(run_folder, out, name):
    "Log and half-precision weights, the latter in pieces"
    for f in ("recipe.json", "history.csv"):
        shutil.copyfile(run_folder / f, out / f"{name}_{f}")
    model = load_run(run_folder).model
    halves = {k: v.half() for k, v in model.state_dict().items()}
    packed = run_folder / "half.safetensors"
    save_tensors(packed, halves)
    data = packed.read_bytes()
    for i in range(0, len(data), piece):
        part = out / f"{name}_model.safetensors.{i // piece}"
        part.write_bytes(data[i : i + piece])


def train_one(report, name, width, epochs, data, out, work, compiled):
    "A recipe from its checkpoint on, or from the start"
    recipe = replace(recipes[name], width=width, epochs=epochs)
    folder = work / f"{name}_w{width}"
    if (out / f"{name}_history.csv").exists() and (
        folder / "model.safetensors"
    ).exists():
        return
    spent = []

    def watch(history):
        row = history.rows[-1]
        spent.append(row["seconds"])
        report(step="train", recipe=name, **row)
        history.to_csv(out / f"{name}_history_so_far.csv")
        report.check_time(needed=1.5 * spent[-1])

    make = compiled_build if compiled else build
    begun = (folder / "recipe.json").exists()
    with patch.object(training, "build", make):
        train_recipe(recipe, *data, folder, resume=begun, after_epoch=watch)
    keep(folder, out, name)
    (out / f"{name}_history_so_far.csv").unlink()
    report(step="trained", recipe=name, seconds=sum(spent))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="CIFAR-10 in class folders")
    parser.add_argument("out", type=Path, help="what is found goes here")
    parser.add_argument("--minutes", type=float, default=12, help="for all of it")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--limit", type=int, help="use so many images of each set")
    parser.add_argument("--compiled", action="store_true", help="train so")
    parser.add_argument("--only", nargs="*", default=["test", "time", "train"])
    parser.add_argument(
        "--recipes", nargs="*", default=["best", "honest", "assignment"]
    )
    parser.add_argument("--work", type=Path, help="checkpoints; by default OUT/work")
    args = parser.parse_args()
    work = args.work or args.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    report = Report(args.out, args.minutes)
    device = default_device()
    where = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    report(step="start", device=where, torch=torch.__version__, args=str(sys.argv[1:]))
    data = [
        part[:: len(part) // (args.limit or len(part))]
        for part in image_folder(args.data)
    ]
    report(step="data", images=[len(part) for part in data])
    try:
        if "test" in args.only:
            test_chapters(report, work)
        if "time" in args.only:
            measure_epochs(report, args.width, data[0])
            profile_steps(report, args.out, args.width, data[0])
        for name in args.recipes if "train" in args.only else []:
            train_one(
                report,
                name,
                args.width,
                args.epochs,
                data,
                args.out,
                work,
                args.compiled,
            )
    except OutOfTime:
        report(step="out of time")


if __name__ == "__main__":
    main()
