# SPDX-License-Identifier: MIT
# Blinks a lamp and logs it. The log is cut off at a size, and the oldest file goes: it never fills
# the card.

import json
import os
import time

import machine
import sdboot

LED = 22  # not 2, the lamp of many ESP32 boards: that is a line of the card
LOG = "/log"
LARGEST = 64 * 1024  # bytes of a file
KEEP = 8  # files


def settings():
    try:
        with open("/settings.json") as f:
            return json.load(f)
    except OSError:
        return {}


def files():
    """Numbers of the log's files, the oldest first."""
    try:
        return sorted(int(name[:-4]) for name in os.listdir(LOG) if name.endswith(".txt"))
    except OSError:
        os.mkdir(LOG)
        return []


def log(text, largest=LARGEST, keep=KEEP):
    """Appends a line; it is on the card when this returns."""
    there = files() or [0]
    path = "%s/%d.txt" % (LOG, there[-1])
    try:
        if os.stat(path)[6] >= largest:
            path = "%s/%d.txt" % (LOG, there[-1] + 1)
    except OSError:
        pass  # the first line of all
    with open(path, "a") as f:
        f.write(text + "\n")
    for number in there[:-keep]:
        os.remove("%s/%d.txt" % (LOG, number))


def run(config):
    led = machine.Pin(LED, machine.Pin.OUT)
    left = config.get("blinks", -1)  # -1: for ever
    count = 0
    while left:
        left -= 1
        count += 1
        led.value(count % 2)
        try:
            state = "on" if count % 2 else "off"
            log("%d ms: lamp is %s" % (time.ticks_ms(), state), *config.get("log", ()))
        except OSError as e:  # the card fails: blink on, and try again with the next line
            print("blink:", e)
            try:
                sdboot.recover()
            except OSError as e:
                print("blink: the card fails still:", e)
        time.sleep_ms(config.get("every_ms", 500))
    print("blink: blinked %d times, log has %d files" % (count, len(files())))


run(settings())
sdboot.confirm()
