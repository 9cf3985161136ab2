"""Run notebooks as tests without nbdev, which needs fastcore 1: python .ci/plain.py nbs/*.ipynb

Each runs in a kernel of its own, without the cells under a flag of `tst_flags` in settings.ini. Needs nbclient and ipykernel.
"""
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from project import root, settings

flags = set(settings['tst_flags'].split())
stub = {'__init__.py': 'def nbdev_export(): pass\n', 'showdoc.py': 'def show_doc(*args, **kwargs): pass\n'}  # what the notebooks use of nbdev


def run(path):
    "The error of a notebook, or None"
    nb = nbformat.read(path, as_version=4)
    nb.cells = [c for c in nb.cells if not set(re.findall(r'^#\|\s*(\w+)\s*$', c.source, re.M)) & flags]
    try:
        NotebookClient(nb, timeout=1200, resources=dict(metadata=dict(path=str(root/'nbs')))).execute()
    except CellExecutionError as e:
        return f'{path}: {e}'


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, text in stub.items():
            (Path(folder)/'nbdev').mkdir(exist_ok=True)
            (Path(folder)/'nbdev'/name).write_text(text)
        os.environ['PYTHONPATH'] = folder
        failed = [e for e in pool.map(run, sys.argv[1:]) if e]
    print('\n'.join(failed) or f'{len(sys.argv)-1} notebooks passed')
    sys.exit(bool(failed))
