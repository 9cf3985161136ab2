"""Build the site and walk every page of it: python .ci/site.py [--shots FOLDER]

With Quarto on the PATH, Quarto builds it; else smalldocs does, after `standin.py` did
what smalldocs can't. Checked on each page (`page.js`), from a phone's width to a
desktop's: links, anchors and images lead somewhere, every image has alt text, no error
on the console, no raw TeX, shortcode or reference left as text, nothing wider than the
page, and no page of our own over 1.5 MB. --shots keeps pictures of all pages.
Needs `pip install -e '.[dev,docs]'`, Chromium or Chrome, and npm for KaTeX.
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

from playwright.sync_api import sync_playwright
from project import browser_path, repository, root, settings, widths

home = settings["doc_host"] + settings["doc_baseurl"]
limit = 1_500_000
sources = {}  # where the stand-in renamed a notebook: name on the site -> in nbs
raw = re.compile(
    r"\{\{<|@(?:fig|eq|tbl|sec)-|\[@\w|:::|\$\$|\?\?"
    r"|\\(?:begin|frac|sum|mathrm|hat|tfrac)\b"
    r"|\]\((?:http|[\w./]+\.(?:ipynb|html))"
)


def build():
    "The folder of the built site"
    shutil.rmtree(root / "_proc", ignore_errors=True)
    if shutil.which("quarto"):
        subprocess.run(["nbdev_docs"], cwd=root, check=True)
        return root / settings["doc_path"]
    import standin
    from nbdev.serve import proc_nbs

    proc_nbs()
    sources.update(standin.prepare(root / "_proc"))
    command = ["smalldocs", "render", "_proc"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: smalldocs failed\n{done.stdout}{done.stderr}")
    return root / "_proc/_site"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(folder):
    "The address at which a folder is served"
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def library(name, version, work):
    "A package of npm, unpacked: pages load it from a CDN, the check from here"
    command = ["npm", "pack", "--silent", f"{name}@{version}"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
    packed = work / done.stdout.split()[-1]
    shutil.unpack_archive(packed, work / name, filter="data")
    return work / name / "package"


def from_npm(route, work, unpacked):
    "Answer a request to a CDN with the file of the npm package"
    url = urlsplit(route.request.url)
    if url.hostname == "fonts.googleapis.com":  # without a network, the system's fonts
        return route.fulfill(body="", content_type="text/css")
    found = re.fullmatch(r"/npm/([\w-]+)@([\d.]+)/(.+)", url.path)
    if not found:
        return route.abort()
    name, version, path = found.groups()
    if name not in unpacked:
        unpacked[name] = library(name, version, work)
    return route.fulfill(path=unpacked[name] / path)


def listen(page, faults):
    "Add what goes wrong while a page is loaded"
    page.on("pageerror", lambda e: faults.append(f"script: {e}"))
    page.on("requestfailed", lambda r: faults.append(f"not loaded: {r.url}"))

    def on_console(m):
        if m.type == "error":
            faults.append(f"console: {m.text}")

    def on_response(r):
        if r.status > 399:
            faults.append(f"{r.status}: {r.url}")

    page.on("console", on_console)
    page.on("response", on_response)


def check_page(page, path, base):
    "Faults of one page, its anchors and its links"
    faults = []
    listen(page, faults)
    page.add_init_script(path=root / ".ci/page.js")
    page.goto(base + path, wait_until="networkidle")

    def ask(name):
        return page.evaluate(f"() => checks.{name}()")

    for m in raw.finditer(ask("visibleText")):
        around = m.string[max(0, m.start() - 30) : m.end() + 40]
        faults.append(f"raw text: {around!r}")
    faults += [f"Markdown in a signature: {s!r}" for s in ask("rawSignatures")]
    faults += [f"image broken or without alt text: {i}" for i in ask("badImages")]
    for width in widths:
        page.set_viewport_size(dict(width=width, height=900))
        faults += [f"at {width} px: {w}" for w in ask("tooWide")]
    return faults, set(ask("anchors")), ask("links")


def in_repository(url):
    "The file that a link into the repository means, or None"
    found = re.search(r"/(?:blob|tree|edit)/\w+/(.+)", url)
    if not url.startswith(f"{repository}/") or not found:
        return None
    name = Path(unquote(found[1]))
    if name.suffix == ".ipynb":
        name = name.with_stem(sources.get(name.stem, name.stem))
    return root / name


def check_link(href, path, pages, folder, base):
    "What is wrong with a link, or None"
    local = href.replace(home + "/", base).replace(home, base)
    url, anchor = urldefrag(urljoin(base + path, local))
    file = in_repository(url)
    if file and not file.exists():
        return f"no such file in the repository: {href}"
    if file or not url.startswith(base):
        return None
    target = unquote(urlsplit(url).path).lstrip("/") or "index.html"
    if not (folder / target).exists():
        return f"broken link: {href}"
    if not anchor or "=" in anchor or target not in pages:
        return None
    _, anchors, _ = pages[target]
    return None if unquote(anchor) in anchors else f"no such anchor: {href}"


def shoot(opened, base, pages, folder):
    "Pictures of all pages: phone and desktop, light and dark"
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for width in (390, 1280):
            size = dict(width=width, height=900)
            page = opened(viewport=size, color_scheme=scheme).new_page()
            for path in pages:
                page.goto(base + path, wait_until="networkidle")
                name = path[:-5].replace("/", "_")
                shot = folder / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=shot, full_page=True)
            page.close()


def html_files(folder):
    "The pages of the site, as paths inside it"
    found = sorted(folder.rglob("*.html"))
    return [str(f.relative_to(folder)) for f in found if "site_libs" not in f.parts]


def add_faults(pages, folder, base):
    "What shows only when all pages are known: sizes, and links between them"
    for path, (faults, _, hrefs) in pages.items():
        size = (folder / path).stat().st_size
        if size > limit:
            faults.append(f"{size / 1e6:.2f} MB, over {limit / 1e6} MB")
        found = (check_link(href, path, pages, folder, base) for href in hrefs)
        faults += [f for f in found if f]


def walk(folder, shots=None):
    "Faults by page"
    base = serve(folder)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"]
        )
        unpacked = {}

        def opened(**options):
            context = browser.new_context(**options)
            context.route(
                lambda url: not url.startswith(base),
                lambda route: from_npm(route, Path(work), unpacked),
            )
            return context

        context = opened()
        pages = {}
        for path in html_files(folder):
            page = context.new_page()
            pages[path] = check_page(page, path, base)
            page.close()
        if shots:
            shoot(opened, base, pages, Path(shots))
        browser.close()
    add_faults(pages, folder, base)
    return {path: list(dict.fromkeys(faults)) for path, (faults, _, _) in pages.items()}


def main():
    shots = sys.argv[2] if sys.argv[1:2] == ["--shots"] else None
    all_faults = walk(build(), shots)
    for path, faults in all_faults.items():
        verdict = f"{len(faults)} faults" if faults else "as it should be"
        print(f"{path}: {verdict}", *faults, sep="\n    ")
    sys.exit(any(all_faults.values()))


if __name__ == "__main__":
    main()
