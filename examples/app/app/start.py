# An example of an application: look for an update, then measure and log for ever.

import json
import time

import machine
import sdboot

from . import wifi

# Belongs to this board, hence to no release: on the card, or on the internal flash, where it stays
# when the card is exchanged.
SETTINGS = ("/settings.json", "/flash/settings.json")


def settings():
    for path in SETTINGS:
        try:
            with open(path) as f:
                return json.load(f)
        except OSError:
            pass
    raise OSError("no settings.json, neither on the card nor on the internal flash")


def update(url):
    """Installs a newer release and resets. Returns whatever goes wrong: without Wi-Fi, without a
    server, with a broken package the application runs as it is."""
    try:
        if sdboot.OTA(url, quite=False, timeout=10).install_update_if_available():
            machine.reset()
    except OSError as e:
        print("app: no update:", e)


def measure():
    return time.ticks_ms()  # your sensor


def run():
    print("app: this is release", sdboot.version())
    config = settings()
    if wifi.connect(config["ssid"], config["key"]):
        update(config["updates"])
    else:
        print("app: no Wi-Fi, going on without")
    left = config.get("readings", -1)  # -1: for ever
    while left:
        left -= 1
        value = measure()
        with open(config["log"], "a") as f:
            f.write("%d\n" % value)
        print("app: logged", value)
        # Wi-Fi and server have been tried and the sensor works: this release may stay.
        if sdboot.confirm():
            print("app: release confirmed")
        time.sleep(config["interval_s"])
