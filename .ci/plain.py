"""Run notebooks as tests without nbdev: python .ci/plain.py nbs/*.ipynb

nbdev needs fastcore 1; this shows that the package works with fastcore 2. Each notebook
runs in a kernel of its own, without the cells under a flag of `tst_flags` in
settings.ini. Needs nbclient and ipykernel.
"""

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from project import root, settings

flags = set(settings["tst_flags"].split())
stand_ins = {  # what the notebooks use of nbdev
    "__init__.py": "def nbdev_export(): pass\n",
    "showdoc.py": "def show_doc(*args, **kwargs): pass\n",
}


class OwnClient(NotebookClient):
    "A notebook in a kernel of this Python, whatever kernels a user has installed"

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])
        return manager


def is_flagged(cell):
    "Whether a cell stands under a flag that a test run leaves out"
    return bool(set(re.findall(r"^#\|\s*(\w+)\s*$", cell.source, re.M)) & flags)


def run(path):
    "The error of a notebook, or None"
    nb = nbformat.read(path, as_version=4)
    nb.cells = [c for c in nb.cells if not is_flagged(c)]
    where = dict(metadata=dict(path=str(root / "nbs")))
    try:
        OwnClient(nb, timeout=1200, resources=where).execute()
    except CellExecutionError as e:
        return f"{path}: {e}"
    return None


def main(paths):
    with tempfile.TemporaryDirectory() as folder:
        nbdev = Path(folder) / "nbdev"
        nbdev.mkdir()
        for name, text in stand_ins.items():
            (nbdev / name).write_text(text)
        os.environ["PYTHONPATH"] = folder
        os.environ["IN_TEST"] = "1"  # as nbdev has it
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            failed = [e for e in pool.map(run, paths) if e]
    print("\n".join(failed) or f"{len(paths)} notebooks passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
