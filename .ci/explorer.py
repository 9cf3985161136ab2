"""Use the explorer in a headless browser: python .ci/explorer.py [--shots FOLDER]

A page of 40 shapes is made in a temporary folder, opened from the disk, and used by mouse and by keyboard. Checked: what is chosen
changes the drawing; each map that the page computes is PyTorch's within the bound of the bytes, and the canvas shows it; the address
holds the view; nothing is on the console and nothing is requested; no width from 360 to 1600 px scrolls sideways; names of classes
stay text; the file is under 1 MB. `nbs/explore.html`, where it is there, is opened too (on the site `explorer.html` is the chapter).
Needs what `.ci/site.py` needs.
"""
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import sync_playwright

from project import browser_path, root, widths
from resnet_gradcam.data import ImageData, shapes
from resnet_gradcam.explorer import explorer
from resnet_gradcam.gradcam import GradCAM, upsample
from resnet_gradcam.train import load_run

layers = ['layer1', 'layer2', 'layer3', 'layer4']
limit = 1_000_000
hostile = '</script><b>', '<img src=x onerror=alert(1)>', 'actual', '&amp;', '0'
faults = []


def check(ok, what):
    if not ok:
        faults.append(what)


def opened(browser, path, **kwargs):
    "A page from the disk that reports what it must not do"
    page = browser.new_page(**kwargs)
    page.on('console', lambda m: faults.append(f'{path.name}: on the console: {m.text}'))
    page.on('pageerror', lambda e: faults.append(f'{path.name}: script: {e}'))
    page.on('request', lambda r: r.url.split('#')[0] == path.as_uri() or r.url.startswith('data:') or faults.append(f'{path.name}: request: {r.url[:80]}'))
    page.on('dialog', lambda d: (faults.append(f'{path.name}: a dialog: {d.message}'), d.dismiss()))
    page.goto(path.as_uri())
    return page


def canvas(page):
    "The map as it is drawn: colours and cover, (H, W, 4) uint8"
    h, w, flat = page.evaluate('''() => {
        const map = document.querySelector('#map'), copy = Object.assign(document.createElement('canvas'), { width: map.width, height: map.height }).getContext('2d')
        copy.drawImage(map, 0, 0)
        return [map.height, map.width, Array.from(copy.getImageData(0, 0, map.width, map.height).data)] }''')
    return np.array(flat, dtype=np.uint8).reshape(h, w, 4)


def shown(page):
    return np.array(page.evaluate('() => shownMap()'))


def pick(page, image, layer):
    "By mouse"
    page.locator('[name=image]').nth(image).click()
    page.locator('[name=layer]').nth(layer).click()


def check_maps(page, maps, content):
    "Single classes and differences against PyTorch's"
    for image, layer, a, b in [(0, 0, 3, None), (7, 1, 0, None), (20, 2, 9, None), (39, 3, 5, None), (3, 3, 2, 6), (11, 0, 1, 8), (25, 1, 4, 4), (38, 2, 7, 0)]:
        pick(page, image, layer)
        page.select_option('#target', str(a))
        page.select_option('#minus', '' if b is None else str(b))
        m = maps[layers[layer]][image].double()
        want = upsample(m[a] if b is None else m[a]-m[b], 32).numpy().ravel()
        step, top = content['images'][image]['maps'][layer]['scale'], content['layers'][layer]['top']
        name = f'picture {image+1}, {layers[layer]}, class {a}'+('' if b is None else f' less {b}')
        check(np.abs(shown(page)-want).max() <= step*(.5 if b is None else 1)*1.0001, f'{name}: off by {np.abs(shown(page)-want).max()/step:.2f} steps')
        drawn = canvas(page)
        cover = 255*np.minimum(1, np.abs(shown(page))/top)
        check(np.abs(drawn[..., 3].ravel()-cover).max() <= .51, f'{name}: the canvas does not show the map')
        strong = cover > 40
        check((np.where(drawn[..., 0] > drawn[..., 2], 1, -1).ravel()[strong] == np.sign(shown(page))[strong]).all(), f'{name}: the sign has the wrong colour')


def check_mouse(page, data):
    "What each control does"
    before = shown(page)
    for what, do in (('picture', lambda: page.locator('[name=image]').nth(4).click()), ('layer', lambda: page.locator('[name=layer]').nth(1).click()),
                     ('class', lambda: page.select_option('#target', '6')), ('difference', lambda: page.select_option('#minus', '1')),
                     ('bar', lambda: page.locator('#bars button').nth(8).click())):
        do()
        check(not np.array_equal(before, shown(page)), f'a {what} picked by mouse changes nothing')
        before = shown(page)
    check(page.locator('#bars [aria-pressed=true]').all_inner_texts()[0].startswith(data.classes[8]), 'the bar that was clicked is not marked')
    check(page.locator('#target').input_value() == '8', 'a click on a bar does not pick its class')
    check(page.locator('#actual').inner_text() == data.classes[data.labels[4]], 'the actual class is wrong')
    look = page.locator('#stage').screenshot()
    page.locator('#opacity').fill('20')
    check(page.locator('#map').evaluate('e => getComputedStyle(e).opacity') == '0.2' and page.locator('#stage').screenshot() != look, 'the opacity changes nothing')


def check_keyboard(page):
    "Tab to each control, keys to use it"
    page.evaluate("() => { location.hash = '' }")
    page.reload()
    page.keyboard.press('Tab')
    before, seen = page.locator('#stage').screenshot(), set()
    page.keyboard.press('ArrowRight')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('ArrowLeft')
    check(page.locator('[name=image]').nth(1).is_checked() and page.locator('#stage').screenshot() != before, 'arrow keys do not walk through the pictures')
    for _ in range(30):
        seen.add(page.evaluate("() => document.activeElement.name || document.activeElement.closest('[id]')?.id || ''"))
        ring = page.evaluate("() => { const e = document.activeElement, of = e.name === 'image' ? e.nextElementSibling : e.name === 'layer' ? e.parentElement : e; return e === document.body || getComputedStyle(of).outlineStyle }")
        check(ring is True or ring != 'none', f'no visible focus on {page.evaluate("() => document.activeElement.outerHTML")[:60]}')
        if page.evaluate("() => document.activeElement.id === 'opacity'"):
            page.keyboard.press('Home')
            check(page.locator('#percent').inner_text() == '0%', 'keys do not move the opacity')
        page.keyboard.press('Tab')
    check({'image', 'layer', 'target', 'minus', 'opacity', 'bars'} <= seen, f'Tab reaches {sorted(seen)} only')
    page.locator('[name=layer]').nth(3).focus()
    page.keyboard.press('ArrowLeft')
    check(page.locator('[name=layer]').nth(2).is_checked(), 'arrow keys do not walk through the layers')
    page.locator('#bars button').nth(3).focus()
    page.keyboard.press('Enter')
    check(page.locator('#target').input_value() == '3', 'Enter on a bar does not pick its class')


def check_hash(browser, page, path):
    "The address holds the view, and a wrong one does no harm"
    pick(page, 12, 1)
    page.select_option('#target', '2')
    page.select_option('#minus', 'actual')
    page.locator('#opacity').fill('35')
    page.wait_for_timeout(400)
    view, url = shown(page), page.url
    check(url.endswith('#image=13&layer=layer2&class=moon&less=actual&opacity=35'), f'the address is {url.split("#")[-1]}')
    other = browser.new_page()
    other.goto(url)
    check(np.array_equal(shown(other), view) and other.locator('#opacity').input_value() == '35', 'an address does not restore its view')
    other.goto(path.as_uri()+'#image=2&layer=layer4')   # the same page, another address
    check(other.locator('[name=image]').nth(1).is_checked(), 'a changed address changes nothing')
    other.close()
    for wrong in ('#image=0&layer=no&class=no&less=no&opacity=101', '#image=1e9', '#image=-1&opacity=x', '#%', '#class=__proto__&less=length&image=constructor'):
        odd = opened(browser, path)
        odd.goto(path.as_uri()+wrong)
        odd.reload()
        check(odd.locator('[name=image]').nth(0).is_checked() and odd.locator('#target').input_value() == 'predicted', f'{wrong} is not answered by the first view')
        odd.close()


def check_structure(browser, path, shots=None):
    "What holds for any page of the explorer"
    check(path.stat().st_size < limit, f'{path.name}: {path.stat().st_size:,} bytes')
    for scheme in ('light', 'dark'):
        page = opened(browser, path, color_scheme=scheme)
        n = page.locator('[name=image]').count()
        check(n > 0 and page.locator('h1').inner_text() and page.locator('#picture').evaluate('e => e.complete && e.naturalWidth > 0'), f'{path.name}: nothing is shown')
        bare = page.evaluate("() => [...document.querySelectorAll('input, select, button')].filter(e => !(e.labels?.[0]?.textContent || e.textContent || e.labels?.[0]?.querySelector('img')?.alt || '').trim()).length")
        check(not bare, f'{path.name}: {bare} controls without a label')
        check(not page.evaluate("() => [...document.images].filter(i => !i.alt).length"), f'{path.name}: a picture without alt text')
        for width in widths:
            page.set_viewport_size(dict(width=width, height=900))
            for image in (0, n-1):
                page.locator('[name=image]').nth(image).click()
                wide = page.evaluate('() => document.scrollingElement.scrollWidth')
                check(wide <= width, f'{path.name}: {wide} px wide on a screen of {width}')
        dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(v => v < 100)")
        check(dark == (scheme == 'dark'), f'{path.name}: not {scheme}')
        page.close()
        for width in (380, 1280) if shots else ():
            page = opened(browser, path, color_scheme=scheme, viewport=dict(width=width, height=900))
            page.screenshot(path=Path(shots)/f'{path.stem}-{width}-{scheme}.png', full_page=True)
            page.close()


def check_hostile(browser, path):
    "Names stay text, and a class called `actual` or `0` can be picked and linked"
    page = opened(browser, path)
    check(page.locator('#bars .class').all_inner_texts()[:5] == list(hostile), f'{path.name}: names became {page.locator("#bars .class").all_inner_texts()[:5]}')
    check(page.title() == '<b>title</b>' and not page.locator('b, #bars img, #stage script').count(), f'{path.name}: a name became markup')
    for k in range(5):
        page.locator('#bars button').nth(k).click()
        page.wait_for_timeout(250)
        view = shown(page)
        page.reload()
        check(page.locator('#target').input_value() == str(k) and np.array_equal(shown(page), view), f'{path.name}: class {hostile[k]} is not restored')
    page.close()


def main(shots=None):
    run, data = load_run(root/'nbs/files/shapes_run'), shapes(40, seed=2)
    with GradCAM(run.model, layers) as explain:
        maps = explain(run.batch(data.images), torch.arange(10).expand(40, -1)).maps
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        path, bad = Path(folder)/'shapes.html', Path(folder)/'hostile.html'
        explorer(run, data, path)
        names = hostile+data.classes[5:]
        explorer(replace(run, classes=names), ImageData(data.images[:3], data.labels[:3], names), bad, title='<b>title</b>')
        browser = p.chromium.launch(executable_path=browser_path(), args=['--no-sandbox'])
        page = opened(browser, path)
        content = page.evaluate('() => data')
        check_maps(page, maps, content)
        check_mouse(page, data)
        check_keyboard(page)
        check_hash(browser, page, path)
        page.close()
        check_hostile(browser, bad)
        for each in filter(Path.exists, (path, bad, root/'nbs/explore.html')):
            check_structure(browser, each, shots)
        print(f'{path.stat().st_size:,} bytes')
        browser.close()


if __name__ == '__main__':
    main(sys.argv[2] if sys.argv[1:2] == ['--shots'] else None)
    print(*(dict.fromkeys(faults) or ['the explorer is as it should be']), sep='\n')
    sys.exit(bool(faults))
