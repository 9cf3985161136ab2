"""Write the list of pages into _quarto.yml: python .ci/sidebar.py [--check]

The sidebar has two parts, the path and the workshop, made of the notebooks in nbs/ by
their numbers. A page's name there is the title of its notebook. The home page lists the
workshop by the same sections. With --check, only say whether both are current.
"""

import re
import sys

from project import read_cells, replace_file, root, source

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
rooms = {  # of the workshop: the numbers of its pages
    "Images and figures": (30, 31, 32, 43, 63, 64, 73, 83, 84),
    "Networks": (42, 74, 75, 76, 77, 80),
    "Training": (52, 33, 87, 88, 95, 34, 36, 38, 44, 85, 86, 54, 72, 97, 89),
    "Many processes": (35, 91, 92, 93, 94),
    "Maps": (39, 45, 46, 47, 48, 49, 58, 60, 65, 66, 69, 96),
    "Trust": (41, 53, 55, 56, 57, 59, 67, 68, 78, 79),
    "Commands and pages": (37, 40, 50, 51, 61, 62, 70, 71),
    "Reference": (90,),
}
listed = re.compile(r"(?<=\n    contents: # made by \.ci/sidebar\.py\n)(?: {6}.*\n)+")


def number(name):
    "Of a notebook"
    return int(name[:2])


def section_of(chapter):
    "The section of the path that a number belongs to"
    return [name for name, first in sections.items() if first <= chapter][-1]


def in_rooms(names):
    "The pages of the workshop by section; `SystemExit` where one has none"
    of_number = {number(name): name for name in names if number(name) >= workshop}
    if sorted(i for pages in rooms.values() for i in pages) != sorted(of_number):
        sys.exit("error: each page of the workshop has one place in .ci/sidebar.py.")
    return {room: [of_number[i] for i in pages] for room, pages in rooms.items()}


def on_path(names):
    "The chapters of the path by section"
    placed = {section: [] for section in sections}
    for name in names:
        if number(name) < workshop:
            placed[section_of(number(name))].append(name)
    return placed


def part(title, placed):
    "A part of the sidebar as YAML"
    lines = [f"- section: {title}", "  contents:"]
    for section, pages in placed.items():
        lines += [f"    - section: {section}", "      contents:"]
        lines += [f"        - {name}" for name in pages]
    return lines


def render(names):
    "The sidebar's contents as YAML"
    lines = ["- {text: Home, href: index.ipynb}"]
    lines += part("The path", on_path(names))
    lines += part("The workshop", in_rooms(names))
    return "".join(f"      {line}\n" for line in lines)


def listed_at_home(names):
    "What is wrong with the home page's list of the workshop"
    words = "\n".join(map(source, read_cells("index")))
    wanted = []
    for room, pages in in_rooms(names).items():
        if room != "Reference":  # it has a line of its own there
            wanted += [f"### {room}\n", *(f"]({name})" for name in pages)]
    place = 0
    for text in wanted:
        place = words.find(text, place)
        if place < 0:
            return f"index.ipynb: {text.strip()} is missing, or out of order."
    return None


def main(check):
    text = config.read_text(encoding="utf-8")
    names = sorted(p.name for p in root.glob("nbs/[0-9]*.ipynb"))
    new, found = listed.subn(lambda _: render(names), text)
    if not found:
        return f"error: {config.name} has no place for the list of pages."
    if check and new != text:
        return f"{config.name}: stale. Run python .ci/sidebar.py and commit."
    if new != text:
        replace_file(config, new.encode())
    return listed_at_home(names)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
