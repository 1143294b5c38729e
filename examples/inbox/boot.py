# SPDX-License-Identifier: MIT
# A board without a network: releases come in a folder `update` that somebody copies onto the card.
import sdboot

sdboot.boot(inbox="update")
