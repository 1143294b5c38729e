# SPDX-License-Identifier: MIT
# Runs from the card after boot.py. A release may replace this file.
from app import start

start.run()
