# SPDX-License-Identifier: MIT
# Counts its starts in a small database on the card.

import sdboot
from store import Store

db = Store("/counts.db")
db["starts"] = db.get("starts", 0) + 1
print("database: this is start", db["starts"])

# Several values together, all or none.
db.update({"version": sdboot.version(), "last": "start %d" % db["starts"]})
for i in range(100):
    db["value"] = i
print("database: %d keys, %d lines" % (len(db.values), db.lines))
sdboot.confirm()
