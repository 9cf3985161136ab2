"""Use the explorer in a headless browser: python .ci/explorer.py [--shots FOLDER]

A page of 40 shapes is made in a temporary folder, opened from the disk, and used by
mouse and by keyboard. Checked: what is chosen changes the drawing; each map that the
page computes is PyTorch's within the bound of the bytes, and the canvas shows it; the
address holds the view; nothing is on the console and nothing is requested; no width
scrolls sideways; names of classes stay text; the file is under 1 MB.
`nbs/explore.html`, where it is there, is opened too (on the site `explorer.html` is the
chapter). Needs what `.ci/site.py` needs.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import sync_playwright
from project import browser_path, root, settings, widths

from resnet_gradcam.data import ImageData
from resnet_gradcam.explain import GradCAM
from resnet_gradcam.explorer import about_run, explorer
from resnet_gradcam.gradcam import upsample
from resnet_gradcam.runs import load_run
from resnet_gradcam.shapes import shapes

layers = ["layer1", "layer2", "layer3", "layer4"]
limit = 1_000_000
hostile = "</script><b>", "<img src=x onerror=alert(1)>", "actual", "&amp;", "0"
faults = []


def check(ok, what):
    if not ok:
        faults.append(what)


def ask(page, name):
    "What a function of explorer.js says of the page"
    return page.evaluate(f"() => ask.{name}()")


def opened(browser, path, **options):
    "A page from the disk that reports what it must not do"
    page = browser.new_page(**options)
    page.add_init_script(path=root / ".ci/explorer.js")

    def on_request(r):
        inside = r.url.startswith(("data:", "blob:"))  # blob: the lab's worker
        own = inside or r.url.split("#")[0] == path.as_uri()
        check(own, f"{path.name}: request: {r.url[:80]}")

    def on_dialog(d):
        faults.append(f"{path.name}: a dialog: {d.message}")
        d.dismiss()

    def on_console(m):
        faults.append(f"{path.name}: on the console: {m.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda e: faults.append(f"{path.name}: script: {e}"))
    page.on("request", on_request)
    page.on("dialog", on_dialog)
    page.goto(path.as_uri())
    return page


def canvas(page):
    "The map as it is drawn: colours and cover, (H, W, 4) uint8"
    h, w, flat = ask(page, "canvas")
    return np.array(flat, dtype=np.uint8).reshape(h, w, 4)


def shown(page):
    "The map that the page computed, upsampled and flat"
    return np.array(page.evaluate("() => shownMap()"))


def image(page, i):
    return page.locator("[name=image]").nth(i)


def layer(page, i):
    return page.locator("[name=layer]").nth(i)


def bar(page, i):
    return page.locator("#bars button").nth(i)


def value(page, name):
    return page.locator(name).input_value()


views = (  # image, layer, class, and the class that is taken off
    (0, 0, 3, None),
    (7, 1, 0, None),
    (20, 2, 9, None),
    (39, 3, 5, None),
    (3, 3, 2, 6),
    (11, 0, 1, 8),
    (25, 1, 4, 2),
    (38, 2, 7, 0),
)


def check_maps(page, maps, content):
    "Single classes and differences against PyTorch's"
    for i, k, a, b in views:
        image(page, i).click()
        layer(page, k).click()
        page.select_option("#target", str(a))
        page.select_option("#minus", "" if b is None else str(b))
        m = maps[layers[k]][i].double()
        want = m[a] if b is None else m[a] - m[b]
        step = content["images"][i]["maps"][k]["scale"]
        bound = 1.0001 * step * (0.5 if b is None else 1)
        name = f"image {i + 1}, {layers[k]}, class {a} less {b}"
        error = np.abs(shown(page) - upsample(want, 32).numpy().ravel()).max()
        check(error <= bound, f"{name}: off by {error / step:.2f} steps")
        check_drawing(page, content["layers"][k]["top"], name)


def check_drawing(page, top, name):
    "The canvas covers by size, and colours by sign"
    values = shown(page)
    drawn = canvas(page).reshape(-1, 4).astype(int)
    cover = 255 * np.minimum(1, np.abs(values) / top)
    as_far = np.abs(drawn[:, 3] - cover).max() <= 0.51
    check(as_far, f"{name}: the canvas does not show the map")
    strong = cover > 40
    sign = np.where(drawn[:, 0] > drawn[:, 2], 1, -1)
    right = (sign[strong] == np.sign(values)[strong]).all()
    check(right, f"{name}: the sign has the wrong colour")


def check_mouse(page, data):
    "What each control does"
    actions = dict(
        image=lambda: image(page, 4).click(),
        layer=lambda: layer(page, 1).click(),
        target=lambda: page.select_option("#target", "6"),
        difference=lambda: page.select_option("#minus", "1"),
        bar=lambda: bar(page, 8).click(),
    )
    before = shown(page)
    for what, act in actions.items():
        act()
        after = shown(page)
        changed = not np.array_equal(before, after)
        check(changed, f"{what}, picked by mouse, changes nothing")
        before = after
    pressed = page.locator("#bars [aria-pressed=true]").all_inner_texts()[0]
    check(pressed.startswith(data.classes[8]), "the bar that was clicked is not marked")
    check(value(page, "#target") == "8", "a click on a bar does not pick its class")
    actual = page.locator("#actual").inner_text()
    check(actual == data.classes[data.labels[4]], "the actual class is wrong")
    look = page.locator("#stage").screenshot()
    page.locator("#opacity").fill("20")
    opacity = page.locator("#map").evaluate("e => getComputedStyle(e).opacity")
    changed = page.locator("#stage").screenshot() != look
    check(opacity == "0.2" and changed, "the opacity changes nothing")


def check_keyboard(page):
    "Tab to each control, keys to use it"
    page.evaluate("() => { location.hash = '' }")
    page.reload()
    for _ in range(2):  # the way back, then the images
        page.keyboard.press("Tab")
    before = page.locator("#stage").screenshot()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    moved = page.locator("#stage").screenshot() != before
    walks = image(page, 1).is_checked() and moved
    check(walks, "arrow keys do not walk through the images")
    check_tab(page)
    layer(page, 3).focus()
    page.keyboard.press("ArrowLeft")
    walks = layer(page, 2).is_checked()
    check(walks, "arrow keys do not walk through the layers")
    bar(page, 3).focus()
    page.keyboard.press("Enter")
    check(value(page, "#target") == "3", "Enter on a bar does not pick its class")


def check_tab(page):
    "Tab reaches every control, and shows where it is"
    seen = set()
    for _ in range(30):
        focused = ask(page, "focused")
        seen.add(focused)
        visible = ask(page, "focusShows")
        check(visible, f"no visible focus on {ask(page, 'focusedSource')}")
        if focused == "opacity":
            page.keyboard.press("Home")
            percent = page.locator("#percent").inner_text()
            check(percent == "0%", "keys do not move the opacity")
        page.keyboard.press("Tab")
    wanted = {"image", "layer", "target", "minus", "opacity", "bars"}
    check(wanted <= seen, f"Tab reaches {sorted(seen)} only")


def check_hash(browser, page, path):
    "The address holds the view"
    image(page, 12).click()
    layer(page, 1).click()
    page.select_option("#target", "2")
    page.select_option("#minus", "actual")
    page.locator("#opacity").fill("35")
    page.wait_for_timeout(400)
    view = shown(page)
    url = page.url
    wanted = "#image=13&layer=layer2&class=moon&less=actual&opacity=35"
    check(url.endswith(wanted), f"the address is {url.split('#')[-1]}")
    other = browser.new_page()
    other.goto(url)
    same = np.array_equal(shown(other), view) and value(other, "#opacity") == "35"
    check(same, "an address does not restore its view")
    other.goto(path.as_uri() + "#image=2&layer=layer4")  # the same page
    check(image(other, 1).is_checked(), "a changed address changes nothing")
    other.close()


def check_itself(page, maps):
    "A class less itself is not offered, and where it comes about it is said"
    image(page, 0).click()
    layer(page, 3).click()
    page.select_option("#minus", "")
    page.select_option("#target", "6")
    own = page.locator("#minus option[value='6']")
    check(own.is_disabled(), "a class less itself can be picked")
    page.select_option("#minus", "4")
    page.select_option("#target", "4")
    words = page.locator("#facts").inner_text()
    check("Nothing is taken off" in words, "a class less itself is not explained")
    found = np.abs(shown(page)).max()
    want = upsample(maps["layer4"][0, 4], 32).abs().max()
    check(found > 0.5 * want, "a class less itself is nothing")  # but for rounding
    page.select_option("#minus", "")


def check_way(browser, path, run, control="#minus"):
    "The way back, the network's name, a notice without scripts, a phone's controls"
    page = opened(browser, path, viewport=dict(width=390, height=844))
    back = page.locator("a.back").get_attribute("href")
    site = settings["doc_host"] + settings["doc_baseurl"] + "/"
    check(back == site, f"the way back leads to {back}")
    said = page.locator("#network").inner_text()
    check(said == about_run(run), f"the network is called {said!r}")
    box = page.locator(control).bounding_box()
    reach = box["y"] + box["height"]
    check(reach <= 844, f"on a phone {control} ends at {reach:.0f} px")
    page.close()
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())
    notice = page.locator("noscript p").is_visible()
    check(notice and page.locator("main").is_hidden(), "no notice without scripts")
    page.close()


wrong_addresses = (
    "#image=0&layer=no&class=no&less=no&opacity=101",
    "#image=1e9",
    "#image=-1&opacity=x",
    "#%",
    "#class=__proto__&less=length&image=constructor",
)


def check_wrong_addresses(browser, path):
    "An address that means nothing does no harm"
    for wrong in wrong_addresses:
        page = opened(browser, path)
        page.goto(path.as_uri() + wrong)
        page.reload()
        first = image(page, 0).is_checked() and value(page, "#target") == "predicted"
        check(first, f"{wrong} is not answered by the first view")
        page.close()


def check_structure(browser, path, shots):
    "What holds for any page of the explorer"
    size = path.stat().st_size
    check(size < limit, f"{path.name}: {size:,} bytes")
    for scheme in ("light", "dark"):
        page = opened(browser, path, color_scheme=scheme)
        loaded = page.locator("#image").evaluate("e => e.complete && e.naturalWidth")
        complete = page.locator("h1").inner_text() and loaded
        check(complete, f"{path.name}: nothing is shown")
        bare = ask(page, "unlabelled")
        check(not bare, f"{path.name}: {bare} controls without a label")
        missing = ask(page, "imagesWithoutAlt")
        check(not missing, f"{path.name}: an image without alt text")
        check_widths(page, path)
        dark = ask(page, "isDark")
        check(dark == (scheme == "dark"), f"{path.name}: not {scheme}")
        page.close()
        if shots:
            shoot(browser, path, scheme, Path(shots))


def check_widths(page, path):
    "Nothing scrolls sideways"
    last = page.locator("[name=image]").count() - 1
    for width in widths:
        page.set_viewport_size(dict(width=width, height=900))
        for i in (0, last):
            image(page, i).click()
            wide = ask(page, "pageWidth")
            check(wide <= width, f"{path.name}: {wide} px wide on a screen of {width}")


def shoot(browser, path, scheme, folder, settled=lambda page: None):
    "Pictures of a page: phone and desktop; `settled` waits until it is drawn"
    for width in (390, 1280):
        size = dict(width=width, height=900)
        page = opened(browser, path, color_scheme=scheme, viewport=size)
        settled(page)
        name = f"{path.stem}-{width}-{scheme}.png"
        page.screenshot(path=folder / name, full_page=True)
        page.close()


def check_hostile(browser, path):
    "Names stay text, and a class called `actual` or `0` can be picked and linked"
    page = opened(browser, path)
    names = page.locator("#bars .class").all_inner_texts()[:5]
    check(names == list(hostile), f"{path.name}: names became {names}")
    markup = page.locator("b, #bars img, #stage script").count()
    text = page.title() == "<b>title</b>" and not markup
    check(text, f"{path.name}: a name became markup")
    for k in range(5):
        bar(page, k).click()
        page.wait_for_timeout(250)
        view = shown(page)
        page.reload()
        same = value(page, "#target") == str(k) and np.array_equal(shown(page), view)
        check(same, f"{path.name}: class {hostile[k]} is not restored")
    page.close()


def make_pages(folder, run, data):
    "A page of shapes, and one whose class names are hostile"
    shapes_page = folder / "shapes.html"
    hostile_page = folder / "hostile.html"
    explorer(run, data, shapes_page)
    names = hostile + data.classes[5:]
    odd = ImageData(data.images[:3], data.labels[:3], names)
    explorer(replace(run, classes=names), odd, hostile_page, title="<b>title</b>")
    return shapes_page, hostile_page


def main(shots=None):
    run = load_run(root / "nbs/files/shapes_run")
    data = shapes(40, seed=2)
    targets = torch.arange(10).expand(40, -1)
    with GradCAM(run.model, layers) as explain:
        maps = explain(run.batch(data.images), targets).maps
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        path, odd = make_pages(Path(folder), run, data)
        browser = p.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"]
        )
        page = opened(browser, path)
        check_maps(page, maps, page.evaluate("() => data"))
        check_mouse(page, data)
        check_keyboard(page)
        check_hash(browser, page, path)
        check_itself(page, maps)
        page.close()
        check_way(browser, path, run)
        check_wrong_addresses(browser, path)
        check_hostile(browser, odd)
        for each in filter(Path.exists, (path, odd, root / "nbs/explore.html")):
            check_structure(browser, each, shots)
        print(f"{path.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[2] if sys.argv[1:2] == ["--shots"] else None)
    print(*(dict.fromkeys(faults) or ["the explorer is as it should be"]), sep="\n")
    sys.exit(bool(faults))
