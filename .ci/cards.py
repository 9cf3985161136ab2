"""Make the pictures of the home page's cards from figures: python .ci/cards.py

A card shows the figure of its chapter that is named below, shrunk. The picture that a
link to the site shows is made too. Run it after such a figure was executed anew.
"""

import base64
import io
import re
import sys

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from project import read_cells, root, settings, source

cards = {
    "00_tour": "fig-tour-deer",
    "01_pixels": "fig-data-heart",
    "02_show": "fig-show-overlay",
    "03_conv": "fig-conv-first",
    "04_loss": "fig-train-loss",
    "05_loop": "fig-train-run",
    "06_norm": "fig-norm-axes",
    "07_resnet": "fig-resnet-block",
    "08_augment": "fig-augment-three",
    "09_descent": "fig-descent-walks",
    "10_plateau": "fig-plateau-run",
    "11_mistakes": "fig-mistakes-pairs",
    "12_cam": "fig-gradcam-signed",
    "13_gradcam": "fig-gradcam-layers",
    "14_facts": "fig-gradcam-balance",
    "15_methods": "fig-gradcam-methods",
    "16_trust": "fig-trust-three",
    "17_planted": "fig-planted-roads",
    "20_cifar10_40_epochs": "fig-cifar-curves",
    "21_gallery": "fig-gallery-forty",
    "22_your_model": "fig-own-layers",
}
shots = {"23": "index_0", "24": "explorer", "25": "lab"}  # cards made of other pictures
images = root / "nbs/images"
size = 480, 250


def figure(name, label):
    "The picture that the cell with that label made"
    for cell in read_cells(name):
        if not re.search(rf"label: {label}$", source(cell), re.M):
            continue
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                png = base64.b64decode("".join(output["data"]["image/png"]))
                return Image.open(io.BytesIO(png)).convert("RGBA")
    sys.exit(f"error: {name} has no figure {label}. Name another in .ci/cards.py.")


def save(picture, name):
    "With a margin, in few colours, and clear where the figure is"
    room = size[0] - 20, size[1] - 20
    inner = ImageOps.contain(picture, room, Image.Resampling.LANCZOS)
    card = Image.new("RGBA", size)
    card.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    few = card.quantize(128, Image.Quantize.FASTOCTREE)
    few.save(images / f"card_{name}.png", optimize=True)


def social():
    "1200x630: the name, the promise, and the picture of the home page"
    fig = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
    FigureCanvasAgg(fig)
    fig.text(0.05, 0.86, settings["title"], fontsize=44, weight="bold", color="#222")
    promise = "How a ResNet learns, and why it errs"
    fig.text(0.05, 0.765, promise, fontsize=26, color="#555")
    ax = fig.add_axes((0.03, 0.03, 0.94, 0.69))
    ax.imshow(Image.open(images / "index_0.png").convert("RGBA"))
    ax.axis("off")
    fig.savefig(images / "social.png")


if __name__ == "__main__":
    for name, label in cards.items():
        save(figure(name, label), name[:2])
    for name, source in shots.items():
        save(Image.open(images / f"{source}.png").convert("RGBA"), name)
    social()
