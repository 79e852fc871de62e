"""A property that is worked out once, without the lock that Python before 3.12 puts around all of its kind.

That lock is one for all instances of a class: while a job works out the areas of a city, the window would wait for it
to ask for the area of one house. Our values are pure functions of frozen arrays: two threads at once only do the same
work twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class cached_property(Generic[Value]):  # noqa: N801 - it stands where functools.cached_property stood
    """Kept in the instance's own dictionary, under the name of the property."""

    def __init__(self, work: Callable[[Any], Value]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        kept: dict[str, Value] = instance.__dict__
        return kept.setdefault(self._name, self._work(instance))
