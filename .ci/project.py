"What the scripts here share: where the project lies, its settings, the browser."

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


def browser_path():
    names = "chromium", "chromium-browser", "google-chrome", "chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit("error: no Chromium here. Install it.")
