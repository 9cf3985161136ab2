"""Make the pictures of the home page's cards, and the one that a link to the site shows, from figures of the chapters: python .ci/cards.py

A card's picture is the figure that stands in the list below, shrunk. Run it after a chapter whose figure is listed was executed anew.
"""
import base64
import io
import json
import re

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from project import root, settings

cards = {'00_data': 'fig-data-heart', '01_show': 'fig-show-overlay', '02_augment': 'fig-augment-three', '03_norm': 'fig-norm-three', '04_resnet': 'fig-resnet-block',
         '05_descent': 'fig-descent-walks', '06_plateau': 'fig-plateau-run', '07_train': 'fig-train-run', '08_mistakes': 'fig-mistakes-pairs', '09_gradcam': 'fig-gradcam-signed',
         '10_trust': 'fig-trust-three', '20_cifar10_40_epochs': 'fig-cifar-curves', '21_gallery': 'fig-gallery-forty',
         '30_scale': 'fig-scale-minutes', '31_faults': 'fig-faults-kills', '32_strangers': 'fig-strangers-odd', '40_benchmarks': 'fig-benchmarks-growth'}
images = root/'nbs/images'
size = 480, 250


def figure(name, label):
    "The picture that the cell with that label made"
    cells = json.loads((root/f'nbs/{name}.ipynb').read_text(encoding='utf-8'))['cells']
    outputs = [o['data']['image/png'] for c in cells if re.search(rf'label: {label}$', ''.join(c['source']), re.M) for o in c['outputs'] if 'image/png' in o.get('data', {})]
    if not outputs:
        raise SystemExit(f'error: {name} has no figure {label}. Name another in .ci/cards.py.')
    return Image.open(io.BytesIO(base64.b64decode(''.join(outputs[0])))).convert('RGB')


def save(picture, name):
    "On white, with a margin, in few colours"
    inner = ImageOps.contain(picture, (size[0]-20, size[1]-20), Image.Resampling.LANCZOS)
    card = Image.new('RGB', size, 'white')
    card.paste(inner, ((size[0]-inner.width)//2, (size[1]-inner.height)//2))
    card.quantize(128).save(images/f'card_{name}.png', optimize=True)


def social():
    "What a link to the site shows: 1200x630, the name, the promise, and the picture of the home page"
    fig = Figure(figsize=(12, 6.3), dpi=100, facecolor='white')
    FigureCanvasAgg(fig)
    fig.text(.05, .86, settings['title'], fontsize=44, weight='bold', color='#222')
    fig.text(.05, .765, 'How a ResNet learns, and why it errs', fontsize=26, color='#555')
    ax = fig.add_axes((.03, .03, .94, .69))
    ax.imshow(Image.open(images/'index_0.png').convert('RGB'))
    ax.axis('off')
    fig.savefig(images/'social.png')


for name, label in cards.items():
    save(figure(name, label), name[:2])
for name, source in (('11', 'index_0'), ('12', 'explorer')):
    save(Image.open(images/f'{source}.png').convert('RGB'), name)
social()
