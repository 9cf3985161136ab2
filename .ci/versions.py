"""Install what settings.ini claims to support, each for real, and run the notebooks as tests: python .ci/versions.py [NAME …]

Writes .ci/versions.csv, a row a combination; --check only says whether each has passed, and is in the workflow's matrix.
The newest releases on Python 3.11 are not among them: .ci/run tests those, and more. Each takes a fresh environment of
about 6 GB, which is removed, and some minutes. Interpreters are looked for under ~/.pyenv/versions, and as python3.X on
the PATH.
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

from project import root

shown = 'torch torchvision albumentations fastcore numpy opencv-python matplotlib safetensors pillow'.split()


# name -> (Python, what to install, which releases of what is named there, how to test)
with_nbdev = 'OMP_NUM_THREADS=1 nbdev_test'
without = 'OMP_NUM_THREADS=1 python .ci/plain.py nbs/[0-9]*.ipynb'
combinations = {
    **{f'newest, Python {v}': (v, '.[dev]', 'highest', with_nbdev) for v in ('3.10', '3.12', '3.13')},
    'oldest': ('3.10', '.[dev]', 'lowest-direct', with_nbdev),
    'fastcore 2': ('3.11', '. fastcore>=2 nbclient ipykernel', 'highest', without),
}


def interpreter(version):
    found = [*sorted(Path.home().glob(f'.pyenv/versions/{version}.*/bin/python')), shutil.which(f'python{version}')]
    return next((str(p) for p in found if p), None) or sys.exit(f'error: no Python {version} here. Install it, for example by pyenv.')


def versions(bin):
    listed = subprocess.run([bin/'pip', 'list', '--format=freeze'], capture_output=True, text=True, check=True).stdout
    have = {k.lower(): v for k, v in (line.split('==') for line in listed.splitlines() if '==' in line)}
    return {k: have.get(k, '') for k in shown}


def try_out(name, work):
    "One row: what was installed, and whether all notebooks passed"
    version, what, releases, test = combinations[name]
    repo, env = work/'repo', work/'env'
    subprocess.run(['git', 'clone', '-q', root, repo], check=True)
    commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], cwd=repo, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([interpreter(version), '-m', 'venv', env], check=True)
    bin = env/'bin'
    subprocess.run([bin/'pip', 'install', '-q', 'uv'], check=True)
    installed = subprocess.run([bin/'uv', 'pip', 'install', '-q', '--python', bin/'python', '--resolution', releases, *what.split()], cwd=repo)
    setting = dict(os.environ, PATH=f'{bin}:{os.environ["PATH"]}', XDG_CACHE_HOME=str(work/'cache'), TQDM_DISABLE='1')
    setting.pop('PYTHONPATH', None)
    code = installed.returncode or subprocess.run(test, shell=True, cwd=repo, env=setting).returncode
    python = subprocess.run([bin/'python', '-c', 'import platform; print(platform.python_version())'], capture_output=True, text=True).stdout.strip()
    return dict(combination=name, passed='no' if code else 'yes', python=python, **versions(bin), commit=commit)


def main(names):
    path = root/'.ci/versions.csv'
    rows = {r['combination']: r for r in csv.DictReader(path.open(newline=''))} if path.exists() else {}
    for name in names or combinations:
        print(f'\n== {name}', flush=True)
        with tempfile.TemporaryDirectory() as work:
            rows[name] = try_out(name, Path(work))
        print(rows[name], flush=True)
        with path.open('w', newline='') as f:
            table = csv.DictWriter(f, rows[name], lineterminator='\n')
            table.writeheader()
            table.writerows(rows[k] for k in combinations if k in rows)
    return any(rows[k]['passed'] == 'no' for k in names or combinations)


def check():
    "What the record and the workflow lack"
    rows = {r['combination']: r for r in csv.DictReader((root/'.ci/versions.csv').open(newline=''))}
    workflow = (root/'.github/workflows/test.yml').read_text(encoding='utf-8')
    matrix = json.loads(re.search(r'combination: (\[.*\])', workflow)[1])
    lacking = [f'{k}: has not passed' for k in combinations if rows.get(k, {}).get('passed') != 'yes']
    return '\n'.join(lacking+[f'{k}: in the matrix of test.yml or here, not in both' for k in set(matrix) ^ set(combinations)])


if __name__ == '__main__':
    sys.exit(check() or 0 if sys.argv[1:] == ['--check'] else main(sys.argv[1:]))
