"""What one bot process carries: form steps a second against a bare echo bot, and a crowd that fills a form at once.

The parts are in bot_rivals, because this script's folder stands first on the path and would hide the
packages `bot` and `forms`.
"""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = str(Path(__file__).resolve().parent)
    sys.path.remove(folder)
    for package in ("bot", "forms"):
        importlib.import_module(package)
    sys.path.insert(0, folder)
    importlib.import_module("bot_rivals.measuring").main()
