# SPDX-License-Identifier: MIT
# Values come a few bytes at a time: with the log a flush of them is one sector on the card.
import sdboot

sdboot.boot(journal="log")
