# SPDX-License-Identifier: MIT
# An example of an application: measures and logs for ever, and looks for updates while it does.
# Nothing that network, server or card do ends it.

import json
import time

import machine
import sdboot

from . import wifi

# Belongs to this board, hence to no release: on the card, or on the internal flash, where it stays
# when the card is exchanged.
SETTINGS = ("/settings.json", "/flash/settings.json")

watchdog = None


def settings():
    for path in SETTINGS:
        try:
            with open(path) as f:
                return json.load(f)
        except OSError:
            pass
    raise OSError("no settings.json, neither on the card nor on the internal flash")


def feed(*progress):
    """Keeps the watchdog quiet; the updater calls it while it works."""
    if watchdog:
        watchdog.feed()


def look(config):
    """Installs a newer release and resets. Returns True if the server could be asked; without
    Wi-Fi, without a server, with a broken package the application runs as it is."""
    if not wifi.connect(config["ssid"], config["key"], waiting=feed):
        print("app: no Wi-Fi, going on without")
        return False
    try:
        ota = sdboot.OTA(
            config["updates"],
            quite=False,
            timeout=10,
            progress=feed if watchdog else None,  # None: a progress bar
        )
        if ota.install_update_if_available():
            machine.reset()
        return True
    except (OSError, MemoryError) as e:
        print("app: no update:", e)
        return False


def measure():
    return time.ticks_ms()  # your sensor


def log(path, value):
    """Returns True if it is on the card."""
    try:
        with open(path, "a") as f:
            f.write("%d\n" % value)
        print("app: logged", value)
        return True
    except OSError as e:
        print("app: not logged:", e)
        sdboot.recover()
        return False


def confirm():
    try:
        if sdboot.confirm():
            print("app: release confirmed")
    except OSError as e:
        print("app: not confirmed:", e)


def run():
    global watchdog
    print("app: this is release", sdboot.version())
    config = settings()
    if config.get("watchdog_s"):  # longer than any wait in here: 60
        watchdog = machine.WDT(timeout=config["watchdog_s"] * 1000)
    wait_s = 0  # until the next look for an update
    since = time.ticks_ms()
    left = config.get("readings", -1)  # -1: for ever
    while left:
        left -= 1
        feed()
        if time.ticks_diff(time.ticks_ms(), since) >= wait_s * 1000:
            reached = look(config)
            # On trial a release has a few minutes to reach the server.
            wait_s = config.get("look_s", 3600) if reached else config.get("retry_s", 60)
            since = time.ticks_ms()
        # The next release can be fetched, and the sensor works: this one may stay.
        if log(config["log"], measure()) and reached:
            confirm()
        for _ in range(config["interval_s"]):
            feed()
            time.sleep(1)
