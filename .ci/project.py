"""What the scripts in this folder share: where the project lies, its settings, and how pages are looked at."""
import shutil
import sys
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='])
config.read(root/'settings.ini', encoding='utf-8')
settings = config['DEFAULT']
repository = settings['git_url']
widths = (360, 768, 1200, 1600)  # of the screens on which pages are looked at


def browser_path():
    found = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome', 'chrome'))), None)
    return found or sys.exit('error: no Chromium here. Install it (apt-get install chromium).')
