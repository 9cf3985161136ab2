"""What Quarto does and smalldocs doesn't, on nbdev's processed notebooks, so that the site can be checked without Quarto.

The pages take the names that nbdev gives them; figures and equations get their numbers, references to them and
citations become links, and the bibliography its list. A reference that leads nowhere is an error.
"""
import json
import re
from pathlib import Path

import bibtexparser
import yaml

kinds = {'fig': 'Figure', 'eq': 'Equation', 'tbl': 'Table'}
# not in code: fenced blocks and backticks are left alone
code = re.compile(r'(```.*?```|~~~.*?~~~|`[^`\n]+`)', re.S)


def outside_code(text, change):
    return ''.join(part if i % 2 else change(part) for i, part in enumerate(code.split(text)))


def page_name(nb):
    found = re.search(r'^output-file: *(.+)\.html$', ''.join(nb['cells'][0]['source']), re.M)
    return found[1] if found else None


def labels(nb):
    "label -> its number, for the figures and equations of a page, in order"
    found = {}
    for cell in nb['cells']:
        text = ''.join(cell['source'])
        pattern = r'^#\| label: *((?:fig|tbl)-[\w-]+)' if cell['cell_type'] == 'code' else r'\{#((?:eq|fig|tbl)-[\w-]+)'
        for label in re.findall(pattern, text, re.M):
            if label in found:
                raise SystemExit(f'error: the label {label} is used twice')
            found[label] = 1+sum(k.startswith(label.split('-')[0]+'-') for k in found)
    return found


def author_year(entry):
    names = [n.split(',')[0].strip('{} ') if ',' in n else n.split()[-1].strip('{}') for n in re.split(r'\s+and\s+', entry['author'])]
    who = names[0] if len(names) == 1 else ' and '.join(names) if len(names) == 2 else f'{names[0]} et al.'
    return who, entry.get('year', 'n.d.')


def cite(text, works, used):
    "`[@a; @b]` and `@a` as text with links"
    def one(key, inside):
        if key not in works:
            raise SystemExit(f'error: the work @{key} is not in references.bib')
        used.add(key)
        who, year = author_year(works[key])
        return f'[{who} {year}](#ref-{key})' if inside else f'[{who} ({year})](#ref-{key})'

    def group(m):
        return '('+re.sub(r'@([\w:.-]*\w)', lambda k: one(k[1], True), m[1])+')'
    text = re.sub(r'\[((?:[^\]\[]*)@[\w:.-]+[^\]\[]*)\](?!\()', group, text)
    return re.sub(r'(?<![\w`@/.])@([a-z]+\d{4}\w+)', lambda m: one(m[1], False), text)


def references(works, used):
    clean = {k: {f: re.sub(r'[{}]', '', v) for f, v in works[k].items()} for k in sorted(used)}
    lines = [f'[]{{#ref-{k}}}{w["author"].replace(" and ", ", ")}, *{w["title"]}*, {w.get("booktitle") or w.get("journal") or w.get("eprint") or ""} {w.get("year", "n.d.")}.'
             for k, w in clean.items()]
    return '\n\n'.join(lines)


def number(nb, works):
    "Numbers, references and citations of one page"
    here, used = labels(nb), set()

    def refer(m):
        if m[1] not in here:
            raise SystemExit(f'error: @{m[1]} has no label on its page')
        return f'[{kinds[m[2]]} {here[m[1]]}](#{m[1]})'

    def change(text):
        text = re.sub(r'(?<![\w`])@((fig|eq|tbl)-[\w-]*\w)', refer, text)
        return cite(text, works, used)

    for cell in nb['cells']:
        text = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown':
            # an equation's number stands in it, its anchor before it
            text = re.sub(r'\$\$\s*((?:(?!\$\$).)+?)\s*\$\$ \{#(eq-[\w-]+)\}', lambda m: f'[]{{#{m[2]}}}\n\n$$ {m[1]} \\tag{{{here[m[2]]}}} $$', text, flags=re.S)
            cell['source'] = outside_code(text, change)
        elif cell['cell_type'] == 'code' and (label := re.search(r'^#\| label: *(fig-[\w-]+)', text, re.M)):
            text = re.sub(r'^(#\| fig-cap: *")', rf'\1Figure {here[label[1]]}: ', text, flags=re.M)
            text = re.sub(r"^(#\| fig-cap: *')", rf"\1Figure {here[label[1]]}: ", text, flags=re.M)
            caption = re.search(r'^#\| fig-cap: .*$', text, re.M)
            cell['source'] = text.replace(caption[0], outside_code(caption[0], change)) if caption else text
            nb['cells'][nb['cells'].index(cell)] = cell
    for i, cell in reversed(list(enumerate(nb['cells']))):
        text = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown' and '::: {#refs}' in text:
            cell['source'] = re.sub(r'::: \{#refs\}\s*:::', lambda _: references(works, used), text)
        elif cell['cell_type'] == 'code' and (label := re.search(r'^#\| label: *(fig-[\w-]+)', text, re.M)):
            nb['cells'].insert(i, dict(cell_type='markdown', id=f'at-{label[1]}'[:64], metadata={}, source=f'[]{{#{label[1]}}}'))
    if used and not any('id="ref-' in s or '{#ref-' in s for s in map(lambda c: ''.join(c['source']), nb['cells'])):
        raise SystemExit(f'error: {page_name(nb)} cites works and has no list of references (::: {{#refs}})')


def prepare(
    folder  # nbdev's `_proc`
):
    "Rewrite the folder in place; gives the pages' names: on the site -> in the repository"
    folder = Path(folder)
    bib = folder/'references.bib'
    works = bibtexparser.loads(bib.read_text(encoding='utf-8')).entries_dict if bib.exists() else {}
    notebooks = {p: json.loads(p.read_text(encoding='utf-8')) for p in folder.glob('*.ipynb')}
    names = {p.stem: page_name(nb) or p.stem for p, nb in notebooks.items()}
    for path, nb in notebooks.items():
        number(nb, works)
        text = json.dumps(nb)
        for old, new in names.items():
            text = re.sub(rf'\({old}\.ipynb([)#])', rf'({new}.ipynb\1', text)
        path.unlink()
        (folder/f'{names[path.stem]}.ipynb').write_text(text, encoding='utf-8')
    config = yaml.safe_load((folder.parent/'_quarto.yml').read_text(encoding='utf-8'))
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    for old, new in names.items():
        text = re.sub(rf'\b{old}\.ipynb', f'{new}.ipynb', text)
    (folder/'_quarto.yml').write_text(text, encoding='utf-8')
    return {new: old for old, new in names.items()}
