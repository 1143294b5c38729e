# SPDX-License-Identifier: MIT
# https://: whom a board believes. Loaded only where it is needed.

from micropython import const

from ._errors import Error, NetworkError
from ._native import builtin, hasher, load

_EIO = const(5)
_EINVAL = const(22)

time = builtin("time")
tls = builtin("tls")


def secure(response, trust):
    """Generator: puts TLS on the socket of `response` (net.py), the server's certificate checked.
    `trust`:

    ca        certificates of authorities, one of which must have signed the server's: PEM (several
              in one text) or DER, bytes or str, or a list of such
    pin       SHA-256 of the public key that the server must have (of its SubjectPublicKeyInfo, as
              hex or bytes), or a list of such: instead of authorities, or beside them
    insecure  True: whoever answers is believed
    """
    ca, pin, insecure = trust
    if not (ca or pin or insecure):
        raise Error(
            _EINVAL,
            "https:// needs ca=, the certificate of the authority that has signed the server's, or "
            "pin=, see docs/INSTALL.md",
        )
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED if ca else tls.CERT_NONE
    if ca:
        try:
            context.load_verify_locations(_bundle(ca))
        except ValueError:
            raise Error(_EINVAL, "ca= holds no certificate: PEM or DER is needed")
    # The connection is made secure by the first read or write.
    sock = context.wrap_socket(
        response.sock, server_hostname=response.name, do_handshake_on_connect=False
    )
    response.wrap(sock)
    if not pin:
        return
    # Not before its key is known the server gets to see what we want.
    one = bytearray(1)
    since = time.ticks_ms()
    while True:
        ms = response.greet(one, since)
        if sock.getpeercert(True) is not None:
            break
        yield ms
    _check_pin(sock, pin)


def _bundle(ca):
    if isinstance(ca, (list, tuple)):
        return b"\n".join([_bundle(one) for one in ca])
    return ca.encode() if isinstance(ca, str) else bytes(ca)


def distrust(text):
    text = text.strip().replace("\n", "; ")
    if "expired" in text or "future" in text:
        now = time.localtime()
        text += ". The board's clock says %d-%02d-%02d: if that is wrong, set it (ntptime)" % now[:3]
    return "the server's certificate is not trusted: " + text


def _check_pin(sock, pin):
    key = load("_sdhttp").spki(sock.getpeercert(True))
    found = hasher("sha256")(key).digest() if key else b""
    text = builtin("binascii").hexlify(found).decode()
    for one in pin if isinstance(pin, (list, tuple)) else (pin,):
        if (one.lower() == text) if isinstance(one, str) else one == found:
            return
    raise NetworkError(_EIO, "the server has another key than pin= says: " + text)
