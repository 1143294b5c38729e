# SPDX-License-Identifier: MIT
# Wi-Fi, with an end to the waiting.

import time

import network


def connect(ssid, key, timeout_s=15, waiting=None):
    """True once connected, False if that took too long or can't be. Calls waiting() meanwhile."""
    try:
        wlan = network.WLAN(network.STA_IF)
        wlan.active(True)
        if not wlan.isconnected():
            wlan.connect(ssid, key)
        start = time.ticks_ms()
        while not wlan.isconnected():
            if time.ticks_diff(time.ticks_ms(), start) > timeout_s * 1000:
                wlan.disconnect()  # or the next connect() is refused
                return False
            if waiting:
                waiting()
            time.sleep_ms(100)
        return True
    except OSError as e:
        print("wifi:", e)
        return False
