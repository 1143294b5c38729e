# SPDX-License-Identifier: MIT
# boot.py of the internal flash: the card becomes "/" and its main.py runs.
import sdboot

sdboot.boot()
