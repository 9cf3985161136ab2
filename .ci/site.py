"""Build the site and walk every page of it in a headless browser: python .ci/site.py [--shots FOLDER]

With Quarto on the PATH, Quarto builds it; else smalldocs does, after `standin.py` did what smalldocs can't. Checked on each page,
on a phone's and a desktop's width, light and dark: links, anchors and images lead somewhere, every image has alt text, no error on
the console, no raw TeX, shortcode or reference left as text, nothing wider than the page, and no page of our own over 1.5 MB.
Needs `pip install -e '.[dev,docs]'`, Chromium or Chrome, and npm's registry for KaTeX.
"""
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import urlretrieve

from playwright.sync_api import sync_playwright

from project import browser_path, repository, root, settings, widths

home = settings['doc_host']+settings['doc_baseurl']
limit = 1_500_000
sources = {}  # where the stand-in renamed a notebook: its name on the site -> its name in the repository
raw = re.compile(r'\{\{<|@(?:fig|eq|tbl|sec)-|\[@\w|:::|\$\$|\\(?:begin|frac|sum|mathrm|hat|tfrac)\b|\]\((?:http|[\w./]+\.(?:ipynb|html))|\?\?')


def build():
    "The folder of the built site"
    shutil.rmtree(root/'_proc', ignore_errors=True)
    if shutil.which('quarto'):
        subprocess.run(['nbdev_docs'], cwd=root, check=True)
        return root/settings['doc_path']
    from nbdev.serve import proc_nbs
    import standin
    proc_nbs()
    sources.update(standin.prepare(root/'_proc'))
    done = subprocess.run(['smalldocs', 'render', '_proc'], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'error: smalldocs failed\n{done.stdout}{done.stderr}')
    return root/'_proc/_site'


def serve(folder):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{server.server_port}/'


def library(name, version, work):
    "A package of npm, unpacked: pages load it from a CDN, the check from here"
    packed, _ = urlretrieve(f'https://registry.npmjs.org/{name}/-/{name}-{version}.tgz', work/f'{name}.tgz')
    shutil.unpack_archive(packed, work/name, filter='data')
    return work/name/'package'


def from_npm(route, work, unpacked):
    "Answer a request to a CDN with the file of the npm package"
    if route.request.url.startswith('https://fonts.googleapis.com/'):
        return route.fulfill(body='', content_type='text/css')  # without a network, the system's fonts
    found = re.fullmatch(r'https://cdn\.jsdelivr\.net/npm/([\w-]+)@([\d.]+)/(.+)', route.request.url)
    if not found:
        return route.abort()
    name, version, path = found.groups()
    if name not in unpacked:
        unpacked[name] = library(name, version, work)
    return route.fulfill(path=unpacked[name]/path)


# what is visible as text, without code and rendered maths
visible_text = '''() => {
  const out = [], walk = document.createTreeWalker(document.querySelector('main') || document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const n = walk.currentNode;
    if (!n.parentElement.closest('script,style,code:not(.sourceCode),pre:not(.sourceCode),.katex,.math,mjx-container,.MathJax,template')) out.push(n.data) }
  return out.join('\\n') }'''
signatures = "() => [...document.querySelectorAll('pre')].map(e => e.innerText).filter(t => t.includes('](http')).map(t => t.slice(t.indexOf('](http')-40, t.indexOf('](http')+40))"
# beside the page's text a picture may be an ornament, which has an empty alt
images = "() => [...document.images].filter(i => !(i.alt.trim() || i.getAttribute('alt') === '' && !i.closest('main')) || (i.complete && !i.naturalWidth)).map(i => i.outerHTML.slice(0, 120))"
too_wide = '''() => { const w = document.documentElement.clientWidth, bad = [];
  const scrolls = e => e && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  if (document.scrollingElement.scrollWidth > w+1) bad.push('the page is '+document.scrollingElement.scrollWidth+' wide');
  for (const e of document.querySelectorAll('main p, main h1, main h2, main h3, main li, main td, main img, main figcaption')) {
    const r = e.getBoundingClientRect();
    if (r.width && r.right > w+1 && !scrolls(e)) bad.push(e.tagName+' '+(e.innerText || e.alt || '').slice(0, 60)) }
  return bad.slice(0, 4) }'''
anchors = "() => [...document.querySelectorAll('[id],a[name]')].map(e => e.id || e.name)"
links = "() => [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"


def check_page(page, path, base):
    "Faults of one page, its anchors and its links"
    faults = []
    page.on('console', lambda m: m.type == 'error' and faults.append(f'console: {m.text}'))
    page.on('pageerror', lambda e: faults.append(f'script: {e}'))
    page.on('requestfailed', lambda r: faults.append(f'not loaded: {r.url}'))
    page.on('response', lambda r: r.status > 399 and faults.append(f'{r.status}: {r.url}'))
    page.goto(base+path, wait_until='networkidle')
    faults += [f'raw text: {m.string[max(0, m.start()-30):m.end()+40]!r}' for m in raw.finditer(page.evaluate(visible_text))]
    faults += [f'Markdown in a signature: {s!r}' for s in page.evaluate(signatures)]
    for image in page.evaluate("() => { document.querySelectorAll('details').forEach(d => d.open = true); return 0 }") or page.evaluate(images):
        faults.append(f'image without alt text or not loaded: {image}')
    for width in widths:
        page.set_viewport_size(dict(width=width, height=900))
        faults += [f'at {width} px: {w}' for w in page.evaluate(too_wide)]
    return faults, set(page.evaluate(anchors)), page.evaluate(links)


def check_links(pages, folder, base):
    "Links inside the site that lead nowhere, those by the site's public address too; links into the repository whose file isn't there"
    for path, (_, _, hrefs) in pages.items():
        for href in hrefs:
            url, anchor = urldefrag(urljoin(base+path, href.replace(home+'/', base).replace(home, base)))
            if url.startswith(f'{repository}/') and (found := re.search(r'/(?:blob|tree|edit)/\w+/(.+)', url)):
                name = Path(unquote(found[1]))
                if name.suffix == '.ipynb':
                    name = name.with_stem(sources.get(name.stem, name.stem))
                if not (root/name).exists():
                    yield path, f'no such file in the repository: {href}'
            elif url.startswith(base):
                target = unquote(urlsplit(url).path).lstrip('/') or 'index.html'
                if not (folder/target).exists():
                    yield path, f'broken link: {href}'
                elif anchor and '=' not in anchor and target in pages and unquote(anchor) not in pages[target][1]:
                    yield path, f'no such anchor: {href}'


def shoot(opened, base, pages, folder):
    "Pictures of all pages: phone and desktop, light and dark"
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ('light', 'dark'):
        for width in (380, 1280):
            page = opened(viewport=dict(width=width, height=900), color_scheme=scheme).new_page()
            for path in pages:
                page.goto(base+path, wait_until='networkidle')
                page.screenshot(path=folder/f'{path[:-5].replace("/", "_")}-{width}-{scheme}.png', full_page=True)
            page.close()


def walk(folder, shots=None):
    base = serve(folder)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path(), args=['--no-sandbox'])
        unpacked, pages = {}, {}

        def opened(**kwargs):
            context = browser.new_context(**kwargs)
            context.route(lambda url: not url.startswith(base), lambda route: from_npm(route, Path(work), unpacked))
            return context
        context = opened()
        for path in sorted(str(f.relative_to(folder)) for f in folder.rglob('*.html') if 'site_libs' not in f.parts):
            page = context.new_page()
            pages[path] = check_page(page, path, base)
            page.close()
            if (size := (folder/path).stat().st_size) > limit:
                pages[path][0].append(f'{size/1e6:.2f} MB, over {limit/1e6} MB')
        for path, fault in check_links(pages, folder, base):
            pages[path][0].append(fault)
        if shots:
            shoot(opened, base, pages, Path(shots))
        browser.close()
    return {path: list(dict.fromkeys(faults)) for path, (faults, _, _) in pages.items()}


if __name__ == '__main__':
    faults = walk(build(), sys.argv[2] if sys.argv[1:2] == ['--shots'] else None)
    for path, found in faults.items():
        print(f'{path}: '+('as it should be' if not found else f'{len(found)} faults'), *found, sep='\n    ')
    sys.exit(any(faults.values()))
