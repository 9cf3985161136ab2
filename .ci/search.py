"""Take the formulas out of what the site's search finds, after Quarto built the site.

Quarto's search.json holds each page's text, and of a formula its TeX. A reader who
looks for a word would be shown that; an ellipsis stands in its place. See `post-render`
in _quarto.yml.
"""

import json
import os
import re
from pathlib import Path

formula = re.compile(r"\\\[.*?\\\]|\\\(.*?\\\)", re.S)


def without_formulas(entry):
    "An entry of search.json"
    return dict(entry, text=formula.sub("…", entry["text"]))


def main():
    path = Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]) / "search.json"
    if not path.exists():  # a preview of one page
        return
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries = [without_formulas(entry) for entry in entries]
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
