"""Put a finished run on CIFAR-10 into the package, by its width: python .ci/pack.py RUN

Its weights are stored in half precision, with a model card. The accuracy on the card is
that of the stored weights, on the test images that `cifar10()` finds; the history's
stands beside it.
"""

import shutil
import sys
from pathlib import Path

from resnet_gradcam.checkpoints import save_tensors
from resnet_gradcam.data import cifar10
from resnet_gradcam.mistakes import wilson
from resnet_gradcam.resnet import packaged_runs
from resnet_gradcam.runs import load_run
from resnet_gradcam.train import evaluate

card = Path(__file__).with_name("card.md")


def check(run):
    "Raise `SystemExit` unless the run is one that the package may hold"
    recipe = run.recipe
    if recipe.width not in packaged_runs or len(run.history) != recipe.epochs:
        widths = " or ".join(str(w) for w in packaged_runs)
        sys.exit(
            f"error: the package holds finished runs of width {widths}, not "
            f"{len(run.history)} of {recipe.epochs} epochs of width {recipe.width}."
        )


def pack(source):
    "Write recipe, history, weights and card"
    run = load_run(source)
    check(run)
    folder = packaged_runs[run.recipe.width]
    folder.mkdir(exist_ok=True)
    for f in ("recipe.json", "history.csv"):
        shutil.copyfile(Path(source) / f, folder / f)
    halves = {k: v.half() for k, v in run.model.state_dict().items()}
    save_tensors(folder / "model.safetensors", halves)
    write_card(run, folder)


def write_card(run, folder):
    "The model card, with the accuracy of what is stored"
    stored = load_run(folder)
    test = cifar10()[1]
    loss, accuracy = evaluate(stored.model, test, run.mean, run.std)
    low, high = wilson(round(accuracy * len(test)), len(test))
    text = card.read_text(encoding="utf-8").format(
        recipe=run.recipe,
        classes=", ".join(run.classes),
        accuracy=accuracy,
        low=low,
        high=high,
        before=run.history["test_acc"][-1],
        loss=loss,
        parameters=sum(p.numel() for p in run.model.parameters()),
        megabytes=(folder / "model.safetensors").stat().st_size / 1e6,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(f"test accuracy {accuracy:.2%}, mean loss {loss:.4f}")


if __name__ == "__main__":
    pack(sys.argv[1])
