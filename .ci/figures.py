"""The chapters' figures as pages need them: python .ci/figures.py [--check]

A notebook keeps a figure's width and height, and Quarto makes only images without a
height responsive: both are taken out. With --check, nothing is written. It fails where

- such a size is left, or a figure has a background, so that it is a white slab on a
  dark page (`nbs/matplotlibrc` gives it none);
- their grey has less contrast than 4.5:1 with the light or the dark page (styles.css);
- an alt text has a `%;`, which Quarto takes for a broken address;
- the smallest letters are less than 9 px high in a column of 678 px. They are those of
  the sizes that stand in the cell and in the functions it calls, and of `font.size`.

The figures named in `waiting` are exempt. It prints the letters that are less than 9 px
on a phone, as a mirror and not as a gate.
"""

import ast
import base64
import io
import json
import re
import sys

from PIL import Image
from project import root, source

column, phone = 678, 339  # px, as Quarto sets them at 1280 and 390
least = 9
# Results of long runs and measurements, drawn before there was a matplotlibrc. They are
# made anew when they are run again, on a quiet machine.
waiting = {
    "30a00058": "35_processes",
    "40b00022": "40_benchmarks",
    "07b00013": "33_runs",
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


def smallest(tree, known, base):
    "The smallest letters of a cell's figure, in points"
    parts = [tree, *reached(tree, known)]
    return min([base, *(s for part in parts for s in written_sizes(part, base))])


def faults_of(book, library):
    "What is wrong with the figures of a notebook, and what is small on a phone"
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    trees = {c["id"]: parsed(source(c)) for c in code}
    known = {**library, **functions(trees.values())}
    base = default
    for cell in code:
        text = source(cell)
        base = own_size(text) or base
        if re.search(r"^#\| fig-alt:.*%;", text, re.M):
            yield (
                f"cell {cell['id']}: write percent instead of %; in its alt text",
                True,
            )
        if cell["id"] in waiting:
            continue
        for image, metadata in pictures(cell):
            yield from picture_faults(cell, image, metadata)
            points = smallest(trees[cell["id"]], known, base)
            yield from size_faults(cell, image, points)


def own_size(text):
    "The size of letters that a cell sets for those that follow"
    found = re.search(r"""rcParams.*["']font\.size["']\W+([\d.]+)""", text)
    return float(found[1]) if found else None


def picture_faults(cell, image, metadata):
    if "image/png" in metadata:
        yield f"cell {cell['id']}: the figure has a fixed size", True
    corner = image.convert("RGBA").getpixel((0, 0))
    if corner[3]:
        yield (
            f"cell {cell['id']}: the figure has a background. Run the cell anew.",
            True,
        )


def size_faults(cell, image, points):
    dots = image.info.get("dpi", (144, 144))[0]
    for width in (column, phone):
        scale = min(width, image.width) / image.width  # px on the page per dot
        high = points / 72 * dots * scale
        if high < least:
            words = f"cell {cell['id']}: letters of {high:.1f} px in {width} px"
            yield words, width == column


def main(check):
    modules = [parsed(p.read_text("utf-8")) for p in root.glob("resnet_gradcam/*.py")]
    library = functions(modules)
    css = (root / "nbs/styles.css").read_text(encoding="utf-8")
    too_faint = list(faint(style, css))
    print(*too_faint, sep="\n", end="\n" if too_faint else "")
    failed = bool(too_faint)
    for path in sorted(root.glob("nbs/*.ipynb")):
        text = path.read_text(encoding="utf-8")
        book = json.loads(text)
        if not check:
            strip(book)
            new = json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
            if new != text:
                path.write_text(new, encoding="utf-8")
        for fault, is_error in faults_of(book, library):
            print(f"{path.name}, {fault}{'' if is_error else ' (no error)'}")
            failed = failed or is_error
    return failed


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
