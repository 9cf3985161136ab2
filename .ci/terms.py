"""Nothing is used before it is explained: python .ci/terms.py

Prints, for each term, the chapter that defines it and where the path uses it first. It
fails where a chapter before that one uses the term and, in the paragraph of its first
use, neither links to the definition nor is a caption, and where the definition, the
term in italics, is missing.
"""

import re
import sys

from project import read_cells, root, source

defined = {  # term, as a pattern -> the chapter whose prose has it in italics
    "convolution": "03_conv",
    "ReLU": "03_conv",
    "softmax": "04_loss",
    "cross-entropy": "04_loss",
    "chain rule": "04_loss",
    "learning rate": "05_loop",
    "batch": "02_show",
    "epoch": "05_loop",
    "accuracy": "05_loop",
    "LayerNorm": "06_norm",
    "shortcut": "07_resnet",
    "momentum": "09_descent",
    "Adam": "09_descent",
    "weight decay": "09_descent",
    "plateau": "10_plateau",
}
path = sorted(p.stem for p in root.glob("nbs/[01]*.ipynb"))


def paragraphs(name):
    "The prose of a chapter, without code and references"
    for cell in read_cells(name):
        if cell["cell_type"] == "markdown":
            text = re.sub(r"```.*?```", "", source(cell), flags=re.S)
            yield from re.split(r"\n\s*\n", text)


def word(term):
    "The term and its plural, in any case, not inside a name or an address"
    return re.compile(rf"(?<![\w`/_-]){term}(?:s|es|ed)?(?![\w_-])", re.I)


def first_use(term, chapter):
    "The first paragraph of a chapter that uses a term, or None"
    return next((p for p in paragraphs(chapter) if word(term).search(p)), None)


def check(term, definition):
    "The chapter that uses the term first, and what is wrong"
    faults = []
    first = None
    for chapter in path:
        if chapter > definition:
            break
        found = first_use(term, chapter)
        if found is None:
            continue
        first = first or chapter
        if chapter == definition:
            continue
        if f"({definition}.ipynb" not in found:
            faults.append(f"{chapter} uses {term} without a link: {found[:70]!r}")
    italic = re.compile(rf"\*+{term}s?\*+", re.I)
    if not any(italic.search(p) for p in paragraphs(definition)):
        faults.append(f"{definition} does not define *{term}*")
    return first, faults


def main():
    all_faults = []
    print(f"{'term':16}{'defined in':14}first used in")
    for term, definition in defined.items():
        first, faults = check(term, definition)
        print(f"{term:16}{definition:14}{first}")
        all_faults += faults
    print(*all_faults, sep="\n")
    return bool(all_faults)


if __name__ == "__main__":
    sys.exit(main())
