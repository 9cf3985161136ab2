"""The chapters' figures as pages need them: python .ci/figures.py [--check]

A notebook keeps a figure's width and height, and Quarto makes only images without a
height responsive: both are taken out. With --check, nothing is written. It fails where

- such a size is left, or a figure has a background, so that it is a white slab on a
  dark page (`nbs/matplotlibrc` gives it none);
- their grey has less contrast than 4.5:1 with the light or the dark page (styles.css);
- an alt text has a `%;`, which Quarto takes for a broken address;
- the smallest letters are less than 9 px high in a column of 678 px, or on a phone, or
  a figure is wider there than its letters need. They are those of the sizes that stand
  in the cell and in the functions it calls, and of `font.size`.

A phone's column is 339 px wide. A figure scrolls there at 528 px, unless its cell says
`#| classes: wide-figure`, at 672 px, or `#| classes: whole-figure`: it fits the column
(styles.css). The figures named in `seen_whole` are exempt.
"""

import ast
import base64
import hashlib
import io
import json
import re
import sys

from PIL import Image
from project import replace_file, root, source

column, phone = 678, 339  # px, as Quarto sets them at 1280 and 390
least = 9  # px, of letters
# Figures that a phone shows at once though `font.size` is small there, and why
seen_whole = {
    "d1a00001": "02_show: a large number above each drawing",
    "c405f2e8": "02_show: images without letters",
    "079907e0": "08_augment: images without letters",
    "13e00003": "13_gradcam: images without letters",
    "d159c36d": "32_batches: images without letters",
}
words = {"xx-small": 0.579, "x-small": 0.694, "small": 0.833, "medium": 1.0}
sizes = {"fontsize", "labelsize", "title_fontsize", "legend_fontsize"}
texts = {"text", "annotate", "suptitle", "set_title"}  # they take a size= too


def settings_of(text):
    "Settings of letters in lines such as font.size: 11"
    found = re.search(r"^font\.size\W+([\d.]+)", text, re.M)
    return float(found[1]) if found else None


style = (root / "nbs/matplotlibrc").read_text(encoding="utf-8")
default = settings_of(style)
css = (root / "nbs/styles.css").read_text(encoding="utf-8")


def width_in(css, name):
    "Of the figures of a kind, in px"
    return int(re.search(rf"--{name}: (\d+)px;", css)[1])


# The class of a cell -> how wide its figures are in a phone's column, the least first
phone_widths = {
    "whole-figure": phone,
    None: width_in(css, "figure"),
    "wide-figure": width_in(css, "wide-figure"),
}


def luminance(colour):
    "Of six hexadecimal digits, as WCAG 2 defines it"
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (
        s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in parts
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def faint(rc, css):
    "Greys of a matplotlibrc that can't be read on a white page or on the dark one"
    dark = re.search(r"--bs-body-bg: #(\w{6});", css)[1]
    for name, grey in re.findall(r"^(\S+color): +(\w{6})$", rc, re.M):
        for page in ("ffffff", dark):
            ratio = contrast(grey, page)
            if ratio < 4.5:
                yield f"matplotlibrc, {name}: {ratio:.2f}:1 on #{page}"


def pictures(cell):
    "A cell's PNGs and their metadata: (image, metadata of the output)"
    for output in cell.get("outputs", ()):
        if "image/png" in output.get("data", {}):
            png = base64.b64decode("".join(output["data"]["image/png"]))
            yield Image.open(io.BytesIO(png)), output.get("metadata", {})


def strip(book):
    "Take sizes and backgrounds out of the metadata of figures"
    for cell in book["cells"]:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                for key in ("image/png", "needs_background"):
                    output.get("metadata", {}).pop(key, None)


def parsed(text):
    "The syntax tree of a cell; of one for the shell, nothing"
    return ast.parse("" if re.search(r"^\s*[!%]", text, re.M) else text)


def functions(trees):
    "name -> its definition, of functions and methods"
    found = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
    return found


def called(node):
    "The names that are called in a piece of code, and handed to calls"
    for call in ast.walk(node):
        if isinstance(call, ast.Name):
            yield call.id
        elif isinstance(call, ast.Attribute):
            yield call.attr


def reached(node, known):
    "A piece of code and the known functions that it leads to"
    seen = {}
    left = [node]
    while left:
        node = left.pop()
        for name in called(node):
            if name in known and name not in seen:
                seen[name] = known[name]
                left.append(known[name])
    return seen.values()


def written_sizes(node, base):
    "The sizes of letters, in points, that a piece of code names"
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", None)
        for key in call.keywords:
            value = getattr(key.value, "value", None)
            if key.arg in sizes or (key.arg == "size" and name in texts):
                if isinstance(value, (int, float)):
                    yield value
                elif value in words:
                    yield base * words[value]


def set_sizes(node):
    "The sizes in calls of set_fontsize"
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and call.func.attr == "set_fontsize":
            yield call.args[0].value


def smallest(tree, known, base):
    "The smallest letters of a cell's figure, in points"
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For) and "findobj" in called(loop.iter):
            return min(set_sizes(loop))  # the cell sets them all
    parts = [tree, *reached(tree, known)]
    return min([base, *(s for part in parts for s in written_sizes(part, base))])


def figures_of(book, library):
    "The cells with figures: (cell, its pictures, their smallest letters in points)"
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    trees = {c["id"]: parsed(source(c)) for c in code}
    known = {**library, **functions(trees.values())}
    base = default
    for cell in code:
        base = own_size(source(cell)) or base
        found = list(pictures(cell))
        if found:
            yield cell, found, smallest(trees[cell["id"]], known, base)


def faults_of(book, library):
    "What is wrong with the figures of a notebook"
    for cell, found, points in figures_of(book, library):
        for fault in cell_faults(cell, found, points):
            yield f"cell {cell['id']}: {fault}"


def cell_faults(cell, found, points):
    "What is wrong with the figures of a cell"
    if re.search(r"^#\| fig-alt:.*%;", source(cell), re.M):
        yield "write percent instead of %; in its alt text"
    for image, metadata in found:
        yield from picture_faults(image, metadata)
    shares = [letter_share(image, points) for image, _ in found]
    high = min(shares) * min(column, *(image.width for image, _ in found))
    if high < least:
        yield f"letters of {high:.1f} px in {column} px"
    yield from class_faults(cell, min(shares))


def own_size(text):
    "The size of letters that a cell sets for those that follow"
    found = re.search(r"""rcParams.*["']font\.size["']\W+([\d.]+)""", text)
    return float(found[1]) if found else None


def picture_faults(image, metadata):
    if "image/png" in metadata:
        yield "the figure has a fixed size"
    corner = image.convert("RGBA").getpixel((0, 0))
    if corner[3]:
        yield "the figure has a background. Run the cell anew."


def letter_share(image, points):
    "The height of letters in points as a part of the figure's width"
    dots = image.info.get("dpi", (144, 144))[0]
    return points / 72 * dots / image.width


def class_of(cell):
    "What a cell says of its figures' width on a phone, or None"
    found = re.search(r"^#\| classes: (.+)$", source(cell), re.M)
    return found[1] if found else None


def class_faults(cell, share):
    "A width on a phone that is not the least at which letters can be read"
    own = class_of(cell)
    if cell["id"] in seen_whole:
        wanted = "whole-figure"
    else:
        enough = [k for k, w in phone_widths.items() if share * w >= least]
        wanted = enough[0] if enough else "wide-figure"
    if own != wanted:
        high = share * phone_widths.get(own, phone)
        line = f"write #| classes: {wanted}" if wanted else f"drop #| classes: {own}"
        yield f"letters of {high:.1f} px on a phone: {line}"


def read_library():
    "The package's functions by name"
    paths = root.glob("resnet_gradcam/*.py")
    return functions([parsed(path.read_text(encoding="utf-8")) for path in paths])


def letters():
    """Digest of a PNG -> the height of its smallest letters as a part of its width.

    Of the figures whose letters have to be read at every width.
    """
    library = read_library()
    shares = {}
    for path in root.glob("nbs/*.ipynb"):
        book = json.loads(path.read_text(encoding="utf-8"))
        for cell, found, points in figures_of(book, library):
            if cell["id"] not in seen_whole:
                for image, _ in found:
                    image.fp.seek(0)
                    shares[digest(image.fp.read())] = letter_share(image, points)
    return shares


def digest(png):
    return hashlib.sha256(png).hexdigest()


def main(check):
    library = read_library()
    faults = list(faint(style, css))
    for path in sorted(root.glob("nbs/*.ipynb")):
        text = path.read_text(encoding="utf-8")
        book = json.loads(text)
        if not check:
            strip(book)
            new = json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
            if new != text:
                replace_file(path, new.encode())
        faults += [f"{path.name}, {fault}" for fault in faults_of(book, library)]
    return "\n".join(faults) or None


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
