"""The chapters as a reader meets them: python .ci/chapters.py [--check]

Prints each chapter's cells, words, exported lines and minutes beside what one sitting
holds, as a mirror and not as a gate; gives each chapter its number in the title, the
line under it (Colab, reading time, the explorer) and the cell that prepares Colab. It
fails where the page would cut something off, a code line of over 88 characters or a
text output of over 80, where an output is HTML, for which Quarto would load RequireJS
and jQuery, where two cells have one id, where a solution stands open under the folded
ones, where words end in a colon and what they announce isn't shown, and where its last
words name another chapter as the next than the one that comes next. With --check it
also fails where a title or the line under it is stale, and writes nothing.

Reading time: 200 words of prose per minute, 20 lines of code per minute.
"""

import json
import re
import sys
from collections import Counter

from project import replace_file, repository, root, settings, source

sitting = dict(cells=40, words=1400, exported=60, minutes=20)
code_width = 88
output_width = 80
made_here = "c01ab001", "c01ab002"  # ids of the cells that this script writes
explored = (
    "12",
    "13",
    "14",
    "15",
    "16",
    "21",
    "24",
)  # chapters on what the explorer shows
colab = repository.replace("github.com", "colab.research.google.com/github")
prepare = f"""#| hide
! [ -e /content ] && git clone -q \\
  {repository} /content/it \\
  && cp -r /content/it/nbs/. . && pip install -q '/content/it[dev,peers]'
%load_ext resnet_gradcam.jupyter"""


def is_code(cell):
    return cell["cell_type"] == "code"


def has_flag(cell, flag):
    return bool(re.search(rf"^#\|\s*{flag}\b", source(cell), re.M))


def code_lines(cell):
    "A cell's lines of code, without its directives"
    lines = source(cell).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#|")]


def outputs_as(cell, kind):
    "A cell's outputs of one MIME type"
    data = [o.get("data", {}) for o in cell.get("outputs", ())]
    return ["".join(d[kind]) for d in data if kind in d]


def text_outputs(cell):
    "What a code cell prints"
    if outputs_as(cell, "image/png") or outputs_as(cell, "text/markdown"):
        return []
    outputs = cell.get("outputs", ())
    printed = ["".join(o["text"]) for o in outputs if "text" in o]
    return printed + outputs_as(cell, "text/plain")


def measure(cells):
    "What a reader has before them, without what the site hides"
    shown = [c for c in cells if not has_flag(c, "hide")]
    code = [c for c in shown if is_code(c)]
    prose = [source(c) for c in shown if not is_code(c)]
    for c in code:
        prose += outputs_as(c, "text/markdown")
    plain = [re.sub(r"<[^>]*>", " ", text) for text in prose]  # tags aren't read
    words = sum(len(text.split()) for text in plain)
    lines = sum(len(code_lines(c)) for c in code)
    exported = sum(len(code_lines(c)) for c in code if has_flag(c, "export"))
    minutes = round(words / 200 + lines / 20)
    return dict(cells=len(shown), words=words, exported=exported, minutes=minutes)


def cut_off(cells):
    "What would run off the page"
    for c in cells:
        if not is_code(c) or has_flag(c, "hide"):
            continue
        for line in code_lines(c):
            if len(line) > code_width:
                yield f"cell {c['id']}: {len(line)} characters of code: {line[:60]}…"
        if has_flag(c, "output: false"):
            continue
        for line in "\n".join(text_outputs(c)).splitlines():
            if len(line) > output_width:
                yield f"cell {c['id']}: {len(line)} characters of output: {line[:60]}…"


def not_for_pages(cells):
    "Outputs for which Quarto loads RequireJS and jQuery from another host"
    for c in cells:
        for kind in ("text/html", "application/javascript"):
            if is_code(c) and not has_flag(c, "hide") and outputs_as(c, kind):
                yield f"cell {c['id']}: its output is {kind}. Give Markdown instead."


def repeated(cells):
    "Ids that two cells have: a notebook is merged, and exported, by them"
    counts = Counter(c["id"] for c in cells)
    for cell_id, n in counts.items():
        if n > 1:
            yield f"{n} cells have the id {cell_id}."


def is_solutions(cell):
    return not is_code(cell) and 'title="Solution' in source(cell)


def given_away(cells):
    "Code under the folded solutions that isn't folded, too, or shows what it prints"
    after = next((i for i, c in enumerate(cells) if is_solutions(c)), len(cells))
    for c in cells[after:]:
        if not is_code(c) or has_flag(c, "hide"):
            continue
        if not has_flag(c, "code-fold: true"):
            yield f"cell {c['id']}: the code of a solution stands open."
        if c["outputs"] and not has_flag(c, "output: false"):
            yield f"cell {c['id']}: the output gives a solution away."


def shows_nothing(cell):
    "Whether nbdev leaves a cell out: it is hidden, or exports private names alone"
    if not is_code(cell) or has_flag(cell, "hide"):
        return is_code(cell)
    if not has_flag(cell, "export"):
        return False
    names = re.findall(r"^(?:def|class) (\w+)", source(cell), re.M)
    return all(name.startswith("_") for name in names)


def announced(cells):
    "Words that end in a colon, where only more words follow"
    shown = [c for c in cells if not shows_nothing(c)]
    for cell, after in zip(shown, shown[1:], strict=False):
        ends = re.search(r"[^:]:$", source(cell).rstrip())
        if ends and not is_code(cell) and not is_code(after):
            yield f"cell {cell['id']}: what it announces isn't shown."


def led_astray(cells, following):
    "What is wrong with the chapter's last words, where they name the next one"
    words = " ".join(source(c) for c in cells[-6:] if not is_code(c))
    for named in re.findall(r"Next[^.\[]*\[[^]]*\]\((\w+)\.ipynb\)", words):
        if named != following:
            yield f"its end says that {named} comes next, not {following}"


def new_cell(kind, text, cell_id):
    cell = dict(cell_type=kind, id=cell_id, metadata={}, source=text.splitlines(True))
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def numbered(title, name):
    "A title cell with the chapter's number"
    text = re.sub(r"^# (?:\d+ · )?", f"# {int(name[:2])} · ", source(title))
    return dict(title, source=text.splitlines(True))


def line_under_title(name, minutes):
    address = f"{colab}/blob/{settings['branch']}/nbs/{name}"
    parts = [f"[Open in Colab]({address})", f"about {minutes} minutes to read"]
    if name.startswith(explored):
        parts.append("[try it in the explorer](explore.html)")
    return " · ".join(parts)


def render(path, book, cells):
    "The notebook's text with a numbered title and both cells after it"
    title, *others = cells
    title = numbered(title, path.name)
    line = line_under_title(path.name, measure(cells)["minutes"])
    made = [
        new_cell("markdown", line, made_here[0]),
        new_cell("code", prepare, made_here[1]),
    ]
    book = dict(book, cells=[title, *made, *others])
    return json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(check):
    table = "{:24}{:>9}{:>9}{:>9}{:>9}"
    print(table.format("chapter", *sitting))
    print(table.format("one sitting holds", *sitting.values()))
    faults = []
    paths = sorted(root.glob("nbs/[0-9]*.ipynb"))
    following = {a.stem: b.stem for a, b in zip(paths, paths[1:], strict=False)}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        book = json.loads(text)
        cells = [c for c in book["cells"] if c["id"] not in made_here]
        print(table.format(path.stem, *measure(cells).values()))
        found = [*cut_off(cells), *not_for_pages(cells), *repeated(cells)]
        found += [*given_away(cells), *announced(cells)]
        found += led_astray(cells, following.get(path.stem))
        faults += [f"{path.name}, {fault}" for fault in found]
        new = render(path, book, cells)
        if new != text and check:
            faults.append(f"{path.name}: stale. Run python .ci/chapters.py and commit.")
        elif new != text:
            replace_file(path, new.encode())
    print(*faults, sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
