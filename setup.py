"The package as setuptools sees it. Settings live in settings.ini; edit them there."

from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

config = ConfigParser(delimiters=["="])
config.read("settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]

py_versions = "3.11 3.12 3.13".split()
# folders of data, which setuptools calls packages
weights = [
    f"{cfg['lib_name']}.{p.name}"
    for p in sorted(Path(cfg["lib_name"]).glob("cifar10_w*"))
]
extras = {k: cfg[f"{k}_requirements"].split() for k in ("dev", "peers", "docs")}

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    keywords=cfg["keywords"].split(),
    author=cfg["author"],
    author_email=cfg["author_email"],
    license="Apache-2.0",
    license_files=["LICENSE"],
    url=cfg["git_url"],
    project_urls={
        "Documentation": cfg["doc_host"] + cfg["doc_baseurl"],
        "Changelog": f"{cfg['git_url']}/blob/{cfg['branch']}/CHANGELOG.md",
        "Issues": f"{cfg['git_url']}/issues",
    },
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: " + cfg["audience"],
        "Natural Language :: " + cfg["language"],
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        *(f"Programming Language :: Python :: {v}" for v in py_versions),
    ],
    packages=[cfg["lib_name"], *weights],
    package_data={
        cfg["lib_name"]: ["*.csv", "*.html", "*.css", "*.js"],
        **{folder: ["*"] for folder in weights},
    },
    python_requires=">=" + cfg["min_python"],
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
    entry_points={
        "console_scripts": cfg["console_scripts"].split(),
        "nbdev": [
            f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"
        ],  # without it, doc and source links vanish
    },
    zip_safe=False,
)
