# SPDX-License-Identifier: MIT
# Types of sdboot's API, for editors and mypy. tests/types holds them against the package.
from types import TracebackType
from typing import Any, Callable, Literal, Mapping, Protocol, Type, TypedDict

from . import ota as ota
from .ota import OTA as OTA

__version__: str

class _BlockDevice(Protocol):
    def readblocks(self, block: int, buf: bytearray, /) -> Any: ...
    def writeblocks(self, block: int, buf: bytearray, /) -> Any: ...

class Error(OSError): ...
class CardError(Error): ...
class PackageError(Error): ...
class NetworkError(Error): ...

class Status(TypedDict):
    """What `status()` returns. At run time it is a plain dict: there is no class of this name."""

    version: str
    previous: str | None
    state: str
    staged: str | None
    event: str | None
    event_version: str | None
    reason: str | None
    attempts_left: int | None
    bad: str | None
    filesystem: Literal["fat", "littlefs"]
    journal: str | None
    transaction: int | None
    mounted: str
    size: int
    free: int

class _Transaction:
    def __enter__(self) -> "_Transaction": ...
    def __exit__(
        self,
        kind: Type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool: ...

def boot(
    pin: Any = 18,
    sd: Mapping[str, Any] | _BlockDevice | Callable[[], _BlockDevice] | None = None,
    fs: Literal["fat", "littlefs"] = "fat",
    format: Literal["auto", "never", "any"] = "auto",
    journal: bool | Literal["log"] = True,
    attempts: int = 3,
    trial_timeout: int = 300,
    confirm_after: int | None = None,
    key: str | bytes | None = None,
    inbox: str | None = None,
    **unknown: Any,
) -> bool: ...
def version(directory: str = "app", name: str = ".version") -> str: ...
def status() -> Status: ...
def confirm() -> bool: ...
def rollback() -> None: ...
def verify(directory: str = "app") -> list[str]: ...
def transaction() -> _Transaction: ...
def sync() -> None: ...
def recover() -> bool: ...
def format(fs: Literal["fat", "littlefs"] = "fat") -> None: ...
