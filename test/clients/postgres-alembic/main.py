"""Alembic's migrations: `main.py up|down alembic <url>`. Prints `ok`."""

import logging
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

direction, _, url = sys.argv[1:]
logging.disable(logging.INFO)
config = Config()
config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
config.set_main_option("version_table", "alembic_done")
config.attributes["url"] = url.replace("postgres://", "postgresql+psycopg://")
if direction == "up":
    command.upgrade(config, "head")
else:
    command.downgrade(config, "base")
print("ok")
