# Signed releases: the file `versions` must be signed, as minisign does it, by a key that the board
# knows. Whether it knows one is asked at each look for releases; the code that checks is loaded only
# then.

from . import mounted
from ._errors import Error, NetworkError, PackageError, check
from ._native import builtin, load

# On the internal flash, where no card and no release can change them:
KEYS = "sdboot.pub"  # public keys
SEQ = "sdboot.seq"  # the highest number of a list that was accepted, and whose key signed it
LONGEST = 2048  # bytes of a signature file


def _flash(name):
    return ("/flash/" if mounted.point == "/" else "/") + name


def _read(name):
    # What the file says, or None. Where a rename is no single step (FAT), there may be but the new one.
    for name in (name, name + ".new"):
        try:
            with open(_flash(name), "rb") as f:
                return f.read()
        except OSError as e:
            if e.errno != 2:  # it is there and can't be read: no reason to take just anything
                raise
    return None


def _write(name, data):
    # The old content or the new one, whenever power fails.
    path = _flash(name)
    with open(path + ".new", "wb") as f:
        f.write(data)
    builtin("os").rename(path + ".new", path)


def keys(given=None):
    """The public keys: bytes, a line each, or None if any release is taken. `given` by the
    application, or in a file on the internal flash."""
    if given is not None:
        return given.encode() if isinstance(given, str) else given
    return _read(KEYS)


class Signature:
    """The signature of the file at `url`, made by one of the keys `known`: feed() it the file, call
    finish() before anything in the file is believed, then accept() the list's number."""

    def __init__(self, url, client, known):
        self.url = url + ".minisig"
        self.known = known
        buf = bytearray(LONGEST)
        try:
            response = client.get(self.url, buf)
        except NetworkError as e:
            if e.errno != 5:
                raise
            raise PackageError(5, "%s; this board takes signed releases only" % e)
        text = bytearray()
        try:
            for piece in response.pieces(buf):
                text.extend(piece)
                if len(text) > LONGEST:
                    break
        finally:
            response.close()
        found = load("_sdsign").Signature(bytes(text), known)
        if isinstance(found, int):
            check(found, self.url)
        self.found = found
        self.feed = found.feed

    def finish(self):
        check(self.found.finish(), self.url)

    def floor(self):
        """Lists with a lower number are old ones. 0 if none was accepted yet, or only from a key that
        counts no longer: who has stolen it could have used up all numbers."""
        data = _read(SEQ)
        self.low = 0
        if data is not None:
            try:
                seq, key = data.split()
                seq = int(seq)
                key = builtin("binascii").unhexlify(key)
            except ValueError:
                raise Error(22, _flash(SEQ) + " can't be read: remove it")
            if load("_sdsign").knows(self.known, key):
                self.low = seq
        return self.low

    def accept(self, seq):
        """The list is good: from now on none with a lower number is."""
        if seq > self.low:
            _write(SEQ, b"%d %s\n" % (seq, builtin("binascii").hexlify(self.found.id())))
