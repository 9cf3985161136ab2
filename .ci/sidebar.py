"""Write the list of pages into _quarto.yml: python .ci/sidebar.py [--check]

The sidebar has two parts, the path and the workshop, made of the notebooks in nbs/ by
their numbers. A page's name there is the title of its notebook. With --check, only say
whether the list is current.
"""

import re
import sys

from project import replace_file, root

config = root / "_quarto.yml"
sections = {  # of the path: the number that each begins with
    "Start": 0,
    "See": 1,
    "Learn": 3,
    "Improve": 6,
    "Explain": 11,
    "Do": 20,
}
workshop = 30  # the path's chapters have lower numbers
listed = re.compile(r"(?<=\n    contents: # made by \.ci/sidebar\.py\n)(?: {6}.*\n)+")


def section_of(number):
    "The section of the path that a chapter belongs to"
    return [name for name, first in sections.items() if first <= number][-1]


def group(names):
    "Chapters of the path by section, and those of the workshop"
    path = {name: [] for name in sections}
    others = []
    for name in names:
        number = int(name[:2])
        place = others if number >= workshop else path[section_of(number)]
        place.append(name)
    return path, others


def render(names):
    "The sidebar's contents as YAML"
    path, others = group(names)
    lines = ["- {text: Home, href: index.ipynb}", "- section: The path", "  contents:"]
    for section, chapters in path.items():
        if chapters:
            lines += [f"    - section: {section}", "      contents:"]
            lines += [f"        - {name}" for name in chapters]
    lines += ["- section: The workshop", "  contents:"]
    lines += [f"    - {name}" for name in others]
    return "".join(f"      {line}\n" for line in lines)


def main(check):
    text = config.read_text(encoding="utf-8")
    names = sorted(p.name for p in root.glob("nbs/[0-9]*.ipynb"))
    new, found = listed.subn(lambda _: render(names), text)
    if not found:
        return f"error: {config.name} has no place for the list of pages."
    if new == text:
        return None
    if check:
        return f"{config.name}: stale. Run python .ci/sidebar.py and commit."
    replace_file(config, new.encode())
    return None


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
