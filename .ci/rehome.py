"""Give every address the user of settings.ini: python .ci/rehome.py [--check]

A fork sets `user` there and runs this. Addresses of the repository, of the site and of
Colab get the new name in all tracked files: notebooks, README.md, _quarto.yml,
CITATION.cff, the index of the package. The name so far is that of `repo-url` in
_quarto.yml. With --check, only say whether that is the name in settings.ini.
"""

import re
import subprocess
import sys

from project import root, settings

config = root / "_quarto.yml"
repo = settings["repo"]


def user_so_far():
    "The user that the site's repository has"
    text = config.read_text(encoding="utf-8")
    found = re.search(rf"repo-url: https://github\.com/([\w.-]+)/{repo}\b", text)
    return found[1] if found else sys.exit(f"error: {config.name} has no repo-url.")


def addresses(user):
    "What an address of ours has in it: repository, Colab, site"
    return f"github.com/{user}/{repo}", f"/github/{user}/{repo}", f"{user}.github.io"


def tracked():
    "The files in git's index"
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return [root / name for name in done.stdout.split("\0") if name]


def rehome(old, new):
    "Write the new addresses; gives the files that had old ones"
    changed = []
    pairs = list(zip(addresses(old), addresses(new)))
    for path in tracked():
        content = path.read_bytes()
        moved = content
        for a, b in pairs:
            moved = moved.replace(a.encode(), b.encode())
        if moved != content:
            path.write_bytes(moved)
            changed.append(path)
    return changed


def main(check):
    old = user_so_far()
    new = settings["user"]
    if check:
        stale = f"addresses are of {old}, settings.ini says {new}"
        return f"{stale}. Run python .ci/rehome.py." if old != new else None
    print(f"{len(rehome(old, new))} files")
    return None


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
