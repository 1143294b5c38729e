# SPDX-License-Identifier: MIT
import time

import machine
import sdboot as uota  # was: import uota

from . import settings


def main():
    ota = uota.OTA(settings.URL, quite=False)
    print("app:", ota.get_version("app"), "runs")
    try:
        if ota.install_update_if_available():
            machine.reset()
    except OSError as e:
        print("app: no update:", e)
    for value in range(settings.READINGS):
        print("app: reading", value)
        time.sleep_ms(settings.EVERY_MS)
