"""Use the chapters' explorables in a browser: python .ci/explorables.py [--built]

Five chapters have a figure that answers when touched (nbs/explorables). Each page of
the site is opened and used by mouse, touch and keyboard. Checked: the rates are those
of PyTorch's ReduceLROnPlateau, for the recorded run and for random ones; the walks
those of PyTorch's SGD; means and normalised numbers those of its layers; crops, holes
and rotations those of `BatchAugment`, pixel by pixel; the invoice's lines those of
`cam`, and their sum the logit within 1e-4, with and without cells. Without scripts the
chapter's own figure stays; each control has a name and shows its focus; nothing is
asked of another host and nothing scrolls sideways. --built takes the site as
`.ci/site.py` has left it. Needs what `.ci/site.py` needs.
"""

import base64
import io
import math
import runpy
import sys
from types import SimpleNamespace

import numpy as np
import torch
from explorer import check, faults
from PIL import Image
from playwright.sync_api import sync_playwright
from project import browser_path, root, settings, widths
from torch import nn

from resnet_gradcam.augment import presets
from resnet_gradcam.batches import BatchAugment
from resnet_gradcam.closed import cam
from resnet_gradcam.curves import drops
from resnet_gradcam.data import channel_stats
from resnet_gradcam.descent import sgd
from resnet_gradcam.mistakes import misclassified
from resnet_gradcam.plateau import recorded_run, replay
from resnet_gradcam.runs import load_run
from resnet_gradcam.shapes import shapes
from resnet_gradcam.train import predict

# by its path: Python has a module of that name
site = SimpleNamespace(**runpy.run_path(str(root / ".ci/site.py")))
pages = {  # the explorable -> the figure that it goes on from
    "plateau": "fig-plateau-count",
    "descent": "fig-descent-memory",
    "norm": "fig-norm-axes",
    "cam": "fig-gradcam-signed",
    "augment": "fig-augment-recorded",
}


def opened(browser, base, name, **options):
    "A page of the site that reports what it must not do"
    page = browser.new_page(**options)
    page.route(lambda url: not url.startswith(base), site.answer_others)
    page.add_init_script(path=root / ".ci/explorables.js")
    site.listen(page, base, faults)
    page.goto(f"{base}{name}.html", wait_until="networkidle")
    return page


def asked(page, name):
    return page.evaluate(f"() => explored.{name}()")


def state(page):
    return asked(page, "state")


def words(page):
    "What the explorable says aloud"
    return " ".join(page.locator(".explorable .words").all_inner_texts())


def drawing(page, i=0):
    return page.locator(".explorable svg[tabindex]").nth(i)


def button(page, text):
    return page.locator(".explorable button", has_text=text)


def slide(page, name, value):
    "Set the slider of that name"
    page.locator(".explorable .slider", has_text=name).locator("input").fill(str(value))


def choose(page, name):
    "Pick the radio button of that name"
    page.locator(".explorable .choice label", has_text=name).locator("input").check()


def near(found, want, what, bound=1e-9):
    found = np.asarray(found, float)
    want = np.asarray(want, float)
    same = found.shape == want.shape
    error = np.abs(found - want).max(initial=0) if same else math.inf
    check(error <= bound, f"{what}: off by {error:.2g}")


def drag(page, svg, start, end):
    "The mouse is pressed at a place of a drawing and let go at another"
    box = svg.bounding_box()
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=6)
    page.mouse.up()


def swipe(page, svg, start, end):
    "The same with a finger"
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    session = page.context.new_cdp_session(page)

    def send(kind, *places):
        points = [dict(x=box["x"] + x, y=box["y"] + y) for x, y in places]
        event = dict(type=kind, touchPoints=points)
        session.send("Input.dispatchTouchEvent", event)

    send("touchStart", start)
    for step in range(1, 7):
        x, y = (a + (b - a) * step / 6 for a, b in zip(start, end))
        send("touchMove", (x, y))
    page.wait_for_timeout(100)  # moves are told once per drawn frame
    send("touchEnd")


def centre(page, selector, i=0):
    "The middle of a part of the drawing, from its corner"
    part = page.locator(f".explorable svg {selector}").nth(i)
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    around = part.locator("xpath=ancestor::*[name()='svg'][@tabindex]").bounding_box()
    x = box["x"] + box["width"] / 2 - around["x"]
    y = box["y"] + box["height"] / 2 - around["y"]
    return x, y


def moved(start, right, down):
    return start[0] + right, start[1] + down


def keys(page, target, *names):
    "Press keys on an element"
    target.focus()
    for name in names:
        page.keyboard.press(name)


# ---- chapter 10: the plateau


def check_rates(page, metric, rule, what):
    "The rates of an explorable against PyTorch's"
    found = [d["lr"] for d in state(page)["decisions"]]
    want = replay(metric, **rule)
    near(np.log(found), np.log(want), what)
    after = list(drops(replay([*metric, metric[-1]], **rule)))
    said = ", ".join(map(str, after[:-1]))
    said = f"{said} and {after[-1]}" if said else "".join(map(str, after))
    said = f"after epoch{'s' * (len(after) > 1)} {said}." if after else "never falls"
    check(said in words(page), f"{what}: {words(page)!r} instead of {said!r}")


thresholds = [0, 1e-4, 0.001, 0.005, 0.01, 0.02, 0.05]


def check_random_runs(page, n=40):
    "Random accuracies, level or rising, under random rules"
    rng = np.random.default_rng(0)
    for i in range(n):
        trend = rng.choice([0, 0.2]) * np.arange(40)
        metric = (50 + trend + rng.normal(size=40)).round(2).tolist()
        page.evaluate("m => explored.box().state.metric.splice(0, 40, ...m)", metric)
        factor = round(rng.integers(1, 10) / 10, 1)
        patience = int(rng.integers(0, 6))
        margin = int(rng.integers(len(thresholds)))
        slide(page, "factor", factor)
        slide(page, "patience", patience)
        slide(page, "threshold", margin)
        rule = dict(factor=factor, patience=patience, threshold=thresholds[margin])
        check_rates(page, metric, rule, f"random run {i}: {rule}")


def check_plateau(page, touch):
    log = recorded_run()
    acc = [right / 100 for right in log["test_correct_of_10000"]]
    check(state(page)["metric"] == acc, "plateau: other accuracies than the recorded")
    check_rates(page, acc, {}, "the recorded run")
    said = "24, and the margin: 87.46%" in words(page).replace("epoch ", "")
    check(said and "Epoch 28: 87.22%" in words(page), f"why 28? {words(page)!r}")
    check_moves(page, acc)
    check_epochs_said(page)
    button(page, "recorded").click()
    for patience in range(6):
        slide(page, "patience", patience)
        check_rates(page, acc, dict(patience=patience), f"patience {patience}")
    others = "had other rates" in words(page)
    check(others, "plateau: a rate that the run didn't have is not called that")
    check_random_runs(page)
    button(page, "invented").click()
    invented = state(page)["metric"]
    check_rates(page, invented, dict(lr=1.0, factor=0.1, patience=2), "the invented")
    button(page, "level").click()
    check_rates(page, [85] * 12, {}, "the level curve")
    button(touch, "recorded").tap()
    start = centre(touch, ".handle")
    swipe(touch, drawing(touch), start, moved(start, 0, -42))
    near(state(touch)["metric"][27], 87.22 + 2, "a finger moves epoch 28 to", 0.3)
    tapped = moved(start, 0, 60)
    swipe(touch, drawing(touch), moved(tapped, -60, 0), moved(tapped, -60, 0))
    check(state(touch)["epoch"] < 28, "plateau: a tap picks no epoch")


def check_moves(page, acc):
    "Epoch 28 by mouse and by keys; another epoch by a click"
    start = centre(page, ".handle")
    drag(page, drawing(page), start, moved(start, 0, -42))  # 210 px for 10 points
    metric = state(page)["metric"]
    near(metric[27], acc[27] + 2, "plateau: the mouse moves epoch 28 to", 0.1)
    check_rates(page, metric, {}, "the run with a better epoch 28")
    check("Epoch 28" in words(page) and "a new best" in words(page), "not a best")
    keys(page, drawing(page), "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp")
    metric = state(page)["metric"]
    near(metric[26], acc[26] - 0.1, "plateau: keys move epoch 27 to", 1e-6)
    check_rates(page, metric, {}, "the run with a worse epoch 27")
    start = centre(page, ".handle")
    drag(page, drawing(page), moved(start, -80, 60), moved(start, -80, 60))
    picked = state(page)["epoch"]
    check(picked < 27 and f"Epoch {picked}:" in words(page), "a click picks no epoch")
    check(state(page)["metric"] == metric, "a click beside the curve moves an accuracy")


def check_epochs_said(page):
    "What is said of each epoch, against the chapter's way of counting"
    button(page, "recorded").click()
    metric = state(page)["metric"]
    best = count = 0
    keys(page, drawing(page), *["ArrowLeft"] * 40)
    for epoch, value in enumerate(metric, start=1):
        if value > best * (1 + 1e-4):
            best, count = value, 0
            want = f"Epoch {epoch}: {value:.2f}% is a new best."
        else:
            count += 1
            want = f"Epochs without a new best: {count}, of which 3 are allowed"
        check(want in words(page), f"{words(page)!r}, not {want!r}")
        count = 0 if count > 3 else count
        page.keyboard.press("ArrowRight")


# ---- chapter 9: descent


def torch_walk(h, start, lr, beta, n=60):
    "The points that PyTorch's SGD visits, (n+1, 2)"
    h = torch.tensor(h, dtype=torch.float64)
    w = torch.tensor(start, dtype=torch.float64).requires_grad_()
    opt = torch.optim.SGD([w], lr=lr, momentum=beta)
    path = [w.tolist()]
    for _ in range(n):
        opt.zero_grad()
        (0.5 * (h * w**2).sum()).backward()
        opt.step()
        path.append(w.tolist())
    return np.array(path)


def chapter_walk(h, start, lr, beta, n=60):
    "The points that the chapter's `sgd` visits"
    h = np.array(h)
    w = np.array(start)
    step = sgd(lr, beta)
    path = [w]
    for _ in range(n):
        w = step(w, h * w)
        path.append(w)
    return np.array(path)


curvature = dict(bowl=[1.0, 1.0], valley=[1.0, 50.0])


def check_walk(page, land, power, beta):
    "A walk against both, its losses, and what is said of it"
    name = f"walk in the {land}, rate 10^{power}, momentum {beta}"
    found = state(page)
    h = curvature[land]
    want = torch_walk(h, found["w"], 10**power, beta)
    scale = 1 + np.abs(want)
    for path in (want, chapter_walk(h, found["w"], 10**power, beta)):
        near(np.array(found["path"]) / scale, path / scale, name)
    losses = 0.5 * (np.array(h) * want**2).sum(1)
    near(found["losses"] / (1 + losses), losses / (1 + losses), f"losses, {name}")
    edge = 2 * (1 + beta) / max(h)
    short = np.hypot(*want[-1])
    said = f"is {short:.2f} from the star" if short > 0.005 else "less than 0.01"
    said = f"{edge:.3g}" if 10**power > edge else said
    check(said in words(page), f"{name}: {words(page)!r}, not {said!r}")
    pairs = zip(("w₁", "w₂"), h)
    factors = [f"along {w} by {long_run(h, 10**power, beta):.3f}" for w, h in pairs]
    check(all(f in words(page) for f in factors), f"{name}: not {factors}")


def long_run(h, lr, beta):
    "By what a step of momentum multiplies, in the long run: its matrix says so"
    step = np.array([[1 - lr * h, -lr * beta], [h, beta]])
    return np.abs(np.linalg.eigvals(step)).max()


def check_descent(page, touch):
    for land in curvature:
        choose(page, land)
        for power in (-2.5, -2, -1.46, -1.3, -1):
            for beta in (0, 0.5, 0.9):
                slide(page, "rate", power)
                slide(page, "momentum", beta)
                check_walk(page, land, power, beta)
    choose(page, "valley")
    slide(page, "rate", -2)
    start = centre(page, ".handle")
    width = drawing(page).bounding_box()["width"]
    drag(page, drawing(page), start, moved(start, width / 6, 0))  # the view is 6 wide
    near(state(page)["w"], [-3, 1], "the mouse moves the start to", 0.11)
    check_walk(page, "valley", -2, 0.9)
    before = np.array(state(page)["w"])
    keys(page, drawing(page), "ArrowRight", "ArrowRight", "ArrowDown")
    near(state(page)["w"], before + [0.2, -0.1], "keys move the start to", 1e-6)
    check_walk(page, "valley", -2, 0.9)
    start = centre(touch, ".handle")
    width = drawing(touch).bounding_box()["width"]
    swipe(touch, drawing(touch), start, moved(start, width / 3, 0))
    near(state(touch)["w"], [-2, 1], "a finger moves the start to", 0.21)
    slider = page.locator(".explorable .slider", has_text="momentum").locator("input")
    keys(page, slider, "ArrowLeft")
    check_walk(page, "valley", -2, 0.89)


# ---- chapter 6: norms


def norms(groups):
    "PyTorch's layers, in the order of the explorable"
    return {
        "batch": nn.BatchNorm2d(6),
        "layer": nn.GroupNorm(1, 6),
        "instance": nn.InstanceNorm2d(6),
        "group": nn.GroupNorm(groups, 6),
    }


def same_mean(kind, at, groups):
    "Which numbers of (4, 6, 4) share a mean with the one at `at`"
    n, c, _ = at
    each = 6 // groups
    first = c // each * each
    out = np.zeros((4, 6, 4), bool)
    where = {
        "batch": np.s_[:, c],
        "layer": np.s_[n],
        "instance": np.s_[n, c],
        "group": np.s_[n, first : first + each],
    }
    out[where[kind]] = True
    return out


def check_sets(page, kind, groups):
    "What comes out, what is filled, and what is said"
    found = state(page)
    x = torch.tensor(found["x"], dtype=torch.float64)
    layer = norms(groups)[kind].double()
    want = layer(x.unflatten(2, (2, 2))).flatten(2).detach()
    name = f"{kind}, {groups} groups"
    near(found["y"], want, name)
    cells = page.locator(".explorable .number")
    pressed = "es => es.map(e => e.ariaPressed === 'true')"
    filled = np.array(cells.evaluate_all(pressed)).reshape(4, 6, 4)
    shared = same_mean(kind, found["picked"], groups)
    check((filled == shared).all(), f"{name}: the wrong cells are filled")
    values = x.numpy()[shared]
    said = f"{len(values)} numbers: μ = {values.mean():.2f}, σ = {values.std():.2f}"
    said = said.replace("-", "−").replace("−0.00", "0.00")
    check(said in words(page), f"{name}: {words(page)!r}, not {said!r}")
    sets = dict(batch=6, layer=4, instance=24, group=4 * groups)[kind]
    count = page.locator(".explorable .note").last.inner_text()
    check(count == f"{sets} means in this block", f"{name}: {count!r}")
    texts = cells.all_inner_texts()
    after = page.locator(".explorable .choice").last.locator("input").last.is_checked()
    shown = [float(t.replace("−", "-")) for t in texts]
    want = want if after else x
    near(shown, want.flatten(), f"{name}: the cells show", 0.0500001)


def check_norm(page, touch):
    for kind in norms(3):
        choose(page, kind)
        for groups in range(4) if kind == "group" else [2]:
            if kind == "group":
                slide(page, "groups", groups)
            check_sets(page, kind, [1, 2, 3, 6][groups])
    slide(page, "groups", 2)
    cells = page.locator(".explorable .number")
    cells.nth(2 * 4 + 1).click()  # image 1, channel 3, position 2
    check(state(page)["picked"] == [0, 2, 1], "norm: a click frames another number")
    slide(page, "framed", 9)
    check(state(page)["x"][0][2][1] == 9, "norm: the slider changes no number")
    images = dict(batch="1, 2, 3, 4", layer="1", instance="1", group="1")
    for kind, touched in images.items():
        choose(page, kind)
        check_sets(page, kind, 3)
        said = f"changed; image {touched} comes out differently"
        check(said in words(page), f"norm, {kind}: {words(page)!r}, not {said!r}")
    choose(page, "what the norm makes of them")
    check_sets(page, "group", 3)
    cells.nth(2 * 4 + 1).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    check(state(page)["picked"] == [1, 3, 0], "norm: arrow keys don't frame")
    focused = asked(page, "focus")[0].startswith("image 2, channel 4, position 1")
    check(focused, "norm: the focus doesn't follow the frame")
    check_sets(page, "group", 3)
    touch.locator(".explorable .number").nth(30).tap()
    check(state(touch)["picked"] == [1, 1, 2], "norm: a tap frames no number")


# ---- chapter 12: the invoice


def invoiced():
    "The chapter's run in 64 bits, its four mistakes, and `cam` of them"
    run = load_run(root / "nbs/files/shapes_run")
    test = shapes(2000, seed=2)
    probs = predict(run.model, test, run.mean, run.std).softmax(1)
    mistakes = misclassified(probs, test, 20)[:4]
    run.model.double()
    xb = run.batch([m.image for m in mistakes]).double()
    return run, mistakes, xb, cam(run.model, xb)


def without_cells(model, xb, cells):
    "The logits of an image with these cells of the last stage set to zero"

    def strike(module, args, out):
        out = out.clone()
        out.flatten(2)[:, :, cells] = 0
        return out

    handle = model.layer4.register_forward_hook(strike)
    with torch.no_grad():
        logits = model(xb)[0]
    handle.remove()
    return logits


def check_invoice(page, maps, logit, bias, what):
    "The lines of one invoice; `maps` is the class's, flat"
    found = state(page)
    lines = [much for _, much in found["lines"]]
    near(sum(lines[:-1]), lines[-1], f"{what}: the lines add up to")
    near(lines[-1], logit, f"{what}: the logit", 1e-4)
    near(lines[:2], [bias, maps[found["cell"]]], f"{what}: bias and cell", 1e-4)
    shown = page.locator(".explorable .bill li span:last-child").all_inner_texts()
    shown = [float(t.replace("−", "-")) for t in shown]
    near(shown, lines, f"{what}: the lines show", 0.000501)
    value = f"{abs(maps[found['cell']]):.3f}"
    check(value in words(page), f"{what}: {value} is not said: {words(page)!r}")


def check_cam(page, touch):
    run, mistakes, xb, r = invoiced()
    maps = r.maps["layer4"].flatten(2)  # (4, K, h*w)
    bias = run.model.fc.bias.detach()
    svg = drawing(page)
    for i, mistake in enumerate(mistakes):
        page.locator(".explorable .choice").first.locator("input").nth(i).check()
        pixels = picture(asked(page, "pictures")[0])
        check((pixels == mistake.image).all(), f"cam: image {i + 1} is another")
        for k, name in enumerate(run.classes):
            page.locator(".explorable select").select_option(str(k))
            what = f"image {i + 1}, {name}"
            check_invoice(page, maps[i, k], r.logits[i, k], bias[k], what)
    check_cells_by_mouse(page, maps[3, 9], r.logits[3, 9], bias[9])
    keys(page, svg, *["ArrowLeft"] * 8, *["ArrowUp"] * 8, "ArrowRight", "ArrowDown")
    check(state(page)["cell"] == 9, "cam: arrow keys don't walk")
    page.keyboard.press("Enter")
    button(page, "put back").click()
    page.keyboard.press("Tab")
    keys(page, svg, "Enter", "ArrowRight", "Space", "ArrowDown", "Enter")
    check_struck(page, run, xb[3:], [9, 10, 18])
    button(page, "Put all back").click()
    near(state(page)["logits"], r.logits[3], "cam: all cells are back", 1e-4)
    check_largest(page, run, maps[2], bias)
    drawing(touch).scroll_into_view_if_needed()
    box = drawing(touch).bounding_box()
    place = (box["width"] * 2.5 / 8, box["width"] * 5.5 / 8)
    swipe(touch, drawing(touch), place, place)
    check(state(touch)["cell"] == 5 * 8 + 2, "cam: a tap picks no cell")
    button(touch, "put back").tap()
    check_struck(touch, run, xb[:1], [5 * 8 + 2])


def check_cells_by_mouse(page, flat, logit, bias):
    "The mouse goes over each cell"
    box = drawing(page).bounding_box()
    each = box["width"] / 8
    for cell in range(64):
        x = box["x"] + (cell % 8 + 0.5) * each
        page.mouse.move(x, box["y"] + (cell // 8 + 0.5) * each)
        check(state(page)["cell"] == cell, f"cam: the mouse misses cell {cell}")
        check_invoice(page, flat, logit, bias, f"cell {cell}")


def check_largest(page, run, maps, bias):
    "The largest cells go first, until another class is ahead"
    page.locator(".explorable .choice").first.locator("input").nth(2).check()
    logits = bias + maps.sum(1)
    said = int(logits.argmax())
    for n, cell in enumerate(maps[said].argsort(descending=True), start=1):
        logits = logits - maps[:, cell]
        button(page, "the largest").click()
        near(state(page)["logits"], logits, f"cam: without the {n} largest", 1e-4)
        check(run.classes[logits.argmax()] in words(page), "cam: another answer")
        if int(logits.argmax()) != said:
            return


def check_struck(page, run, xb, cells):
    "Struck cells against a network that never had them"
    want = without_cells(run.model, xb, cells)
    near(state(page)["logits"], want, f"cam: without cells {cells}", 1e-4)
    top = want.softmax(0).max()
    said = f"{len(cells)} struck off, the network says {run.classes[want.argmax()]}, "
    said += f"with probability {top:.2f}"
    check(said in words(page), f"cam: {words(page)!r}, not {said!r}")
    crossed = page.locator(".explorable svg .strike").count()
    check(crossed == len(cells), f"cam: {crossed} cells are crossed out")


# ---- chapter 8: augmentation


def picture(address):
    "The bytes of a picture that a page draws"
    data = base64.b64decode(address.split(",")[1])
    with Image.open(io.BytesIO(data)) as f:
        return np.asarray(f.convert("RGB"))


def transformed(images, stats, draws):
    "What `BatchAugment` makes of images, as bytes"
    mean, std = stats
    augment = BatchAugment(mean, std, 1, 1, 1)
    dy, dx = torch.tensor([d["crop"] for d in draws]).T
    angle = torch.tensor([math.radians(d["angle"]) for d in draws])
    holes = [d["hole"] or [0, 0] for d in draws]
    y, x = torch.tensor(holes).T
    covered = torch.tensor([bool(d["hole"]) for d in draws])
    xb = torch.from_numpy(images)
    z = augment.transform(xb, dy, dx, angle, y, x, covered).permute(0, 2, 3, 1)
    return np.round((z.numpy() * std + mean) * 255)


def check_pixels(page, found, images, stats, draws, what):
    "A rotated pixel may be one level off where it lies between two"
    want = transformed(images, stats, draws)
    found = np.array(found)
    near(found, want, what, 1)
    still = [i for i, d in enumerate(draws) if not d["angle"]]
    near(found[still], want[still], f"{what}, not rotated", 0)


def flat(values):
    return np.array(values).reshape(32, 32, 3)


def check_one(page, images, stats, what):
    "The one that is changed by hand"
    found = state(page)
    steps = dict(found["steps"])
    if not page.locator(".explorable [type=checkbox]").is_checked():
        steps["hole"] = None
    result = flat(found["result"])
    check_pixels(page, [result], images[2:3], stats, [steps], what)
    shown = picture(asked(page, "pictures")[1])
    check((shown == result).all(), f"{what}: another result is drawn")
    return steps


def check_by_hand(page, images, stats):
    rng = np.random.default_rng(0)
    put = "([crop, hole]) => { const { steps } = explored.box().state;"
    put += "steps.crop.splice(0, 2, ...crop); steps.hole.splice(0, 2, ...hole) }"
    for angle in (-5, -2.5, 0, 0, 0.5, 5):
        corners = [rng.integers(0, 9, 2).tolist(), rng.integers(0, 17, 2).tolist()]
        page.evaluate(put, corners)
        slide(page, "rotation", angle)
        check_one(page, images, stats, f"by hand, {corners}, {angle} degrees")
    page.locator(".explorable [type=checkbox]").uncheck()
    check_one(page, images, stats, "by hand, without the hole")
    page.locator(".explorable [type=checkbox]").check()
    padded = picture(asked(page, "pictures")[0])
    want = np.pad(images[2], ((4, 4), (4, 4), (0, 0)), mode="reflect")
    check((padded == want).all(), "augment: the padding is another")


def check_batches(page, images, stats, n=50):
    "Batches by chance, and how often each step is taken"
    for name, p in presets.items():
        choose(page, name)
        taken = []
        for i in range(n):
            found = state(page)
            draws = found["draws"]
            taken += [list(d["taken"].values()) for d in draws]
            if i % 10 == 0:
                batch = [flat(b) for b in found["batch"]]
                check_pixels(page, batch, images, stats, draws, f"batch, {name}")
                shown = [picture(a) for a in asked(page, "pictures")[2:]]
                check((np.array(shown) == batch).all(), "another batch is drawn")
            if i < n - 1:
                button(page, "next batch").click()
        taken = np.array(taken)
        share = np.array([*taken.mean(0), (~taken.any(1)).mean()])
        none = np.prod([1 - v for v in p.values()])
        want = np.array([*p.values(), none])
        bound = 5 * np.sqrt(want * (1 - want) / len(taken)) + 1e-12
        check((np.abs(share - want) <= bound).all(), f"{name}: {share}, not {want}")
        untouched = (~taken.any(1)).sum()
        said = f"{untouched} of {len(taken)}, " in words(page)
        said = said and f"probabilities says {100 * none:.0f}%" in words(page)
        check(said, f"{name}: {words(page)!r}")


def check_augment(page, touch):
    data = shapes(50)
    stats = channel_stats(data.images)
    images = data.images[:16]
    check_by_hand(page, images, stats)
    check_batches(page, images, stats)
    page.evaluate("explored.box().state.steps.crop.splice(0, 2, 4, 4)")
    page.evaluate("explored.box().state.steps.hole.splice(0, 2, 8, 8)")
    slide(page, "rotation", 0)
    for i, (name, units) in enumerate((("crop", 40), ("hole", 32))):
        svg = drawing(page, i)
        svg.scroll_into_view_if_needed()
        unit = svg.bounding_box()["width"] / units
        start = state(page)["steps"][name]
        middle = (units * unit / 2, units * unit / 2)
        drag(page, svg, middle, moved(middle, 3 * unit, -2 * unit))
        steps = check_one(page, images, stats, f"the {name} by mouse")
        check(steps[name] == [start[0] - 2, start[1] + 3], f"mouse: {name} at {steps}")
        keys(page, svg, "ArrowLeft", "ArrowUp", "ArrowUp")
        steps = check_one(page, images, stats, f"the {name} by keys")
        check(steps[name] == [start[0] - 4, start[1] + 2], f"keys: {name} at {steps}")
        keys(page, svg, *["ArrowRight"] * 20)
        column = state(page)["steps"][name][1]
        check(column == (8, 16)[i], f"the {name} leaves the image")
    svg = drawing(touch, 1)
    svg.scroll_into_view_if_needed()
    start = centre(touch, ".handle", 1)
    unit = svg.bounding_box()["width"] / 32
    swipe(touch, svg, start, moved(start, -5 * unit, -4 * unit))
    check(state(touch)["steps"]["hole"] == [9, 8], "a finger doesn't move the hole")


# ---- what holds for each


def check_tab(page, name):
    "Tab reaches the controls, and shows where it is"
    page.evaluate("() => document.activeElement.blur()")
    page.locator(".explorable").evaluate(
        "e => { e.tabIndex = -1; e.focus(); e.removeAttribute('tabindex') }"
    )
    seen = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        focused, visible = asked(page, "focus")
        check(visible, f"{name}: no visible focus on {focused!r}")
        seen.add(focused)
    missed = set(asked(page, "controls")) - seen
    check(not missed, f"{name}: Tab does not reach {sorted(missed)}")


def check_place(browser, base, name):
    "Names, sizes and widths, light and dark"
    for scheme in ("light", "dark"):
        page = opened(browser, base, name, color_scheme=scheme)
        bare = asked(page, "unlabelled")
        check(not bare, f"{name}: {bare} controls without a name")
        outside = asked(page, "badValues")
        check(not outside, f"{name}: {outside} sliders outside their ends")
        for width in widths:
            page.set_viewport_size(dict(width=width, height=900))
            page.wait_for_timeout(100)
            wide = page.evaluate("() => document.scrollingElement.scrollWidth")
            check(wide <= width, f"{name}: {wide} px wide on a screen of {width}")
            for bad in asked(page, "badlyPlaced"):
                check(False, f"{name}, at {width} px: {bad}")
        page.close()


def check_without(browser, base, name, figure):
    "Without scripts the chapter's figure stays, and a sentence says what is missing"
    page = browser.new_page(java_script_enabled=False)
    page.route(lambda url: not url.startswith(base), site.answer_others)
    page.goto(f"{base}{name}.html")
    said = page.locator(".explorable noscript").inner_text()
    check("needs JavaScript" in said, f"{name}: no word without scripts")
    alone = page.locator(".explorable :not(noscript, noscript *)").count()
    check(not alone, f"{name}: dead controls without scripts")
    found = page.locator(f"#{figure}")
    check(found.count(), f"{name}: {figure} is lost without scripts")
    images = page.locator("main img").evaluate_all("es => es.length")
    check(images > 0, f"{name}: no figure without scripts")
    page.close()


checks = dict(
    plateau=check_plateau,
    descent=check_descent,
    norm=check_norm,
    cam=check_cam,
    augment=check_augment,
)


def main(built, only):
    folder = root / settings["doc_path"] if built else site.build()
    base = site.serve(folder)
    phone = dict(has_touch=True, is_mobile=True, viewport=dict(width=390, height=844))
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"]
        )
        for name in only or checks:
            page = opened(browser, base, name)
            touch = opened(browser, base, name, **phone)
            checks[name](page, touch)
            check_tab(page, name)
            page.close()
            touch.close()
            check_place(browser, base, name)
            check_without(browser, base, name, pages[name])
        browser.close()


if __name__ == "__main__":
    main("--built" in sys.argv, [a for a in sys.argv[1:] if a in checks])
    print(
        *(dict.fromkeys(faults) or ["the explorables are as they should be"]), sep="\n"
    )
    sys.exit(bool(faults))
