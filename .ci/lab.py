"""Use the lab in a headless browser: python .ci/lab.py [--shots FOLDER | --speed]

The page of the packaged network and the forty images of the gallery is made in a
temporary folder, opened from the disk, and used by mouse, touch and keyboard. Checked:
the logits and the maps of all classes at all stages equal PyTorch's within 1e-4, with
the same weights of 8 bits, and so do layer outputs, the logits with a hole and what a
cell adds; pages of other runs too (BatchNorm, GroupNorm, other widths, sizes, classes);
photographs, drawings and the camera reach the network; what can't be read is answered
by a sentence; names stay text; nothing is requested; no width scrolls sideways.
--speed compares a prediction with its four maps to one thread of PyTorch, in turns.
Needs what `.ci/site.py` needs.
"""

import base64
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from explorer import ask, check, check_way, faults, hostile, layers, opened, shoot
from PIL import Image
from playwright.sync_api import sync_playwright
from project import browser_path, root, widths

from resnet_gradcam.data import ImageData
from resnet_gradcam.explain import GradCAM
from resnet_gradcam.files import read_image
from resnet_gradcam.lab import eight_bit, lab
from resnet_gradcam.recipes import Recipe
from resnet_gradcam.runs import Run, build, load_run

limit = 1_500_000  # bytes of the page
bound = 1e-4  # how far a number of the page may be from PyTorch's


def settled(page):
    "Wait until the network has answered all"
    page.wait_for_selector("main[aria-busy=false]", timeout=60_000)
    return page


def opened_lab(browser, path, **options):
    page = opened(browser, path, **options)
    page.add_script_tag(path=root / ".ci/lab.js")
    return settled(page)


def asked(page, name, *args):
    "What a function of lab.js says of the page"
    return page.evaluate("([name, args]) => lab[name](...args)", [name, list(args)])


def near(found, want, what):
    want = np.asarray(want).ravel()
    error = np.abs(np.asarray(found, float).ravel() - want).max()
    allowed = bound * min(1, np.abs(want).max())  # small numbers must be right too
    check(error <= allowed, f"{what}: off by {error:.2g}")
    return error


def explained(run, images):
    "PyTorch's logits, and its maps of all classes, with the page's weights"
    targets = torch.arange(len(run.classes)).expand(len(images), -1)
    with GradCAM(eight_bit(run.model), layers) as explain:
        return explain(run.batch(images), targets)


def pick(page, i):
    page.locator("[name=image]").nth(i).click()
    settled(page)


def check_numbers(page, run, data):
    "Logits and maps of all images and classes"
    r = explained(run, data.images)
    largest = dict.fromkeys(["logits", *layers], 0)
    for i, pixels in enumerate(data.images):
        pick(page, i)
        same = asked(page, "bytes") == pixels.ravel().tolist()
        check(same, f"image {i + 1}: the page sees other bytes")
        error = near(asked(page, "logits"), r.logits[i], f"logits of image {i + 1}")
        largest["logits"] = max(largest["logits"], error)
        by_class = asked(page, "maps")
        for k, layer in enumerate(layers):
            found = [maps[k] for maps in by_class]
            error = near(found, r.maps[layer][i], f"{layer}, image {i + 1}")
            largest[layer] = max(largest[layer], error)
    print(", ".join(f"{name} within {error:.1e}" for name, error in largest.items()))


def check_outputs(page, run, image):
    "The outputs of layers, as the page shows them"
    names = "conv1", "norm1", "layer1.1.conv2", "layer2.0.shortcut.1", "layer4.0.norm1"
    found = {}
    model = eight_bit(run.model)
    handles = []
    for name in names:

        def keep(module, args, out, name=name):
            found[name] = out[0].clone()  # before a ReLU in place

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    with torch.no_grad():
        model(run.batch([image]))
    for name in names:
        c, h, w, values = asked(page, "output", name)
        check((c, h, w) == tuple(found[name].shape), f"{name} has another shape")
        near(values, found[name], name)


def check_hole(page, run, image):
    "The hole: dragged by mouse, moved by keys, and the probabilities follow"
    page.locator("[name=tool]").nth(1).click()
    settled(page)
    before = page.locator("#bars").inner_text()
    box = page.locator("#stage").bounding_box()
    pixel = box["width"] / 32
    corner = page.evaluate("() => [state.x, state.y]")
    page.mouse.move(box["x"] + 12.5 * pixel, box["y"] + 12.5 * pixel)
    page.mouse.down()
    page.mouse.move(box["x"] + 15.5 * pixel, box["y"] + 10.5 * pixel, steps=5)
    page.mouse.up()
    settled(page)
    moved = page.evaluate("() => [state.x, state.y]")
    check(moved == [corner[0] + 3, corner[1] - 2], f"the hole went to {moved}")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    settled(page)
    x, y = page.evaluate("() => [state.x, state.y]")
    check([x, y] == [moved[0] - 1, moved[1] + 1], "arrow keys do not move the hole")
    holed = image.copy()
    holed[y : y + 16, x : x + 16] = np.round(np.array(run.mean) * 255)
    with torch.no_grad():
        want = eight_bit(run.model)(run.batch([holed]))[0]
    near(page.evaluate("() => Array.from(state.changed)"), want, "logits with the hole")
    check(page.locator("#bars").inner_text() != before, "the bars ignore the hole")
    words = page.locator("#facts").inner_text()
    check("Under the hole" in words, "nothing is said of the hole")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    settled(page)
    check(page.evaluate("() => state.x") == 16, "the hole leaves the image")


def check_cells(page):
    "Zeroing a cell takes off what the map says, by keys and for all cells"
    page.locator("[name=tool]").nth(2).click()
    page.locator("[name=layer]").nth(3).click()
    settled(page)
    score, without = asked(page, "withoutCells")
    near(score - np.array(without), asked(page, "map"), "what cells add")
    page.locator("#marker").focus()
    words = page.locator("#facts").inner_text()
    page.keyboard.press("ArrowLeft")
    settled(page)
    after = page.locator("#facts").inner_text()
    check("This cell adds" in after and after != words, "arrow keys move no cell")
    page.locator("[name=layer]").nth(1).click()
    settled(page)
    words = page.locator("#facts").inner_text()
    check("can only be said at layer4" in words, "another stage claims to be a sum")
    page.locator("[name=layer]").nth(3).click()
    page.locator("[name=tool]").nth(0).click()
    settled(page)


def check_difference(page, run, image):
    "One class less another; a class less itself is not offered"
    r = explained(run, [image])
    page.select_option("#target", "3")
    page.select_option("#minus", "5")
    page.locator("[name=layer]").nth(1).click()
    settled(page)
    want = r.maps["layer2"][0, 3] - r.maps["layer2"][0, 5]
    near(asked(page, "map"), want, "a difference of two classes")
    own = page.locator("#minus option[value='3']")
    check(own.is_disabled(), "a class less itself can be picked")
    page.select_option("#target", "5")
    settled(page)
    words = page.locator("#facts").inner_text()
    check("Nothing is taken off" in words, "a class less itself is not explained")
    near(asked(page, "map"), r.maps["layer2"][0, 5], "a class less itself")
    page.select_option("#minus", "")
    page.locator("#bars button").nth(8).click()
    settled(page)
    check(page.locator("#target").input_value() == "8", "a bar does not pick its class")


def check_inside(page):
    "Look inside: each layer, each step, by keys"
    count = page.locator("#where option").count()
    check(count == 1 + 2 * 8 + 3, f"{count} layers to look into")
    for i in (0, 3, 7, count - 1):
        page.select_option("#where", str(i))
        settled(page)
        channels = page.locator(".channels label").count()
        words = page.locator("#statistics").inner_text()
        check(words.startswith(f"{channels} channels"), f"layer {i} is shown wrongly")
        check(page.locator(".three canvas").count() == 3, "three steps are not shown")
    page.locator("[name=step]").nth(0).click()
    settled(page)
    page.locator("[name=channel]").nth(0).focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    words = page.locator("#channel").inner_text()
    check(words.startswith("Channel 1:"), "arrow keys do not walk through channels")
    focused = page.evaluate("() => document.activeElement.name")
    check(focused == "channel", "the focus is lost while walking through channels")


def jpeg(pixels, **options):
    f = io.BytesIO()
    Image.fromarray(pixels).save(f, "JPEG", **options)
    return f.getvalue()


def give(page, name, data, type="image/jpeg"):
    "A file by the dialog; what the page says then"
    page.locator("#file").set_input_files(dict(name=name, mimeType=type, buffer=data))
    page.wait_for_timeout(300)
    settled(page)
    return page.locator("#message").inner_text()


def check_files(page, folder):
    "Photographs by dialog and by drop; what is none gets a sentence"
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    photo = np.asarray(smooth.resize((640, 481), Image.Resampling.BICUBIC))
    png = io.BytesIO()
    Image.fromarray(photo).save(png, "PNG")
    said = give(page, "photo.png", png.getvalue(), "image/png")
    check(not said, f"a photograph is refused: {said}")
    want = read_image(io.BytesIO(png.getvalue()), 32).astype(int).ravel()
    error = np.abs(np.array(asked(page, "bytes")) - want).max()
    check(error <= 2, f"a photograph comes out {error} off read_image's")
    kept = asked(page, "bytes")
    wrong = (
        ("notes.txt", b"no image", "text/plain"),
        ("broken.jpg", jpeg(photo)[:200], "image/jpeg"),
        ("empty.png", b"", "image/png"),
        ("<img src=x>.png", b"<svg", "image/png"),
    )
    for name, data, type in wrong:
        said = give(page, name, data, type)
        check(said.startswith(f"{name} can't be read"), f"{name}: {said!r}")
        check(asked(page, "bytes") == kept, f"{name} changes the image")
    large = np.zeros((6300, 8000, 3), np.uint8)  # 50 megapixels
    large[:, 4000:] = 255
    said = give(page, "large.jpg", jpeg(large))
    seen = np.array(asked(page, "bytes")).reshape(32, 32, 3)
    halves = seen[:, :15].max() < 20 and seen[:, 17:].min() > 235
    check("too many" in said or halves, f"50 megapixels: {said!r}")
    check_upright(page, photo)
    text = base64.b64encode(png.getvalue()).decode()
    asked(page, "drop", ["photo.png", "image/png", text])
    page.wait_for_timeout(500)
    settled(page)
    check(asked(page, "bytes") == kept, "a photograph that is dropped is not seen")


def check_upright(page, photo):
    "A photograph is turned as the camera noted"
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    data = jpeg(photo, exif=exif, quality=95, subsampling=0)
    give(page, "turned.jpg", data)
    want = read_image(io.BytesIO(data), 32).astype(int).ravel()
    error = np.abs(np.array(asked(page, "bytes")) - want).mean()
    check(error < 2, f"a turned photograph is off by {error:.1f}")


def check_photographs(page, run):
    "The twenty photographs of chapter 25 get the answers that stand there"
    model = eight_bit(run.model)
    with Image.open(root / "nbs/files/photographs.jpg") as sheet:
        sheet.load()
    for i in range(20):
        x, y = 128 * (i % 5), 128 * (i // 5)
        tile = sheet.crop((x, y, x + 128, y + 128))
        png = io.BytesIO()
        tile.save(png, "PNG")
        small = np.asarray(tile.resize((32, 32), Image.Resampling.LANCZOS))
        give(page, f"{i}.png", png.getvalue(), "image/png")
        with torch.no_grad():
            logits = model(run.batch([small]))[0]
        error = np.abs(np.array(asked(page, "bytes")) - small.ravel()).max()
        check(error <= 2, f"photograph {i + 1} comes out {error} off")
        answer = page.locator("#predicted").inner_text()
        want = run.classes[logits.argmax()]
        check(answer == want, f"photograph {i + 1}: {answer}, not {want}")


def check_drawing(page):
    "Drawing by mouse and by keyboard"
    page.locator("#draw").click()
    settled(page)
    blank = asked(page, "bytes")
    check(set(blank) == {255}, "the drawing board is not white")
    box = page.locator("#board").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 90, steps=4)
    page.mouse.up()
    settled(page)
    drawn = asked(page, "bytes")
    check(drawn != blank, "the mouse draws nothing")
    page.locator("#clear").click()
    page.locator("#board").focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    settled(page)
    check(asked(page, "bytes") not in (blank, drawn), "the keys draw nothing")
    page.locator("#draw").click()


def check_camera(browser_type, path):
    "A camera that is refused, and one that shows a test image"
    plain = browser_type.launch(executable_path=browser_path(), args=["--no-sandbox"])
    page = opened_lab(plain, path)
    page.locator("#camera").click()
    page.wait_for_function("() => document.querySelector('#message').textContent")
    said = page.locator("#message").inner_text()
    check("open a photograph instead" in said.lower(), f"no camera: {said!r}")
    plain.close()
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    args = ["--no-sandbox", *fake]
    browser = browser_type.launch(executable_path=browser_path(), args=args)
    page = opened_lab(browser, path)
    before = asked(page, "bytes")
    page.locator("#camera").click()
    page.wait_for_function("() => document.querySelector('#video').videoWidth > 0")
    page.locator("#shoot").click()
    page.wait_for_timeout(500)
    settled(page)
    check(asked(page, "bytes") != before, "the camera's image is not seen")
    check(page.locator("#shot").is_hidden(), "the camera stays on")
    browser.close()


def check_touch(browser, path):
    "A finger on a phone moves the hole"
    size = dict(width=390, height=844)
    page = opened_lab(browser, path, has_touch=True, is_mobile=True, viewport=size)
    page.locator("[name=tool]").nth(1).tap()
    settled(page)
    stage = page.locator("#stage").bounding_box()
    page.touchscreen.tap(stage["x"] + 4, stage["y"] + 4)
    settled(page)
    corner = page.evaluate("() => [state.x, state.y]")
    check(corner == [0, 0], f"a tap in the corner leaves the hole at {corner}")
    page.close()


def check_tab(page):
    "Tab reaches every control, and shows where it is"
    page.evaluate("() => document.activeElement.blur()")
    seen = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        name, visible = asked(page, "focus")
        seen.add(name)
        check(visible, f"no visible focus on {name}")
    wanted = "file camera draw image tool layer target minus opacity bars where step"
    missing = {*wanted.split(), "channel"} - seen
    check(not missing, f"Tab does not reach {sorted(missing)}")


def check_structure(browser, path, shots):
    "What holds for any page of the lab"
    for scheme in ("light", "dark"):
        page = opened_lab(browser, path, color_scheme=scheme)
        bare = ask(page, "unlabelled")
        check(not bare, f"{path.name}: {bare} controls without a label")
        check(not ask(page, "imagesWithoutAlt"), f"{path.name}: an image without alt")
        for width in widths:
            page.set_viewport_size(dict(width=width, height=900))
            wide = ask(page, "pageWidth")
            check(wide <= width, f"{path.name}: {wide} px wide on a screen of {width}")
        dark = ask(page, "isDark")
        check(dark == (scheme == "dark"), f"{path.name}: not {scheme}")
        page.close()
        if shots:
            shoot(browser, path, scheme, Path(shots), settled)


def check_without(browser, path):
    "Without workers the page answers itself"
    page = browser.new_page()
    page.add_init_script("delete window.Worker")
    page.goto(path.as_uri())
    settled(page)
    check(page.locator("#predicted").inner_text(), "no answer without workers")
    page.close()


def other_run(seed, classes, **settings):
    "An untrained run whose weights and statistics are nothing special"
    recipe = Recipe(**settings)
    model = build(recipe, len(classes)).eval()
    generator = torch.Generator().manual_seed(seed)
    for t in model.state_dict().values():
        if t.dim() == 1:
            t.copy_(torch.rand(t.shape, generator=generator) + 0.5)
        elif t.dim() > 1:
            t.copy_(torch.randn(t.shape, generator=generator) / t[0].numel() ** 0.5)
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]
    return Run(model, recipe, classes, mean, std, load_run().history)


def check_others(browser, folder):
    "Other norms, widths, sizes and numbers of classes"
    names = hostile[:3]
    for seed, (norm, width, size) in enumerate([("bn", 16, 32), ("gn", 24, 20)]):
        run = other_run(seed, names, norm=norm, width=width)
        images = np.random.default_rng(seed).integers(0, 256, (2, size, size, 3))
        data = ImageData(images.astype(np.uint8), np.array([0, 2]), names)
        path = folder / f"{norm}.html"
        lab(run, path, data)
        page = opened_lab(browser, path)
        check_numbers(page, run, data)
        found = page.locator("#bars .class").all_inner_texts()
        check(found == list(names), f"names became {found}")
        markup = page.locator("b, #bars img").count()
        check(not markup, "a name became markup")
        page.close()


def check_alone(browser, folder, run):
    "A page without images begins with the drawing board"
    path = folder / "alone.html"
    lab(run, path)
    page = opened_lab(browser, path)
    check(page.locator("#board").is_visible(), "without images nothing can be drawn")
    check(page.locator("#predicted").inner_text(), "the blank sheet has no answer")
    page.close()


def gallery(run):
    "The forty images of chapter 21"
    with np.load(root / "nbs/files/gallery.npz") as f:
        return ImageData(f["images"], f["labels"], run.classes)


def measure(browser, path, run, image):
    "A prediction and its four maps: the page and one thread of PyTorch, in turns"
    torch.set_num_threads(1)
    page = opened_lab(browser, path)
    xb = run.batch([image])
    ours = []
    theirs = []
    with GradCAM(run.model, layers) as explain:
        for _ in range(10):
            ours += asked(page, "time", 3)
            for _ in range(3):
                start = time.perf_counter()
                explain(xb)
                theirs.append(1000 * (time.perf_counter() - start))
    ours = np.median(ours[3:])  # without the warm-up
    theirs = np.median(theirs[3:])
    print(f"page {ours:.1f} ms, PyTorch {theirs:.1f} ms: ratio {ours / theirs:.1f}")


def main(shots=None, speed=False):
    run = load_run()
    data = gallery(run)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        folder = Path(folder)
        path = folder / "gallery.html"
        lab(run, path, data)
        size = path.stat().st_size
        check(size < limit, f"{size:,} bytes")
        browser = p.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"]
        )
        if speed:
            return measure(browser, path, run, data.images[0])
        page = opened_lab(browser, path)
        check_numbers(page, run, data)
        pick(page, 5)
        check_outputs(page, run, data.images[5])
        check_hole(page, run, data.images[5])
        check_cells(page)
        check_difference(page, run, data.images[5])
        check_inside(page)
        check_tab(page)
        check_files(page, folder)
        check_photographs(page, run)
        check_drawing(page)
        page.close()
        check_touch(browser, path)
        check_without(browser, path)
        check_way(browser, path, run, "#layers")
        check_others(browser, folder)
        check_alone(browser, folder, run)
        check_structure(browser, path, shots)
        check_camera(p.chromium, path)
        print(f"{size:,} bytes")
        browser.close()


if __name__ == "__main__":
    shots = sys.argv[2] if sys.argv[1:2] == ["--shots"] else None
    main(shots, sys.argv[1:] == ["--speed"])
    print(*(dict.fromkeys(faults) or ["the lab is as it should be"]), sep="\n")
    sys.exit(bool(faults))
