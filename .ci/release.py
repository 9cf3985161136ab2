"""Whether a release may go out: python .ci/release.py [TAG]

The version of settings.ini has to be that of the newest section of CHANGELOG.md, of
CITATION.cff, of the package and, where one is given, of the tag (v1.2.3).
"""

import re
import sys

from project import root, settings


def versions(tag):
    "where -> the version that stands there, or None"

    def first(name, pattern):
        found = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.M)
        return found[1] if found else None

    package = f"{settings['lib_name']}/__init__.py"
    found = {
        "CHANGELOG.md": first("CHANGELOG.md", r"^## (\S+)"),
        "CITATION.cff": first("CITATION.cff", r"^version: (\S+)"),
        package: first(package, r'__version__ = "(.+)"'),
    }
    if tag:
        found["the tag"] = tag.removeprefix("v")
    return found


def main(tag):
    wanted = settings["version"]
    wrong = [f"{k} has {v}" for k, v in versions(tag).items() if v != wanted]
    return f"settings.ini has version {wanted}, {', '.join(wrong)}." if wrong else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else None))
