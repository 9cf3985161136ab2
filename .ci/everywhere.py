"""The commands on this system, with what differs between systems: no arguments.

Names in another script on a terminal of an old code page, a script without a main
guard, two processes. It takes a minute or two, and writes to a folder of its own only.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from PIL import Image
from resnet_gradcam.shapes import shapes

scripts = Path(sysconfig.get_path("scripts"))
unguarded = """
from resnet_gradcam.data import image_folder
train, test = image_folder("写真")
assert (len(train), len(test)) == (20, 20)
assert train.classes == ("circle", "月")
"""


def write_images():
    "A data folder of two classes, one of them with a Japanese name"
    for part, seed in (("train", 1), ("test", 2)):
        data = shapes(100, seed)
        for label, name in enumerate(("circle", "月")):
            folder = Path("写真", part, name)
            folder.mkdir(parents=True)
            images = data.images[data.labels == label]
            for i, image in enumerate(images):
                Image.fromarray(image).save(folder / f"{i} 写真.png")


def run(*command, encoding="utf-8"):
    "Run a command, and end if it fails; what it prints, in that encoding"
    env = dict(
        os.environ, PYTHONIOENCODING=encoding, XDG_CACHE_HOME=os.path.abspath("c")
    )
    print("+", *(ascii(str(part)) for part in command), flush=True)
    done = subprocess.run(list(map(str, command)), env=env, capture_output=True)
    text = (done.stdout + done.stderr).decode(encoding, errors="replace")
    if done.returncode or "Traceback" in text or "Warning" in text:
        sys.exit(f"error: it failed\n{ascii(text)}")
    return text


def main():
    write_images()
    Path("unguarded.py").write_text(unguarded, encoding="utf-8")
    run(sys.executable, "unguarded.py")
    settings = "--data 写真 --width 16 --epochs 1".split()
    run(scripts / "gradcam_train", *settings, "--out", "one", encoding="cp1252")
    photo = Path("写真", "test", "月", "0 写真.png")
    for encoding in ("utf-8", "cp1252", "ascii"):
        explain = [scripts / "gradcam_explain", photo, "--run", "one", "--force"]
        text = run(*explain, encoding=encoding)
        assert ("写真" if encoding == "utf-8" else r"\u5199\u771f") in text, text
    if sys.platform != "win32":  # PyTorch has no rendezvous there that needs no set-up
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
        run(*torchrun, "-m", "resnet_gradcam.cli", *settings, "--out", "two")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir(scripts)  # Windows removes no folder that somebody is in
