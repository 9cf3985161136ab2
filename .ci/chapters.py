"""Give each chapter its line under the title, Colab and reading time, and the cell that prepares Colab; with --check, only say what is stale.

Reading time: 200 words of prose a minute, 20 lines of code a minute.
"""
import json
import re
import sys

from project import repository, root

colab = repository.replace('github.com', 'colab.research.google.com/github')
prepare = f'''#| hide
! [ -e /content ] && git clone -q {repository} /content/it && cp -r /content/it/nbs/. . && pip install -q '/content/it[dev,peers]'
'''.strip()


def minutes(cells):
    "Of reading, without what the site hides"
    sources = [(c['cell_type'], ''.join(c['source'])) for c in cells]
    prose = [s for kind, s in sources if kind == 'markdown']
    prose += [''.join(o['data']['text/markdown']) for c in cells for o in c.get('outputs', ()) if 'text/markdown' in o.get('data', {})]
    words = sum(len(s.split()) for s in prose)
    lines = sum(bool(o.strip()) for kind, s in sources if kind == 'code' and '#| hide' not in s for o in s.splitlines())
    return round(words/200+lines/20)


def cell(kind, text, cell_id):
    code = dict(execution_count=None, outputs=[]) if kind == 'code' else {}
    return dict(cell_type=kind, id=cell_id, metadata={}, source=text.splitlines(True), **code)


def render(path):
    "The notebook's text with both cells after its title"
    book = json.loads(path.read_text(encoding='utf-8'))
    title, *others = [c for c in book['cells'] if not re.fullmatch('c01ab00[12]', c['id'])]
    line = f'[Open in Colab]({colab}/blob/main/nbs/{path.name}) · about {minutes(others)} minutes to read'
    book['cells'] = [title, cell('markdown', line, 'c01ab001'), cell('code', prepare, 'c01ab002'), *others]
    return json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True)+'\n'


stale = {p: text for p in sorted(root.glob('nbs/[0-9]*.ipynb')) if (text := render(p)) != p.read_text(encoding='utf-8')}
if '--check' in sys.argv:
    if stale:
        sys.exit(f'{", ".join(p.name for p in stale)}: the line under the title is stale. Run python .ci/chapters.py and commit.')
else:
    for p, text in stale.items():
        p.write_text(text, encoding='utf-8')
