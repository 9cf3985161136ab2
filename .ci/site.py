"""Build the site and walk its pages: python .ci/site.py [--shots FOLDER] [PAGE …]

nbdev_docs builds it, with Quarto where that is on the PATH, else with `standin.py`, and
must leave `git status` as it was. Checked on each page, light and dark, from a phone's
width to a desktop's (`page.js`):

- links, anchors and images lead somewhere; images have alt text; the console is empty;
- no heading stands over nothing;
- no raw TeX, shortcode or reference is left as text; formulas are drawn;
- no image is cut off, squeezed or smaller than there is room for, no line runs off its
  block, nothing is wider than the page but what `page.js` names;
- the letters of a figure are 9 px high and more, on a phone too, where it scrolls and
  says so (`figures.py` knows the letters and names the figures without);
- text has a contrast of 4.5:1; a reader who prefers dark gets a dark page;
- nothing is asked of another host but the themes' fonts;
- title and sidebar give the chapter's number, "next" leads through all pages, the
  contents are there on a phone, and the picture that a link shows is the site's;
- no page of our own is over 1.5 MB, and the search knows no TeX.

First, each of these measures has to find its fault on a page broken on purpose. PAGE
is a file of the site, such as show.html; without it, all are walked. --shots keeps
pictures of them. Needs `pip install -e '.[dev,docs]'`, and Chromium or Chrome.
"""

import argparse
import base64
import json
import os
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

from figures import digest, least, letters
from playwright.sync_api import sync_playwright
from project import browser_path, repository, root, settings, widths
from search import formula, without_formulas

home = settings["doc_host"] + settings["doc_baseurl"]
limit = 1_500_000
fonts = {
    "fonts.googleapis.com",
    "fonts.gstatic.com",
}  # of the themes; else the system's
frameless = {"explore.html", "try.html"}  # made by `explorer` and `lab`
shared = f"{home}/images/social.png"
raw = re.compile(
    r"\{\{<|@(?:fig|eq|tbl|sec)-|\[@\w|:::|\$\$|\?\?"
    r"|\\(?:begin|frac|sum|mathrm|hat|tfrac)\b"
    r"|\]\((?:#|http|[\w./]+\.(?:ipynb|html))"
)


# ---- the site


def status():
    "What git sees changed, a line per file"
    command = ["git", "status", "--porcelain"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return set(done.stdout.splitlines())


def with_quarto(folder):
    "The environment, with the stand-in as `quarto` where there is none"
    if shutil.which("quarto"):
        return os.environ
    quarto = folder / "quarto"
    script = Path(__file__).with_name("standin.py")
    quarto.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    quarto.chmod(0o755)
    return dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")


def build():
    "The folder of the built site"
    shutil.rmtree(root / "_proc", ignore_errors=True)
    before = status()
    with tempfile.TemporaryDirectory() as folder:
        env = with_quarto(Path(folder))
        subprocess.run(["nbdev_docs"], cwd=root, env=env, check=True)
    changed = sorted(status() - before)
    if changed:
        sys.exit("\n".join(["error: nbdev_docs changed the repository:", *changed]))
    return root / settings["doc_path"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(folder):
    "The address at which a folder is served"
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def html_files(folder):
    "The pages of the site, as paths inside it"
    found = sorted(folder.rglob("*.html"))
    return [str(f.relative_to(folder)) for f in found if "site_libs" not in f.parts]


def chapter_number(path):
    "The number of the notebook that a page is made from, or None"
    found = list(root.glob(f"nbs/[0-9][0-9]_{Path(path).stem}.ipynb"))
    return int(found[0].name[:2]) if found else None


# ---- one page


def answer_others(route):
    "What another host gets to hear: fonts are left out, all else fails"
    if urlsplit(route.request.url).hostname in fonts:
        return route.fulfill(body="", content_type="text/css")
    return route.abort()


def listen(page, base, faults):
    "Add what goes wrong while a page is loaded"

    def on_request(r):
        url = urlsplit(r.url)
        inside = r.url.startswith(base) or url.scheme in ("data", "blob")
        if not inside and url.hostname not in fonts:
            faults.append(f"asks another host: {r.url[:100]}")

    def on_console(m):
        if m.type == "error":
            faults.append(f"console: {m.text}")

    def on_response(r):
        if r.status > 399:
            faults.append(f"{r.status}: {r.url}")

    page.on("request", on_request)
    page.on("pageerror", lambda e: faults.append(f"script: {e}"))
    page.on("console", on_console)
    page.on("response", on_response)


def raw_text(text):
    for m in raw.finditer(text):
        around = text[max(0, m.start() - 30) : m.end() + 40]
        yield f"raw text: {around!r}"


def frame_faults(path, frame):
    "What the page's frame lacks: number, parts, logo, picture to share"
    number = chapter_number(path)
    if number is not None:
        for where in ("title", "entry"):
            if not (frame[where] or "").startswith(f"{number} · "):
                yield f"no chapter number in {where}: {frame[where]!r}"
    if frame["parts"] != ["The path", "The workshop"]:
        yield f"the sidebar's parts are {frame['parts']}"
    if not frame["logo"] or frame["logo"] > 60:
        yield f"the logo is {frame['logo']} px high"
    if frame["shared"] != [shared, shared]:
        yield f"shares {str(frame['shared'])[:100]}"


def file_at(address, base, folder):
    "The bytes of an image of a page"
    if address.startswith("data:image/png;base64,"):
        return base64.b64decode(address.partition(",")[2])
    path = unquote(urlsplit(address).path).lstrip("/")
    return (folder / path).read_bytes() if address.startswith(base) else b""


class Reader:
    "Opens pages of the site and measures them"

    def __init__(self, browser, base, folder):
        self.base = base
        self.folder = folder
        self.letters = letters()
        self.contexts = {}
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme)
            context.route(lambda url: not url.startswith(base), answer_others)
            context.add_init_script(path=root / ".ci/page.js")
            self.contexts[scheme] = context

    def open(self, path, scheme, faults):
        page = self.contexts[scheme].new_page()
        listen(page, self.base, faults)
        page.goto(self.base + path, wait_until="networkidle")
        return page

    def check(self, path, change=None):
        "Faults of a page, its anchors, its links and the next page's address"
        faults = []
        page = self.open(path, "light", faults)
        if change:
            page.evaluate(change)
            page.wait_for_timeout(200)
        faults += self.content(page)
        faults += self.widths(page)
        frame = page.evaluate("() => checks.frame()")
        if path not in frameless:
            faults += frame_faults(path, frame)
        found = [page.evaluate(f"() => checks.{n}()") for n in ("anchors", "links")]
        page.close()
        faults += self.dark(path, change)
        return dict(
            faults=faults, anchors=set(found[0]), links=found[1], next=frame["next"]
        )

    def content(self, page):
        "What doesn't depend on the window"

        def ask(name):
            return page.evaluate(f"() => checks.{name}()")

        ask("openDetails")
        faults = list(raw_text(ask("visibleText")))
        faults += [f"raw signature: {s!r}" for s in ask("rawSignatures")]
        faults += [f"formula not drawn: {s!r}" for s in ask("rawFormulas")]
        faults += [f"image broken or without alt text: {i}" for i in ask("badImages")]
        faults += [f"nothing under the heading: {h}" for h in ask("emptySections")]
        return faults + [f"light, faint: {t}" for t in ask("faintText")]

    def widths(self, page):
        "What does"
        faults = []
        for width in widths:
            page.set_viewport_size(dict(width=width, height=900))
            for name in ("tooWide", "badSizes", "longLines"):
                found = page.evaluate(f"() => checks.{name}()")
                faults += [f"at {width} px, {name}: {f}" for f in found]
            if width < 992 and not page.evaluate("() => checks.contents()"):
                faults.append(f"at {width} px, no table of contents")
            if width in (390, 1280):
                found = page.evaluate("() => checks.smallFigures()")
                faults += [f"at {width} px, figure of {f}" for f in found]
                faults += [f"at {width} px, {f}" for f in self.small_letters(page)]
            found = page.evaluate("() => checks.wrongHints()")
            faults += [f"at {width} px, a wrong hint to scroll: {f}" for f in found]
        return faults

    def small_letters(self, page):
        "Figures whose letters can't be read"
        for figure in page.evaluate("() => checks.figureWidths()"):
            name = digest(file_at(figure["address"], self.base, self.folder))
            high = self.letters.get(name, 1) * figure["width"]
            if high and round(high, 1) < least:
                yield f"letters of {high:.1f} px: {figure['alt']}"

    def dark(self, path, change):
        "What a reader sees who prefers dark pages"
        faults = []
        page = self.open(path, "dark", faults)
        if change:
            page.evaluate(change)
        page.evaluate("() => checks.openDetails()")
        if page.evaluate("() => checks.brightness()") > 0.05:
            faults.append("dark: the page is light")
        found = page.evaluate("() => checks.faintText()")
        page.close()
        return faults + [f"dark, faint: {t}" for t in found]

    def shoot(self, pages, folder):
        "Pictures of pages: phone and desktop, light and dark"
        folder.mkdir(parents=True, exist_ok=True)
        for scheme in self.contexts:
            for path in pages:
                page = self.open(path, scheme, [])
                for width in (390, 1280):
                    page.set_viewport_size(dict(width=width, height=900))
                    name = f"{path[:-5].replace('/', '_')}-{width}-{scheme}.png"
                    page.screenshot(path=folder / name, full_page=True)
                page.close()


# ---- a page broken on purpose


def add(html, to="main"):
    "JavaScript that adds to a page"
    return f"document.querySelector({to!r}).insertAdjacentHTML('beforeend', `{html}`)"


def drawn(width, alt, style="", attributes=""):
    "A picture of that width"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='9'/>"
    source = f"data:image/svg+xml,{svg}"
    return f'<img alt="{alt}" src="{source}" style="{style}" {attributes}>'


def output(html):
    return f'<div class="cell-output-display" style="overflow-x: auto">{html}</div>'


figure = "main .cell-output-display figure.figure img"
loads = (
    "Object.assign(document.createElement('script'), {src: 'https://example.org/j.js'})"
)
broken = {  # the fault that has to be found -> what makes it
    "see @fig-lost": add("<div>see @fig-lost</div>"),
    "raw signature: 'def f(a:int": add("<pre>def f(a:int &lt;how many&gt;=1)</pre>"),
    "raw signature: 'def g(): usage": add("<pre>def g(): usage: g [-h]</pre>"),
    "formula not drawn: 'lost": add("<span class=math>lost</span>"),
    'alt text: <img src="images/social.png"': add("<img src=images/social.png>"),
    'alt text: <img src="lost.png"': add("<img src=lost.png alt=a>"),
    "nothing under the heading: empty": add("<h2>empty</h2><h2>full</h2>"),
    "404: ": add("<img src=lost.png alt=a>"),
    "asks another host: https://example.org/a": add(
        "<img src=https://example.org/a.png alt=a>"
    ),
    "asks another host: https://example.org/j": f"document.body.append({loads})",
    "console: lost": "console.error('lost')",
    "light, faint: 2.8:1 pale": add(
        "<b class=pale style='color: #999; background: #fff'>pale</b>"
    ),
    "dark, faint: 2.2:1 dim": add(
        "<b class=dim style='color: #444; background: #000'>dim</b>"
    ),
    "dark: the page is light": add(
        "<style>html body { background: #fff !important }</style>"
    ),
    "at 1280 px, badSizes: cut off 1322 px: scrolls": add(
        output(drawn(2000, "scrolls", "max-width: none"))
    ),
    "badSizes: squeezed: flat": add(drawn(200, "flat", "height: 90px")),
    "badSizes: shown 90 px wide instead of 200: tiny": add(
        drawn(200, "tiny", "width: 90px")
    ),
    "badSizes: shown 90 px wide instead of 100: said": add(
        drawn(200, "said", "width: 90px", "width=100")
    ),
    "at 1280 px, figure of 15% of its column: small": add(output(drawn(100, "small"))),
    "at 390 px, letters of 7.": (
        f"document.querySelector({figure!r}).style.minWidth = 0"
    ),
    "at 390 px, a wrong hint to scroll": add(
        "<style>main figure.figure ::after { display: none !important }</style>"
    ),
    "longLines": add("<pre style='white-space: pre'>" + "long " * 200 + "</pre>"),
    "at 360 px, tooWide: the page is 3000 px wide": add(
        "<div style='width: 3000px'>a</div>", "body"
    ),
    "tooWide: sticks out: H3 wide": add("<h3 style='width: 2000px'>wide</h3>"),
    "at 390 px, no table of contents": add(
        "<style>[role=doc-toc] { display: none !important }</style>"
    ),
    "no chapter number in title: 'a'": (
        "document.querySelector('h1.title').textContent = 'a'"
    ),
    "no chapter number in entry: 'b'": (
        "document.querySelector('.sidebar-link.active').textContent = 'b'"
    ),
    "parts are ['The path']": (
        "[...document.querySelectorAll('.sidebar-menu-container > ul > "
        ".sidebar-item-section')].pop().remove()"
    ),
    "the logo is 190 px high": add(
        "<style>.sidebar-logo { height: 190px; max-height: none !important }</style>"
    ),
    f"shares [None, '{shared}']": (
        "document.querySelector('meta[property=\"og:image\"]').remove()"
    ),
}


def prove(reader, path):
    "Measures that don't find their fault on a page broken on purpose"
    sound = reader.check(path)["faults"]
    change = "() => {" + ";\n".join(broken.values()) + "}"
    found = set(reader.check(path, change)["faults"]) - set(sound)
    for fault in broken:
        if not any(fault in f for f in found):
            yield f"not found on a broken page: {fault}"
    one_way = {"index.html": dict(next="a.html"), "a.html": dict(next=None)}
    if unreached(one_way) or unreached({**one_way, "b.html": {}}) != ["b.html"]:
        yield "not found: a page to which `next` doesn't lead"
    entry = dict(href="a", text=r"so \(x\) and \[y\] follow")
    if not tex_in_search([entry]) or tex_in_search([without_formulas(entry)]):
        yield "not found, or not mended by search.py: TeX in the search"


# ---- what shows only when all pages are known


def in_repository(url):
    "The file that a link into the repository means, or None"
    found = re.search(r"/(?:blob|tree|edit)/\w+/(.+)", url)
    if not url.startswith(f"{repository}/") or not found:
        return None
    return root / unquote(found[1])


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
    known = unquote(anchor) in pages[target]["anchors"]
    return None if known else f"no such anchor: {href}"


def unreached(pages):
    "Pages to which `next` doesn't lead from the first"
    path = "index.html"
    left = set(pages) - frameless
    while path in left:
        left.remove(path)
        path = (pages[path]["next"] or "").removeprefix("./")
    return sorted(left)


def add_faults(pages, folder, base):
    "Sizes, links between pages, and the way through them"
    for path, page in pages.items():
        size = (folder / path).stat().st_size
        if size > limit:
            page["faults"].append(f"{size / 1e6:.2f} MB, over {limit / 1e6} MB")
        found = (check_link(h, path, pages, folder, base) for h in page["links"])
        page["faults"] += [f for f in found if f]


def tex_in_search(entries):
    "Where a reader who searches would be shown TeX"
    found = [e["href"] for e in entries if formula.search(e["text"])]
    return (
        [f"TeX in {len(found)} entries of the search, as {found[0]}"] if found else []
    )


def site_faults(pages, folder):
    faults = [f"next doesn't lead to {path}" for path in unreached(pages)]
    entries = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    return faults + tex_in_search(entries)


def walk(folder, wanted, shots):
    "Faults by page"
    base = serve(folder)
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"]
        )
        reader = Reader(browser, base, folder)
        faults = list(prove(reader, "plateau.html"))
        pages = {path: reader.check(path) for path in wanted or html_files(folder)}
        if shots:
            reader.shoot(pages, Path(shots))
        browser.close()
    if not wanted:
        add_faults(pages, folder, base)
        faults += site_faults(pages, folder)
    found = {path: list(dict.fromkeys(page["faults"])) for path, page in pages.items()}
    return {"the site": faults, **found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    parser.add_argument("--shots", metavar="FOLDER")
    asked = parser.parse_args()
    all_faults = walk(build(), asked.pages, asked.shots)
    for path, faults in all_faults.items():
        verdict = f"{len(faults)} faults" if faults else "as it should be"
        print(f"{path}: {verdict}", *faults, sep="\n    ")
    sys.exit(any(all_faults.values()))


if __name__ == "__main__":
    main()
