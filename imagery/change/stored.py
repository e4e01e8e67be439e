"""Something large that does not change once it is made: in memory, on a shelf, or both.

A model or a look's maps are written once and named by their bytes, so a state that is saved after each look
holds their names and not them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Shelf(Protocol):
    """Keeps bytes by a name that follows from them."""

    def put(self, data: bytes) -> str:
        """Keep bytes; return their name."""
        ...

    def get(self, name: str) -> bytes:
        """Return the bytes of a name.

        Raises:
            StateError: They are gone, or are others.
        """
        ...


@dataclass(slots=True, eq=False)
class Stored(Generic[T]):
    """One such thing; made `of` a value, or `on` a shelf from which it is read when it is asked for."""

    _value: T | None
    _name: str = ""
    _read: Callable[[], T] | None = None

    @classmethod
    def of(cls, value: T) -> Stored[T]:
        """Hold a value that is on no shelf yet."""
        return cls(value)

    @classmethod
    def on(cls, shelf: Shelf, name: str, unpacked: Callable[[bytes], T]) -> Stored[T]:
        """Point to what lies on a shelf."""
        return cls(None, name, lambda: unpacked(shelf.get(name)))

    def get(self) -> T:
        """Return it.

        Raises:
            StateError: It had to be read from the shelf, and can't be.
        """
        if self._value is None:
            if self._read is None:
                message = "nothing was stored"
                raise ValueError(message)
            self._value = self._read()
        return self._value

    def put_on(self, shelf: Shelf, packed: Callable[[T], bytes]) -> str:
        """Return its name on the shelf, where it is put unless it lies there already."""
        if not self._name:
            self._name = shelf.put(packed(self.get()))
        return self._name
