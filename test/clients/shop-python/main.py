"""A shop's back office written with one of Python's ORMs: `<which> <url>`. What it sends is captured; prints `ok`."""

import importlib
import sys

WHICH, URL = sys.argv[1:3]
importlib.import_module(f"shop_{WHICH.split('-')[0]}").work(WHICH, URL)
print("ok")
