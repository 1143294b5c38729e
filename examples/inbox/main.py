# SPDX-License-Identifier: MIT
from app import start

start.run()
