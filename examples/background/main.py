# SPDX-License-Identifier: MIT
# An application with asyncio that looks for releases and stages them while it works. It resets when
# its own work allows it, and confirms a new release once it has reached the server from there.

import asyncio
import json

import machine
import sdboot

SETTINGS = {
    "url": "http://192.168.1.10/releases",
    "every": 24 * 3600,  # seconds between two looks
    "hours": None,  # [2, 5]: between 2:00 and 5:00 only
    "first": None,  # seconds until the first look; None: some time in the first hour
    "beats": -1,  # how often the work is done, -1: for ever
    "every_ms": 1000,
}


def settings():
    found = dict(SETTINGS)
    try:
        with open("/settings.json") as f:
            found.update(json.load(f))
    except OSError:
        pass
    return found


async def work(config, due):
    """What the board is for. Between two beats nothing is half done: a reset is welcome there."""
    beats = 0
    with open("/beats.txt", "a") as log:
        while beats != config["beats"] and not due.is_set():
            beats += 1
            log.write("%d\n" % beats)
            log.flush()  # on the card, also in the middle of an update
            await asyncio.sleep_ms(config["every_ms"])
    print("background: %d beats" % beats)


async def updates(config, due):
    try:
        ota = sdboot.OTA(config["url"])
        if sdboot.status()["state"] == "trial":
            await asyncio.sleep(config["first"] or 0)
            ota.check()  # an error here, or none in time: the board takes the release back
            sdboot.confirm()
            print("background: release confirmed")
        await ota.poll(config["every"], config["hours"], config["first"])
        due.set()
    except OSError as e:
        print("background: no updates:", e)


async def main():
    config = settings()
    due = asyncio.Event()
    print("background: release", sdboot.version())
    task = asyncio.create_task(updates(config, due))
    await work(config, due)
    task.cancel()
    if due.is_set():
        print("background: reset into the new release")
        machine.reset()


asyncio.run(main())
