"""Run notebooks as tests without nbdev, which needs fastcore 1: python .ci/plain.py nbs/*.ipynb

Every code cell runs in order, but for those under a flag of `tst_flags` in settings.ini.
"""
import json
import os
import re
import sys
import types
from concurrent.futures import ProcessPoolExecutor
from configparser import ConfigParser
from pathlib import Path
from unittest.mock import MagicMock

root = Path(__file__).resolve().parent.parent


def flags():
    config = ConfigParser(delimiters=['='])
    config.read(root/'settings.ini', encoding='utf-8')
    return set(config['DEFAULT']['tst_flags'].split())


def run(path):
    "The notebook's name and its error, or None"
    from IPython.core.interactiveshell import InteractiveShell
    for name in ('nbdev', 'nbdev.showdoc'):
        sys.modules[name] = MagicMock(spec=types.ModuleType, show_doc=lambda *_: None, nbdev_export=lambda: None)
    os.chdir(root/'nbs')
    skip, shell = flags(), InteractiveShell()
    for cell in json.loads(Path(path).read_text(encoding='utf-8'))['cells']:
        source = ''.join(cell['source'])
        marked = set(re.findall(r'^#\|\s*(\w+)\s*$', source, re.M))
        if cell['cell_type'] != 'code' or marked & skip:
            continue
        result = shell.run_cell(source)
        if not result.success:
            return Path(path).name, repr(result.error_in_exec or result.error_before_exec)
    return Path(path).name, None


if __name__ == '__main__':
    paths = [str(Path(p).resolve()) for p in sys.argv[1:]]
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as pool:
        failed = [f'{name}: {error}' for name, error in pool.map(run, paths) if error]
    print('\n'.join(failed) or f'{len(paths)} notebooks passed')
    sys.exit(bool(failed))
