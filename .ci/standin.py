"""What Quarto does and smalldocs doesn't, so that the site can be checked without it.

Where there is no Quarto, `site.py` puts this on the PATH as `quarto`, and nbdev_docs
calls it. In nbdev's processed notebooks the pages take the names that nbdev gives them;
figures and equations get their numbers, references to them and citations become links,
and the bibliography its list. What leads nowhere is an error. In smalldocs' pages
images get the size that Quarto would give them, formulas the KaTeX of `_quarto.yml`,
and the text Quarto's width (`standin.css`).
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bibtexparser
import yaml
from project import root, settings, source

kinds = {"fig": "Figure", "eq": "Equation", "tbl": "Table"}
# fenced blocks and backticks are code, and are left alone
code = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)", re.S)
figure_label = re.compile(r"^#\| label: *(fig-[\w-]+)", re.M)
cell_label = re.compile(r"^#\| label: *((?:fig|tbl)-[\w-]+)", re.M)
cell_classes = re.compile(r"^#\| classes: *(.+)$", re.M)
text_label = re.compile(r"\{#((?:eq|fig|tbl)-[\w-]+)")
reference = re.compile(r"(?<![\w`])@((fig|eq|tbl)-[\w-]*\w)")
equation = re.compile(r"\$\$\s*((?:(?!\$\$).)+?)\s*\$\$ \{#(eq-[\w-]+)\}", re.S)
citations = re.compile(r"\[((?:[^\]\[]*)@[\w:.-]+[^\]\[]*)\](?!\()")
citation = re.compile(r"(?<![\w`@/.])@([a-z]+\d{4}\w+)")


def outside_code(text, change):
    parts = code.split(text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def page_name(nb):
    "The name that nbdev gives a page, or None"
    first = source(nb["cells"][0])
    found = re.search(r"^output-file: *(.+)\.html$", first, re.M)
    return found[1] if found else None


def number_labels(nb):
    "label -> its number, for the figures and equations of a page, in order"
    numbers = {}
    counts = dict.fromkeys(kinds, 0)
    for cell in nb["cells"]:
        pattern = cell_label if cell["cell_type"] == "code" else text_label
        for label in pattern.findall(source(cell)):
            if label in numbers:
                sys.exit(f"error: the label {label} is used twice")
            kind = label.split("-")[0]
            counts[kind] += 1
            numbers[label] = counts[kind]
    return numbers


def authors(entry):
    "In BibTeX's form; what stands in braces is one name, of an institution, say"
    return re.split(r"\s+and\s+(?![^{]*\})", entry["author"])


def surname(name):
    "Of an author in BibTeX's form"
    if re.fullmatch(r"\{[^{}]*\}", name):
        return name[1:-1]
    last = name.split(",")[0] if "," in name else name.split()[-1]
    return last.strip("{} ")


def in_full(name):
    "An author as people sign: first name, surname, Jr."
    *before, first = name.split(", ")
    return re.sub(r"[{}]", "", " ".join([first, *before]))


def author_year(entry):
    names = [surname(n) for n in authors(entry)]
    who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return who, entry.get("year", "n.d.")


def place_of(work):
    "Where a work was published, or who says it"
    kinds = "booktitle", "journal", "howpublished", "institution"
    place = next(filter(None, map(work.get, kinds)), "")
    return place or (f"arXiv:{work['eprint']}" if "eprint" in work else "")


def reference_to(entry):
    "A work in the list of references"
    names = ", ".join(map(in_full, authors(entry))).replace(", others", " and others")
    work = {k: re.sub(r"[{}]", "", v) for k, v in entry.items()}
    year = work.get("year", "n.d.")
    parts = filter(None, (place_of(work), year))
    return f"{names}, *{work['title']}*, {' '.join(parts)}".rstrip(".") + "."


class Page:
    "The numbers, references and citations of one page"

    def __init__(self, nb, works):
        self.nb = nb
        self.works = works
        self.numbers = number_labels(nb)
        self.cited = set()

    def entry(self, key):
        if key not in self.works:
            sys.exit(f"error: the work @{key} is not in references.bib")
        self.cited.add(key)
        return author_year(self.works[key])

    def cite_inside(self, m):
        "A work among several in brackets"
        who, year = self.entry(m[1])
        return f"[{who} {year}](#ref-{m[1]})"

    def cite_in_text(self, m):
        who, year = self.entry(m[1])
        return f"[{who} ({year})](#ref-{m[1]})"

    def cite_group(self, m):
        works = re.sub(r"@([\w:.-]*\w)", self.cite_inside, m[1])
        return f"({works})"

    def refer(self, m):
        label, kind = m.groups()
        if label not in self.numbers:
            sys.exit(f"error: @{label} has no label on its page")
        return f"[{kinds[kind]} {self.numbers[label]}](#{label})"

    def link(self, text):
        "References and citations as links"
        text = reference.sub(self.refer, text)
        text = citations.sub(self.cite_group, text)
        return citation.sub(self.cite_in_text, text)

    def tag(self, m):
        "An equation with its number in it and its anchor before it"
        tex, label = m.groups()
        return f"[]{{#{label}}}\n\n$$ {tex} \\tag{{{self.numbers[label]}}} $$"

    def caption(self, text, label):
        "A code cell's source with the figure's number in its caption"
        found = re.search(r"""^#\| fig-cap: *(["'])(.*)$""", text, re.M)
        if not found:
            return text
        quote, words = found.groups()
        words = f"Figure {self.numbers[label]}: {outside_code(words, self.link)}"
        return text.replace(found[0], f"#| fig-cap: {quote}{words}")

    def references(self):
        "The works cited, as a list"
        lines = []
        for key in sorted(self.cited):
            lines.append(f"[]{{#ref-{key}}}{reference_to(self.works[key])}")
        return "\n\n".join(lines)

    def change(self):
        "Do all of it, in place"
        cells = []
        for cell in self.nb["cells"]:
            text = source(cell)
            label = figure_label.search(text)
            if cell["cell_type"] == "markdown":
                text = equation.sub(self.tag, text)
                cell["source"] = outside_code(text, self.link)
            elif label:
                cells.append(anchor(label[1]))
                cell["source"] = self.caption(text, label[1])
            cells += with_classes(cell)
        self.nb["cells"] = cells
        self.fill_references()

    def fill_references(self):
        place = re.compile(r"::: \{#refs\}\s*:::")
        listed = False
        for cell in self.nb["cells"]:
            text = source(cell)
            if cell["cell_type"] == "markdown" and place.search(text):
                cell["source"] = place.sub(lambda _: self.references(), text)
                listed = True
        if self.cited and not listed:
            name = page_name(self.nb)
            sys.exit(f"error: {name} cites works and has no ::: {{#refs}}")


def with_classes(cell):
    "A cell, in a block of the classes that it asks for"
    found = cell_classes.search(source(cell)) if cell["cell_type"] == "code" else None
    if not found:
        return [cell]
    names = " ".join(f".{name}" for name in found[1].split())
    return [markdown(f"::::: {{{names}}}", cell), cell, markdown(":::::", cell)]


def markdown(text, cell):
    "A cell of text beside another"
    name = f"{cell['id']}-{len(text)}"
    return dict(cell_type="markdown", id=name, metadata={}, source=text)


def anchor(label):
    "A cell to which references to a figure lead"
    text = f"[]{{#{label}}}"
    return dict(cell_type="markdown", id=f"at-{label}"[:64], metadata={}, source=text)


def read_works(bib):
    if not bib.exists():
        return {}
    return bibtexparser.loads(bib.read_text(encoding="utf-8")).entries_dict


def read_books(folder):
    "The processed notebooks: path -> content"
    return {
        path: json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("*.ipynb")
    }


def prepare(folder, books, names):
    "Rewrite nbdev's `_proc` for smalldocs"
    works = read_works(folder / "references.bib")
    for path, nb in books.items():
        Page(nb, works).change()
        text = json.dumps(nb)
        for old, new in names.items():
            text = re.sub(rf"\({old}\.ipynb([)#])", rf"({new}.ipynb\1", text)
        path.unlink()
        path.with_stem(names[path.stem]).write_text(text, encoding="utf-8")
    write_config(folder, names)


def write_config(folder, names):
    "`_quarto.yml` with the pages' names, and Quarto's widths"
    config = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))
    html = config["format"]["html"]
    html["css"] = ["standin.css", html["css"]]
    shutil.copy(Path(__file__).with_suffix(".css"), folder)
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    for old, new in names.items():
        text = re.sub(rf"\b{old}\.ipynb", f"{new}.ipynb", text)
    (folder / "_quarto.yml").write_text(text, encoding="utf-8")


def digest(png):
    "A name for a PNG in base64"
    return hashlib.sha256(re.sub(r"\s", "", png).encode()).hexdigest()


def fixed_sizes(books):
    "digest -> (width, height), of the PNGs whose notebook states a size"
    sizes = {}
    for nb in books.values():
        for cell in nb["cells"]:
            for output in cell.get("outputs", ()):
                size = output.get("metadata", {}).get("image/png")
                if size:
                    png = "".join(output["data"]["image/png"])
                    sizes[digest(png)] = size["width"], size["height"]
    return sizes


class Finish:
    "Make a page of smalldocs what Quarto would have made"

    image = re.compile(
        r'<img([^>]*?) src="data:image/png;base64,([^"]+)"([^>]*?) class="img-fluid">'
    )
    caption = re.compile(r"<figcaption>.*?</figcaption>", re.S)
    # Markdown's tables must have a head; Pandoc leaves out an empty one
    empty_head = re.compile(
        r"<thead>\s*<tr[^>]*>(?:\s*<th[^>]*>\s*</th>)+\s*</tr>\s*</thead>"
    )
    link = re.compile(r"\[([^\]]+)\]\((#[\w-]+)\)")
    katex_file = re.compile(r'https://[^"]+/katex@[^"]+/dist/(katex\.min\.\w+)')
    katex_call = re.compile(r'<script src="[^"]+/auto-render\.min\.js" defer></script>')
    # what Pandoc writes for KaTeX
    pandoc = """<script>document.addEventListener("DOMContentLoaded", () => {
for (const e of document.getElementsByClassName("math")) {
  const displayMode = e.classList.contains("display")
  const tex = e.firstChild.data.trim().slice(2, -2)
  katex.render(tex, e, { displayMode, throwOnError: false })
}})</script>"""

    def __init__(self, sizes, names, url):
        self.sizes = sizes
        self.names = {new: old for old, new in names.items()}
        self.url = url

    def size(self, m):
        "An image with the size that its notebook states"
        before, png, after = m.groups()
        if digest(png) not in self.sizes:
            return m[0]
        width, height = self.sizes[digest(png)]
        size = f'width="{width}" height="{height}"'
        return f'<img{before} src="data:image/png;base64,{png}"{after} {size}>'

    def source(self, m):
        "A link to the notebook in the repository"
        return f"/nbs/{self.names.get(m[1], m[1])}.ipynb"

    def link_in(self, m):
        "A caption whose references are links, and its code code"
        linked = self.link.sub(r'<a href="\2">\1</a>', m[0])
        return re.sub(r"`([^`]+)`", r"<code>\1</code>", linked)

    def __call__(self, page):
        page = self.image.sub(self.size, page)
        page = self.caption.sub(self.link_in, page)
        page = self.empty_head.sub("", page)
        page = self.katex_file.sub(rf"{self.url}\1", page)
        page = self.katex_call.sub(lambda _: self.pandoc, page)
        return re.sub(r"/nbs/(\w+)\.ipynb", self.source, page)


def render(folder):
    "Build the site from `_proc`, where nbdev_docs looks for it"
    books = read_books(folder)
    names = {path.stem: page_name(nb) or path.stem for path, nb in books.items()}
    sizes = fixed_sizes(books)
    prepare(folder, books, names)
    config = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))
    done = subprocess.run(
        ["smalldocs", "render", folder.name],
        cwd=folder.parent,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"error: smalldocs failed\n{done.stdout}{done.stderr}")
    finish = Finish(sizes, names, config["format"]["html"]["html-math-method"]["url"])
    site = folder / "_site"
    for path in site.glob("*.html"):
        path.write_text(finish(path.read_text(encoding="utf-8")), encoding="utf-8")
    site.rename(folder / settings["doc_path"])


if __name__ == "__main__":
    if sys.argv[1:] != ["render", "--no-cache"]:
        sys.exit(f"error: the stand-in renders whole sites, not {sys.argv[1:]}.")
    render(Path.cwd())
