# SPDX-License-Identifier: MIT
# Signed releases: the file `versions` must be signed, as minisign does it, by a key that the board
# knows. Whether it knows one is asked at each look for releases; the code that checks is loaded only
# then.

from micropython import const

from . import mounted
from ._errors import Error, NetworkError, PackageError, check
from ._native import builtin, load

_ENOENT = const(2)
_EIO = const(5)
_EINVAL = const(22)
_ESIG_KEYS = const(217)

# On the internal flash, where no card can change them:
KEYS, _, NEXT = mounted.KEYS  # public keys; those of a release that is not confirmed yet
SEQ = "sdboot.seq"  # the highest number of a list that was accepted, and whose key signed it
LONGEST = 2048  # bytes of a signature file, and of a list of keys

_END = b"\n# complete\n"
_OF = b"# keys of release "  # in front of each list in NEXT


def _load(name):
    try:
        with open(mounted.flash(name), "rb") as f:
            return f.read()
    except OSError as e:
        if e.errno != _ENOENT:  # it is there and can't be read: no reason to take just anything
            raise
        return None


def _read(name):
    # What the file says, or None. Where a rename is no single step (FAT), there may be but the new
    # one; it may also be one that was never finished.
    data = _load(name)
    if data is None:
        data = _load(name + ".new")
        if data is not None and not data.endswith(_END):
            data = None
    return data


def _write(name, data):
    # The old content or the new one, whenever power fails.
    path = mounted.flash(name)
    with open(path + ".new", "wb") as f:
        f.write(data + _END)
    builtin("os").rename(path + ".new", path)


def keys(given=None):
    """The public keys: bytes, a line each, or None if any release is taken. `given` by the
    application, or in a file on the internal flash, or by boot()."""
    if given is None:
        adopt()
        given = _read(KEYS)
    if given is None:
        given = mounted.keys
    if given is None:
        return None
    if isinstance(given, str):
        given = given.encode()
    if on_trial():  # its next list may be signed by them already
        given += _waiting(mounted.INSTALLED)
    return given


def keep(version, directory, given):
    """Before a release that came signed is staged: the keys in `directory`/.keys, if there are any,
    wait on the flash until it is confirmed. Not so if the application has its own, `given`."""
    text = None
    if given is None:
        try:
            with mounted.filesystem().open("/%s/.keys" % directory, "rb") as f:
                text = f.read(LONGEST + 1)
        except OSError as e:
            if e.errno != _ENOENT:
                raise
    if text is not None and (len(text) > LONGEST or load("_sdsign").count(text) <= 0):
        raise PackageError(_ESIG_KEYS, "%s: .keys is no list of public keys" % version)
    record = mounted.record()
    kept = b""
    if record[mounted.STATE] == mounted.STAGED and record[mounted.VERSION] != version:
        kept = _of(record[mounted.VERSION])  # it waits until this one is whole
    if text is not None:
        kept += b"\n%s%s\n%s" % (_OF, version.encode(), text)
    _put(kept)


def _put(lists):
    if lists:
        _write(NEXT, lists)
    elif mounted.on_flash(NEXT):
        builtin("os").remove(mounted.flash(NEXT))


def _of(version):
    # What waits of this release, b"" if nothing does.
    for found in (b"\n" + (_read(NEXT) or b"")).split(b"\n" + _OF)[1:]:
        if found.split(b"\n", 1)[0].strip() == version.encode():
            return b"\n" + _OF + found
    return b""


def _waiting(*events):
    # The keys that wait, if the running release has brought them and its last event is one of these.
    record = mounted.record()
    return _of(record[mounted.EVENT_VERSION]) if record[mounted.EVENT] in events else b""


def on_trial():
    return mounted.record()[mounted.STATE] == mounted.TRIAL


def adopt():
    """The keys that a release has brought are the board's, once it is confirmed."""
    state = mounted.record()[mounted.STATE]
    if state == mounted.IDLE or state == mounted.STAGED:
        found = _waiting(mounted.INSTALLED, mounted.CONFIRMED)
        if found:
            _write(KEYS, found)
            _put(_of(mounted.record()[mounted.VERSION]) if state == mounted.STAGED else b"")


class Signature:
    """The signature of the file at `url`, made by one of the keys `known`: fetch() it, feed() it the
    file, call finish() before anything in the file is believed, then accept() the list's number."""

    def __init__(self, url, known):
        self.url = url + ".minisig"
        self.known = known

    def fetch(self, client, before):
        """Generator: False if it is still the one whose validator `before` is."""
        buf = memoryview(bytearray(LONGEST + 1))
        try:
            response = yield from client.get(self.url, buf, known=before)
        except NetworkError as e:
            if e.errno != _EIO:
                raise
            raise PackageError(_EIO, "%s; this board takes signed releases only" % e)
        try:
            if response.status == 304:
                return False
            self.validator = response.validator
            size = n = yield from response.read(buf)
            while n:  # up to its end, which may be an error
                n = yield from response.read(buf[size:])
                size += n
        finally:
            response.close()
        found = load("_sdsign").Signature(bytes(buf[:size]), self.known)
        if isinstance(found, int):
            check(found, self.url)
        self.found = found
        self.feed = found.feed
        return True

    def finish(self):
        check(self.found.finish(), self.url)

    def floor(self):
        """Lists with a lower number are old ones. 0 if none was accepted yet, or only from a key that
        counts no longer: who has stolen it could have used up all numbers."""
        data = _read(SEQ)
        self.low = 0
        if data is not None:
            try:
                seq, key = data.split(b"\n", 1)[0].split()
                seq = int(seq)
                key = builtin("binascii").unhexlify(key)
            except ValueError:
                raise Error(_EINVAL, mounted.flash(SEQ) + " can't be read: remove it")
            if load("_sdsign").knows(self.known, key):
                self.low = seq
        return self.low

    def accept(self, seq):
        """The list is good: from now on none with a lower number is. On trial nothing is installed,
        and the key may be one that goes again with the release."""
        if seq > self.low and not on_trial():
            _write(SEQ, b"%d %s" % (seq, builtin("binascii").hexlify(self.found.id())))
