# Signed releases: the file `versions` must be signed, as minisign does it, by a key that the board
# knows. Whether it knows one is asked at each look for releases; the code that checks is loaded only
# then.

from . import mounted
from ._errors import NetworkError, PackageError, check
from ._native import load

FILE = "sdboot.pub"  # on the internal flash
LONGEST = 2048  # bytes of a signature file


def keys(given=None):
    """The public keys: bytes, a line each, or None if any release is taken. `given` by the
    application, or in a file on the internal flash, where no card and no release can change them."""
    if given is not None:
        return given.encode() if isinstance(given, str) else given
    try:
        with open(("/flash/" if mounted.point == "/" else "/") + FILE, "rb") as f:
            return f.read()
    except OSError as e:
        if e.errno != 2:  # it is there and can't be read: no reason to take just anything
            raise
        return None


def signature(url, client, known):
    """The signature of the file at `url`, made by one of the keys `known`: feed() it the file, check
    its finish() before anything in the file is believed."""
    url += ".minisig"
    buf = bytearray(LONGEST)
    try:
        response = client.get(url, buf)
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
    return check(found, url) if isinstance(found, int) else found
