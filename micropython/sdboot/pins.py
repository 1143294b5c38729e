# SPDX-License-Identifier: MIT
# The recovery pin.

import os

# Pins that the firmware drives when machine.SDCard is told nothing else, on the original ESP32.
_ESP32_PINS = {
    1: {"sck": 14, "cmd": 15, "data": (2, 4, 12, 13)},
    2: {"sck": 18, "miso": 19, "mosi": 23, "cs": 5},
    3: {"sck": 14, "miso": 2, "mosi": 15, "cs": 13},
}
_PIN_ARGUMENTS = ("sck", "miso", "mosi", "cs", "cmd", "data", "cd", "wp")

_pin = None  # the recovery pin as boot() was given it: a number, a name or a Pin


def _flat(value):
    if isinstance(value, (tuple, list)):
        return [v for one in value for v in _flat(one)]
    return [] if value is None else [value]


def _pins_of(sd):
    # (pin, what it is for) of everything that is known about the card.
    if sd is None:
        sd = {}
    if not isinstance(sd, dict):
        return _pins_of_driver(sd)
    default = {}
    if hasattr(os, "uname") and os.uname()[4].endswith("ESP32"):
        default = _ESP32_PINS.get(sd.get("slot", 1), {})
    found = []
    for name in _PIN_ARGUMENTS:
        pins = _flat(sd.get(name, default.get(name)))
        if name == "data":
            pins = pins[: sd.get("width", 1)]
        found += [(pin, name) for pin in pins]
    return found


def _pins_of_driver(driver):
    # micropython-lib's sdcard.SDCard has its bus in `spi` and a Pin in `cs`. An SPI prints as
    # SPI(0, baudrate=..., sck=18, mosi=19, miso=16).
    found = [(pin, "cs") for pin in _flat(getattr(driver, "cs", None))]
    text = str(getattr(driver, "spi", "")).replace(")", ",")
    for name in ("sck", "mosi", "miso"):
        value = text.partition(name + "=")[2].partition(",")[0].strip("'\"")
        if value and value != "None":
            found.append((int(value) if value.isdigit() else value, name))
    return found


def _name(pin):
    # What the firmware calls it. A Pin prints as Pin(18), Pin(GPIO18, mode=IN), Pin(Pin.cpu.B3, ...
    from machine import Pin

    if isinstance(pin, (int, str)):
        pin = Pin(pin)
    return str(pin).partition("(")[2].partition(",")[0].partition(")")[0]


def _same(a, b):
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    try:
        return _name(a) == _name(b)
    except (ValueError, TypeError):  # there is no such pin
        return False


def refuse(sd):
    """Does without the recovery pin if it is known to be one of the card's: `sd` is None, a dict
    with arguments of machine.SDCard, or a driver."""
    global _pin
    if _pin is None or isinstance(sd, type):
        return
    for pin, name in _pins_of(sd):
        if _same(pin, _pin):
            print(
                "sdboot: recovery pin %s is the card's %s pin: choose another, boot(pin=...); "
                "there is none now" % (_pin, name)
            )
            _pin = None
            return


def refused():
    """Has the pin turned out to be the card's after it was read?"""
    return _pin is None


def pressed(pin, sd):
    """Is the recovery pin held low? A pin that the card needs is not driven."""
    global _pin
    _pin = pin
    refuse(sd)
    if _pin is None:
        return False
    try:
        if isinstance(pin, (int, str)):
            from machine import Pin

            pin = Pin(pin, Pin.IN, Pin.PULL_UP)
        elif hasattr(pin, "init"):  # a Signal has none
            pin.init(pin.IN, pin.PULL_UP)
    except (ValueError, TypeError, ImportError) as e:  # there may be no machine.Pin
        raise ValueError(
            "recovery pin %s: %s; boot(pin=...) names another, None is for none" % (_pin, e)
        )
    return pin.value() == 0
