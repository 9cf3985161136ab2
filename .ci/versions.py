"""Install what settings.ini claims, and run the tests: python .ci/versions.py [NAME …]

Writes .ci/versions.csv, a row per combination; --check fails where one has not passed,
or where the workflow's matrix names others. The newest releases on Python 3.11 are not
among them: .ci/run tests those, and more. Each takes a fresh environment of about 6 GB,
which is removed, and some minutes. Interpreters are looked for under ~/.pyenv/versions,
and as python3.X on the PATH.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from project import root

record = root / ".ci/versions.csv"
shown = (
    "torch torchvision albumentations fastcore numpy opencv-python-headless matplotlib "
    "safetensors pillow"
).split()


class Combination(NamedTuple):
    python: str
    what: str  # to install
    releases: str  # of what is named there
    test: str  # the command


with_nbdev = "nbdev_test"
without = "python .ci/plain.py nbs/[0-9]*.ipynb"
plain = ". fastcore>=2 nbclient ipykernel"
combinations = {
    "newest, Python 3.12": Combination("3.12", ".[dev]", "highest", with_nbdev),
    "newest, Python 3.13": Combination("3.13", ".[dev]", "highest", with_nbdev),
    "oldest": Combination("3.11", ".[dev]", "lowest-direct", with_nbdev),
    "fastcore 2": Combination("3.11", plain, "highest", without),
}


def interpreter(version):
    here = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found = [*map(str, here), shutil.which(f"python{version}")]
    usable = next(filter(None, found), None)
    return usable or sys.exit(f"error: no Python {version} here. Install it.")


def output(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    return done.stdout.strip()


def versions(bin):
    "The releases in an environment, of what the record shows"
    listed = output(bin / "pip", "list", "--format=freeze").splitlines()
    pairs = (line.split("==") for line in listed if "==" in line)
    have = {k.lower(): v for k, v in pairs}
    return {k: have.get(k, "") for k in shown}


def install(combination, env, repo):
    "Whether everything could be installed"
    subprocess.run([interpreter(combination.python), "-m", "venv", env], check=True)
    subprocess.run([env / "bin/pip", "install", "-q", "uv"], check=True)
    command = [env / "bin/uv", "pip", "install", "-q", "--python", env / "bin/python"]
    command += ["--resolution", combination.releases, *combination.what.split()]
    return subprocess.run(command, cwd=repo).returncode == 0


def passes(test, env, repo, cache):
    "Whether all notebooks pass"
    path = f"{env / 'bin'}:{os.environ['PATH']}"
    setting = dict(os.environ, PATH=path, XDG_CACHE_HOME=str(cache), TQDM_DISABLE="1")
    for name in ("PYTHONPATH", "OMP_NUM_THREADS"):
        setting.pop(name, None)
    return subprocess.run(test, shell=True, cwd=repo, env=setting).returncode == 0


def try_out(name, work):
    "One row: what was installed, and whether all notebooks passed"
    combination = combinations[name]
    repo = work / "repo"
    env = work / "env"
    subprocess.run(["git", "clone", "-q", root, repo], check=True)
    good = install(combination, env, repo)
    good = good and passes(combination.test, env, repo, work / "cache")
    which = "import platform; print(platform.python_version())"
    return dict(
        combination=name,
        passed="yes" if good else "no",
        python=output(env / "bin/python", "-c", which),
        **versions(env / "bin"),
        commit=output("git", "rev-parse", "--short", "HEAD", cwd=repo),
    )


def read_record():
    if not record.exists():
        return {}
    with record.open(newline="") as f:
        return {row["combination"]: row for row in csv.DictReader(f)}


def write_record(rows):
    columns = ["combination", "passed", "python", *shown, "commit"]
    with record.open("w", newline="") as f:
        table = csv.DictWriter(f, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows[k] for k in combinations if k in rows)


def main(names):
    rows = read_record()
    for name in names:
        print(f"\n== {name}", flush=True)
        with tempfile.TemporaryDirectory() as work:
            rows[name] = try_out(name, Path(work))
        print(rows[name], flush=True)
        write_record(rows)
    return any(rows[name]["passed"] == "no" for name in names)


def check():
    "What the record and the workflow lack, or None"
    rows = read_record()
    workflow = (root / ".github/workflows/test.yml").read_text(encoding="utf-8")
    matrix = json.loads(re.search(r"combination: (\[.*\])", workflow)[1])
    lacking = [
        f"{name}: has not passed"
        for name in combinations
        if rows.get(name, {}).get("passed") != "yes"
    ]
    for name in set(matrix) ^ set(combinations):
        lacking.append(f"{name}: in the matrix of test.yml or here, not in both")
    return "\n".join(lacking) or None


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(check())
    sys.exit(main(sys.argv[1:] or list(combinations)))
