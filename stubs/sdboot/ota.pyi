# SPDX-License-Identifier: MIT
from typing import Callable, Generator, Mapping, NamedTuple, Protocol, Sequence

class Release(NamedTuple):
    version: str
    file: str
    sha1: bytes | None
    sha256: bytes | None
    size: int
    index: bytes | None  # type: ignore[assignment]  # a tuple has a method of this name

class _Source(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...

_Progress = Callable[[str, int, int], object]
_One = str | bytes

class OTA:
    def __init__(
        self,
        url: str,
        main_dir: str = "app",
        new_version_dir: str = "next",
        headers: Mapping[str, str] = {},
        quite: bool = True,
        force_update: bool = False,
        *,
        quiet: bool | None = None,
        progress: _Progress | None = None,
        timeout: float = 10,
        slowest: int = 50,
        longest: int = 21600,
        retries: int = 4,
        key: _One | None = None,
        ca: _One | Sequence[_One] | None = None,
        pin: _One | Sequence[_One] | None = None,
        insecure: bool = False,
        product: str | None = None,
        channel: str | None = None,
        board: str | None = None,
        device_id: bytes | None = None,
        report: bool = True,
    ) -> None: ...
    def check(self) -> Release | None: ...
    def install_update_if_available(self) -> bool: ...
    staged: bool | None
    def steps(self) -> Generator[int, None, bool]: ...
    async def update(self) -> bool: ...
    async def poll(
        self, every: int = 86400, hours: tuple[int, int] | None = None, first: int | None = None
    ) -> bool: ...
    def install_stream(self, source: _Source, versions: bytes, signature: bytes | None = None) -> bool: ...
    def cancel(self) -> bool: ...
    def install(self, release: Release) -> None: ...
    def get_version(self, directory: str, version_file_name: str = ".version") -> str: ...
    def get_latest_version(self) -> tuple[str, str, str]: ...
