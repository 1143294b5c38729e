# SPDX-License-Identifier: MIT
# A logger: a file for each day, values collected in memory and written a few at a time, because what
# costs is the flush, not the bytes. What is flushed is on the card, whatever the power does then. With
# journal="log" (boot.py) a flush is one sector; a PC reads it after sync(), or some seconds without one.

import json
import os
import time

import machine
import sdboot

SETTINGS = {
    "every_ms": 1000,
    "batch": 30,  # values a flush: at most so many are lost with the power
    "keep_free": 1 << 20,  # bytes: the oldest day goes before the card is full
    "values": -1,  # -1: for ever
}
FOLDER = "/data"


def settings():
    found = dict(SETTINGS)
    try:
        with open("/settings.json") as f:
            found.update(json.load(f))
    except OSError:
        pass
    return found


def measure():
    return time.ticks_ms() % 1000  # your sensor


def name():
    year, month, day = time.localtime()[:3]
    return "%s/%04d-%02d-%02d.csv" % (FOLDER, year, month, day)


def make_room(least):
    """Removes the oldest days until `least` bytes are free."""
    while sdboot.status()["free"] < least:
        days = sorted(os.listdir(FOLDER))
        if len(days) < 2:  # only today
            return
        os.remove(FOLDER + "/" + days[0])


def size(path):
    try:
        return os.stat(path)[6]
    except OSError as e:
        if e.errno != 2:  # not there yet
            raise
        return 0


def write(lines, keep_free):
    """True if all of `lines` are on the card, False if none of them is."""
    path, before = name(), None
    try:
        try:
            os.mkdir(FOLDER)
        except OSError as e:
            if e.errno != 17:  # it is there
                raise
        make_room(keep_free)
        before = size(path)
        with open(path, "a") as f:
            f.write("".join(lines))
        return True
    except OSError as e:
        print("sensor: not written:", e)
    try:
        sdboot.recover()  # what was half written is gone, unless the card had all of it when it failed
        return before is not None and size(path) > before
    except OSError as e:
        print("sensor: the card fails still:", e)
    return False


def finish():
    """Out of the journal's log: a PC finds all of it."""
    try:
        sdboot.sync()
    except OSError as e:
        print("sensor: not in place before the next boot:", e)


def confirm():
    """Sensor and card work: a new release may stay."""
    try:
        sdboot.confirm()
    except OSError as e:
        print("sensor: not confirmed:", e)


def run():
    config = settings()
    waiting = []
    left = config["values"]
    while left or waiting:
        if left:
            left -= 1
            waiting.append("%d,%d\n" % (time.time(), measure()))
        if len(waiting) >= config["batch"] or not left:
            if write(waiting, config["keep_free"]):
                print("sensor: wrote", len(waiting))
                waiting.clear()
                confirm()
            elif len(waiting) > 10 * config["batch"]:
                machine.reset()  # a card that was pulled out needs one to be found again
        time.sleep_ms(config["every_ms"])
    finish()


run()
