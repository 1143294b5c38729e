# SPDX-License-Identifier: MIT
# https://: whom a board believes. Loaded only where it is needed.

from micropython import const

from ._errors import Error, NetworkError
from ._native import builtin, load

_EIO = const(5)
_ENOMEM = const(12)
_EINVAL = const(22)

tls = builtin("tls")


def secure(sock, name, ca, pin, insecure):
    """`sock` with TLS on it, the server's certificate checked.

    ca        certificates of authorities, one of which must have signed the server's: PEM (several
              in one text) or DER, bytes or str, or a list of such
    pin       SHA-256 of the public key that the server must have (of its SubjectPublicKeyInfo, as
              hex or bytes), or a list of such: instead of authorities, or beside them
    insecure  True: whoever answers is believed
    """
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
    try:
        sock = context.wrap_socket(sock, server_hostname=name)
    except ValueError as e:  # what mbedtls says of the certificate
        sock.close()
        raise NetworkError(_EIO, _distrust(str(e)))
    except OSError as e:
        sock.close()
        if isinstance(e.errno, int) and e.errno > 0:
            raise
        raise NetworkError(_EIO, "no secure connection (%s)" % (e.args[-1],))
    except MemoryError:
        sock.close()
        raise Error(_ENOMEM, "no memory for TLS: it takes 40 KB; import less, or call it earlier")
    if pin:
        _check_pin(sock, pin)
    return sock


def _bundle(ca):
    if isinstance(ca, (list, tuple)):
        return b"\n".join([_bundle(one) for one in ca])
    return ca.encode() if isinstance(ca, str) else bytes(ca)


def _distrust(text):
    import time

    text = text.strip().replace("\n", "; ")
    if "expired" in text or "future" in text:
        now = time.localtime()
        text += ". The board's clock says %d-%02d-%02d: if that is wrong, set it (ntptime)" % now[:3]
    return "the server's certificate is not trusted: " + text


def _check_pin(sock, pin):
    key = load("_sdhttp").spki(sock.getpeercert(True))
    found = builtin("hashlib").sha256(key).digest() if key else b""
    text = builtin("binascii").hexlify(found).decode()
    for one in pin if isinstance(pin, (list, tuple)) else (pin,):
        if (one.lower() == text) if isinstance(one, str) else one == found:
            return
    sock.close()
    raise NetworkError(_EIO, "the server has another key than pin= says: " + text)
