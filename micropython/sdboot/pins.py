# The recovery pin.

# Pins that the firmware drives when machine.SDCard is told nothing else, on the original ESP32.
_ESP32_PINS = {
    1: {"sck": 14, "cmd": 15, "data": (2, 4, 12, 13)},
    2: {"sck": 18, "miso": 19, "mosi": 23, "cs": 5},
    3: {"sck": 14, "miso": 2, "mosi": 15, "cs": 13},
}
_PIN_ARGUMENTS = ("sck", "miso", "mosi", "cs", "cmd", "data", "cd", "wp")


def _pin_numbers(value):
    if value is None:
        return ()
    if isinstance(value, (tuple, list)):
        return [n for v in value for n in _pin_numbers(v)]
    if isinstance(value, int):
        return (value,)
    # A machine.Pin prints as Pin(18) or Pin(18, mode=...).
    return (int(str(value).split("(")[1].split(",")[0].split(")")[0]),)


def _card_pins(sd):
    import os

    machine = os.uname()[4]
    default = {}
    if machine.endswith("ESP32"):
        default = _ESP32_PINS.get(sd.get("slot", 1), {})
    for name in _PIN_ARGUMENTS:
        numbers = _pin_numbers(sd.get(name, default.get(name)))
        if name == "data":
            numbers = list(numbers)[: sd.get("width", 1)]
        for number in numbers:
            yield number, name


def pressed(pin, sd):
    # Is the recovery pin held low? A pin that the card needs is refused, not driven.
    if pin is None:
        return False
    from machine import Pin

    for number, name in _card_pins(sd):
        if number == pin:
            raise ValueError(
                "recovery pin %d is the card's %s pin: choose another, boot(pin=...)" % (pin, name)
            )
    return Pin(pin, Pin.IN, Pin.PULL_UP).value() == 0
