# SPDX-License-Identifier: MIT
# A Raspberry Pi Pico with an SD card on SPI 1, see docs/INSTALL.md.
import sdboot
from machine import Pin, SPI
from spicard import SPICard


def card():
    return SPICard(SPI(1, sck=Pin(10), mosi=Pin(11), miso=Pin(12)), Pin(13))


sdboot.boot(sd=card)
