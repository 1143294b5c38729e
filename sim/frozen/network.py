# SPDX-License-Identifier: MIT
# Wi-Fi of the simulated board: connecting takes a while or never works (--wifi-delay), and the
# network behind it is the host's.
import time

import _board

STA_IF = 0
AP_IF = 1

STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202

_config = {"ssid": "", "hostname": "mpy-esp32", "reconnects": -1}
_active = [False, False]
_since = None


def hostname(name=None):
    if name is None:
        return _config["hostname"]
    _config["hostname"] = name


def country(code=None):
    if code is None:
        return "XX"


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        self._if = interface

    def active(self, on=None):
        global _since
        if on is not None:
            _active[self._if] = bool(on)
            if not on and self._if == STA_IF:
                _since = None
        return _active[self._if]

    def connect(self, ssid=None, key=None, *, bssid=None):
        global _since
        if self._if != STA_IF:
            raise OSError("STA required")
        if not _active[STA_IF]:
            raise OSError("Wifi Not Started")
        if ssid is not None:
            _config["ssid"] = ssid
        _since = time.ticks_ms()

    def disconnect(self):
        global _since
        _since = None

    def isconnected(self):
        delay = _board.wifi_delay_ms()
        if self._if != STA_IF or _since is None or delay < 0:
            return False
        return time.ticks_diff(time.ticks_ms(), _since) >= delay

    def status(self, param=None):
        if param == "rssi":
            return -50
        if param is not None:
            raise ValueError("unknown status param")
        if self.isconnected():
            return STAT_GOT_IP
        return STAT_IDLE if _since is None else STAT_CONNECTING

    def ifconfig(self, value=None):
        if value is None:
            ip = "127.0.0.1" if self.isconnected() else "0.0.0.0"
            return (ip, "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def ipconfig(self, *args, **kwargs):
        if kwargs:
            return None
        name = args[0]
        if name in ("addr4", "gw4"):
            ip = self.ifconfig()[0]
            return (ip, "255.0.0.0") if name == "addr4" else ip
        if name == "dhcp4":
            return True
        raise ValueError("unexpected key")

    def scan(self):
        return []

    def config(self, *args, **kwargs):
        for name, value in kwargs.items():
            _config[name] = value
        if args:
            if args[0] == "mac":
                import machine

                return machine.unique_id()
            if args[0] not in _config:
                raise ValueError("unknown config param")
            return _config[args[0]]
