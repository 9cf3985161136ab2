"""Make README.md from nbs/index.ipynb: python .ci/readme.py [--check]

Markdown cells go over as they are, with links to notebooks made absolute, since the
page stands on PyPI too; of code cells, the pictures in their outputs, which are written
to nbs/images. With --check, only say whether all of it is current. Needs no Quarto.
"""

import base64
import re
import sys

from project import read_cells, replace_file, repository, root, settings, source

branch = settings["branch"]
header = "<!-- Made from nbs/index.ipynb by .ci/readme.py: edit that notebook. -->\n\n"


def absolute(text):
    "Links to chapters and images by their full address"
    chapter = rf"]({repository}/blob/{branch}/nbs/\1"
    text = re.sub(r"\]\((\d\d_\w+\.ipynb)", chapter, text)
    return re.sub(
        r"\]\((images/\w+\.png)\)", rf"]({repository}/raw/{branch}/nbs/\1)", text
    )


def relative(text):
    "Links and images that lead somewhere on GitHub alone"
    return re.findall(r"\]\((?!https://|#)([^)\s]+)\)", text)


def pictures(cell):
    "The PNGs among a cell's outputs"
    data = [o.get("data", {}) for o in cell.get("outputs", ())]
    return [base64.b64decode("".join(d["image/png"])) for d in data if "image/png" in d]


def render():
    "README.md and its pictures: path -> bytes"
    parts = []
    files = {}
    for cell in read_cells("index"):
        text = source(cell).strip()
        if cell["cell_type"] == "markdown":
            parts.append(absolute(text))
        for png in pictures(cell):
            path = f"nbs/images/index_{len(files)}.png"
            files[root / path] = png
            alt = re.search(r'#\| fig-alt: "(.+)"', text)[1]
            parts.append(f"![{alt}]({repository}/raw/{branch}/{path})")
    text = header + "\n\n".join(parts) + "\n"
    if relative(text):
        sys.exit(f"error: relative links in README.md: {', '.join(relative(text))}")
    files[root / "README.md"] = text.encode()
    return files


def main(check):
    files = render()
    if not check:
        for path, content in files.items():
            path.parent.mkdir(exist_ok=True)
            replace_file(path, content)
        return None
    stale = [
        path.name
        for path, content in files.items()
        if not path.exists() or path.read_bytes() != content
    ]
    fix = "not what nbs/index.ipynb says. Run python .ci/readme.py and commit."
    return f"{', '.join(stale)}: {fix}" if stale else None


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
