"""Make README.md from nbs/index.ipynb; needs no Quarto. With --check, only say whether it is current.

Markdown cells go over as they are, with links to notebooks made absolute, since the page stands on PyPI too; of code
cells, the pictures in their outputs, which are written to nbs/images.
"""
import base64
import json
import re
import sys

from project import repository, root

cells = json.loads((root/'nbs/index.ipynb').read_text(encoding='utf-8'))['cells']
header = '<!-- Made from nbs/index.ipynb by .ci/readme.py: edit that notebook. -->\n\n'


def picture(data, source, n, files):
    "The Markdown of a PNG output of a cell, whose bytes are added to `files`"
    path = f'nbs/images/index_{n}.png'
    files[root/path] = base64.b64decode(''.join(data['image/png']))
    alt = re.search(r'#\| fig-alt: "(.+)"', source)[1]
    return f'![{alt}]({repository}/raw/main/{path})'


def render():
    "README.md and its pictures: path -> bytes"
    parts, files = [], {}
    for c in cells:
        if c['cell_type'] == 'markdown':
            text = re.sub(r'\]\((\d\d_\w+\.ipynb)\)', rf']({repository}/blob/main/nbs/\1)', ''.join(c['source']).strip())
            parts.append(re.sub(r'\]\((images/\w+\.png)\)', rf']({repository}/raw/main/nbs/\1)', text))
        for o in c.get('outputs', ()):
            if 'image/png' in o.get('data', {}):
                parts.append(picture(o['data'], ''.join(c['source']), len(files), files))
    files[root/'README.md'] = (header+'\n\n'.join(parts)+'\n').encode()
    return files


files = render()
if '--check' in sys.argv:
    stale = [str(p.relative_to(root)) for p, b in files.items() if not p.exists() or p.read_bytes() != b]
    if stale:
        sys.exit(f'{", ".join(stale)}: not what nbs/index.ipynb says. Run python .ci/readme.py and commit.')
else:
    for p, b in files.items():
        p.parent.mkdir(exist_ok=True)
        p.write_bytes(b)
