"""Put a finished run on CIFAR-10, of width 16, into the package, with its weights in half precision and a card: python .ci/pack.py RUN

The accuracy on the card is that of the stored weights, on the test images that `cifar10()` finds; the history's stands beside it.
"""
import shutil
import sys
from pathlib import Path

from project import root
from resnet_gradcam.data import cifar10
from resnet_gradcam.mistakes import wilson
from resnet_gradcam.train import _save_tensors, evaluate, load_run

card = '''# ResNet18, width 16, LayerNorm only, on CIFAR-10 (JPEG)

`resnet18(width=16, pretrained=True)` loads these weights; `load_run()` the classes, the mean and the std with them.

| | |
|---|---|
| what it does | says which of ten classes a picture of 32x32 pixels shows: {classes} |
| trained on | CIFAR-10 (Krizhevsky, 2009), the training images, {valid:.0%} of them put aside to decide on the learning rate; the pictures had been stored as JPEG, which costs some detail |
| recipe | `{name}`, {epochs} epochs: `recipe.json`. Crop, turn and CutOut; no other augmentation, no other data |
| test accuracy | {acc:.2%} of 10,000 test images with these weights (95% interval {low:.1%} to {high:.1%}); {before:.2%} before they were rounded to half precision |
| mean test loss | {loss:.4f} |
| size | {params:,} parameters, {mb:.1f} MB |
| history | `history.csv`, an epoch a row |

Limits. It knows ten classes, and answers with one of them whatever the picture shows. It saw centred objects of 32x32 pixels; of a larger picture, it sees the centre square shrunk to that.
It saw JPEG pictures and no mirror images. It is here to be explained, not to be relied on.
'''


def pack(run, folder):
    "Write recipe, history, weights and card"
    r = load_run(run)
    if r.recipe.width != 16 or len(r.history) != r.recipe.epochs:
        sys.exit(f'error: the package holds a finished run of width 16, not {len(r.history)} epochs of width {r.recipe.width}.')
    folder.mkdir(exist_ok=True)
    for f in ('recipe.json', 'history.csv'):
        shutil.copyfile(Path(run)/f, folder/f)
    _save_tensors(folder/'model.safetensors', {k: v.half() for k, v in r.model.state_dict().items()})
    stored, test = load_run(folder), cifar10()[1]
    loss, acc = evaluate(stored.model, test, r.mean, r.std, 'fp32')
    low, high = wilson(round(acc*len(test)), len(test))
    (folder/'README.md').write_text(card.format(
        classes=', '.join(r.classes), valid=r.recipe.valid, name=r.recipe.name, epochs=r.recipe.epochs, acc=acc, low=low, high=high, before=r.history['test_acc'][-1],
        loss=loss, params=sum(p.numel() for p in r.model.parameters()), mb=(folder/'model.safetensors').stat().st_size/1e6), encoding='utf-8')
    print(f'test accuracy {acc:.2%}, mean loss {loss:.4f}')


pack(sys.argv[1], root/'resnet_gradcam/cifar10_w16')
