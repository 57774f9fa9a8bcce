"""What forms cost: showing and answering each kind of field in Telegram, and a draft in Redis.

The parts are in form_kinds, because this script's folder stands first on the path and would hide the package `forms`.
"""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = str(Path(__file__).resolve().parent)
    sys.path.remove(folder)
    importlib.import_module("forms")
    sys.path.insert(0, folder)
    importlib.import_module("form_kinds.measuring").main()
