# SPDX-License-Identifier: MIT
URL = "http://192.168.1.10/releases"
READINGS = 1000000
EVERY_MS = 1000
