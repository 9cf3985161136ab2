"What the scripts here share: where the project lies, its settings, the browser."

import json
import shutil
import sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=["="])
config.read(root / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]
repository = settings["git_url"]
widths = (360, 390, 768, 1280, 1600)  # of the screens on which pages are looked at


def read_cells(name):
    "The cells of a chapter, by its name without the ending"
    book = json.loads((root / f"nbs/{name}.ipynb").read_text(encoding="utf-8"))
    return book["cells"]


def replace_file(path, content):
    "A file's new bytes as a whole: whoever is killed meanwhile leaves the old ones"
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def source(cell):
    "The text of a cell, which notebooks keep as lines"
    return "".join(cell["source"])


def browser_path():
    names = "chromium", "chromium-browser", "google-chrome", "chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit("error: no Chromium here. Install it.")
