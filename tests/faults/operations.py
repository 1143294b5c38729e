# SPDX-License-Identifier: MIT
"""What the fault matrix does on a card, and on which cards."""

from rig import MIB


class Card:
    def __init__(self, fs, size, **boot):
        self.fs = fs
        self.size = size
        self.boot = {"fs": fs, **boot}
        self.journal = fs == "fat" and boot.get("journal", True)

    def source(self):
        """The arguments of boot() as source text."""
        return ", ".join("%s=%r" % v for v in self.boot.items())


CARDS = {
    "fat": Card("fat", 8 * MIB),
    "plain": Card("fat", 8 * MIB, journal=False),
    "littlefs": Card("littlefs", MIB),
}


class Operation:
    """`setup` runs before the fault is armed, `source` then. `booted`: after boot(). `card`: the
    state of the card, see make_card(). `loose`: files that may be anything in between if the
    operation fails on a card without journal. `atomic`: not for several operations in a row.
    `changes`: the card is another one afterwards. `destroys`: what it was is gone if it fails."""

    def __init__(
        self,
        name,
        source,
        setup="",
        booted=True,
        card="old",
        loose=(),
        atomic=True,
        changes=True,
        cards=tuple(CARDS),
        pin_low=False,
        destroys=False,
    ):
        self.name = name
        self.source = source
        self.setup = setup
        self.booted = booted
        self.card = card
        self.loose = loose
        self.atomic = atomic
        self.changes = changes
        self.cards = cards
        self.pin_low = pin_low
        self.destroys = destroys

    def suits(self, card):
        return card in self.cards

    def nothing(self):
        """The same up to where it would begin."""
        values = dict(self.__dict__, name="nothing", source="", setup="", changes=False)
        return Operation(**values)


def transaction(text):
    return "with sdboot.transaction():\n" + "".join("    %s\n" % t for t in text.splitlines())


CHANGES = """put("/new", b"n" * 9000)
os.remove("/log.txt")
os.rename("/config.json", "/config.old")
put("/table.csv", b"x" * 3000, "r+b", 500)
os.mkdir("/folder")
put("/folder/file", b"f" * 100)"""
FAILED = """
_board.card_fail("w1+")
outcome(lambda: put("/table.csv", b"x" * 3000, "r+b", 500))
_board.card_fail("")
"""
MANY = 'os.mkdir("/many")\nfor i in range(5):\n    put("/many/a file with a long name %d" % i, b"m")'

OPERATIONS = (
    Operation("read", 'files("now")', changes=False),
    Operation("status", "sdboot.status()", changes=False),
    Operation("create", 'put("/new", b"")'),
    Operation("write", 'put("/new", b"n" * 9000)', loose=("/new",)),
    Operation("open", 'f = open("/table.csv", "w")', changes=False, loose=("/table.csv",)),
    Operation(
        "rewrite",
        'put("/config.json", b"new" * 100)',
        loose=("/config.json",),
    ),
    Operation(
        "overwrite",
        'put("/table.csv", b"x" * 3000, "r+b", 500)',
        loose=("/table.csv",),
    ),
    Operation(
        "append",
        'f.write(b"another line")\nf.flush()',
        'f = open("/log.txt", "ab")',
        loose=("/log.txt",),
    ),
    Operation(
        "append much",
        'f.write(b"another line" * 800)\nf.flush()\nf.close()',
        'f = open("/log.txt", "ab")',
        loose=("/log.txt",),
    ),
    Operation("flush", "f.flush()", 'f = open("/new", "wb")\nf.write(b"n" * 5000)', loose=("/new",)),
    Operation("close", "f.close()", 'f = open("/new", "wb")\nf.write(b"n" * 5000)', loose=("/new",)),
    Operation("rename", 'os.rename("/log.txt", "/dir/log of a day.txt")'),
    Operation("rename over", 'os.rename("/log.txt", "/table.csv")', atomic=False, loose=("/table.csv",)),
    Operation("remove", 'os.remove("/table.csv")', loose=("/table.csv",)),
    Operation("mkdir", 'os.mkdir("/folder")'),
    Operation("rmdir", 'os.remove("/empty/.keep")\nos.rmdir("/empty")', atomic=False),
    Operation("many", MANY, atomic=False, loose=["/many/a file with a long name %d" % i for i in range(5)]),
    Operation("transaction", transaction(CHANGES), cards=("fat",)),
    Operation("undo", "try:\n    %s    raise ValueError\nexcept ValueError:\n    pass" % transaction(CHANGES).replace("\n", "\n    "), cards=("fat",), changes=False),
    Operation("recover", "sdboot.recover()", FAILED, changes=False, loose=("/table.csv",)),
    Operation("install", "sdboot.OTA(URL).install_update_if_available()", atomic=False),
    Operation("swap", "boot()", booted=False, card="staged", atomic=False, changes=False),
    Operation("trial", "boot()", booted=False, card="trial", atomic=False, changes=False),
    Operation("confirm", "sdboot.confirm()", card="trial", changes=False),
    Operation("rollback", "sdboot.rollback()", card="confirmed"),
    Operation("take back", "boot()", booted=False, card="reverting", atomic=False, changes=False),
    Operation(
        "format", "sdboot.format(BOOT['fs'])", pin_low=True, destroys=True, cards=("fat", "littlefs")
    ),
    Operation("boot", "boot()", booted=False, changes=False),
    Operation("first boot", "boot()", booted=False, card="blank", changes=False),
)
