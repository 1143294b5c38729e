# Wi-Fi, with an end to the waiting.

import time

import network


def connect(ssid, key, timeout_s=15):
    """True once connected, False if that took too long."""
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():
        wlan.connect(ssid, key)
    start = time.ticks_ms()
    while not wlan.isconnected():
        if time.ticks_diff(time.ticks_ms(), start) > timeout_s * 1000:
            return False
        time.sleep_ms(100)
    return True
