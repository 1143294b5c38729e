# SPDX-License-Identifier: MIT
# Looks for the release to install in the list `versions` of the server. Loaded for the call only.

import gc

from . import board, mounted
from ._errors import CardError, check
from ._native import load
from .ota import Release

BUFFER = 2048  # bytes read from the network at a time


class Found:
    """What was found, and when that is still so: as long as the server's file is the one that
    `validator` names and what was asked for is the `question`."""

    def __init__(self, validator, question, release, failed, signed, seq, expires):
        self.validator = validator
        self.question = question
        self.release = release  # the Release to install, or None
        self.failed = failed  # the version that is skipped because it has failed, or None
        self.signed = signed
        self.seq = seq
        self.expires = expires


def find(ota, current, force):
    """Generator: leaves a Found in ota.found."""
    url = ota.url + "/versions"
    client = ota.client
    if ota.report and url.startswith("http"):
        client.headers["User-Agent"] = load("report").line(ota)
        board.forget("report")
    bad = (None if force else mounted.record()[mounted.BAD]) or None
    signature = _signature(ota, url)
    whom = load("whom")
    facts = whom.facts(ota, signature)
    question = (current, bad, force, signature and signature.known) + facts[: whom.TODAY]
    before = _before(ota.found, question, *facts[whom.TODAY :])
    if signature:
        if not (yield from signature.fetch(client, before)):
            return
        before = ""
    elif url.startswith("http://") and not ota.warned:
        ota.warned = True
        ota._say("http:// and no key: who is on the way can change what runs here (docs/SIGNING.md)")
    versions = load("_sdlist").Versions(current, bad, force, *facts)
    check(versions.start(), "/%s/.version says %r" % (ota.main_dir, current), CardError)
    buf = memoryview(bytearray(BUFFER))
    response = yield from client.get(url, buf, known=before)
    validator = (signature or response).validator
    try:
        if response.status == 304:
            return
        while True:
            n = yield from response.read(buf)
            if not n:
                break
            if signature:
                signature.feed(buf[:n])
            check(versions.feed(buf[:n]), url)
    finally:
        response.close()
    if signature:
        signature.finish()
    response = buf = None
    gc.collect()  # what is kept of the list must not split the room that buffers had
    result, *release, seq, expires, skipped, failed, held, why = versions.finish()
    if result >= 0:
        if signature:
            signature.accept(seq)
        if skipped:
            ota._say("%s: %d lines skipped, they are no releases" % (url, skipped))
        if expires and not facts[whom.TODAY]:
            ota._say("whether the list has expired is not known: the clock is not set")
        if held:
            ota._say("%s is not for this board: %s" % (held, whom.WHY[why]))
    release = Release(*release) if check(result, url) else None
    failed = bad if failed else None
    ota.found = Found(validator, question, release, failed, signature is not None, seq, expires)


def _before(found, question, today, floor):
    # The validator of what was found last, "" if the list has to be read in any case.
    if (
        found is None
        or found.question != question
        or (found.signed and found.seq < floor)
        or (found.expires and today > found.expires)
    ):
        return ""
    return found.validator


def _signature(ota, url):
    # Of the file at `url`, or None if any release is taken.
    if ota.key is None and mounted.keys is None and not mounted.on_flash(*mounted.KEYS):
        return None
    # What stays comes first: it must not lie behind what goes, there is little room.
    for name in ("_sdsign", "_sdlist", "_sdhttp"):
        load(name)
    signed = load("signed")
    known = signed.keys(ota.key)
    return None if known is None else signed.Signature(url, known)
