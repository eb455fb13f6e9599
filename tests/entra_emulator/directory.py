"""The directory objects of one kind, by id and by name. Whoever uses it from several threads holds a lock."""

from __future__ import annotations

from .listing import Values
from .principals import Directory


class Objects:
    """All objects of one kind."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._by_id: dict[str, Values] = {}
        self._ids_by_name: dict[str, str] = {}

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._by_id

    @property
    def all(self) -> list[Values]:
        """The objects, in the order in which they were added or changed."""
        return list(self._by_id.values())

    def find(self, key: str) -> Values | None:
        """The object with this id or name, None without one. Case does not matter."""
        return self._by_id.get(self._ids_by_name.get(key.lower(), key.lower()))

    def put(self, values: Values) -> None:
        self.drop(values["id"])
        self._by_id[values["id"]] = {name: values.get(name) for name in self._directory.properties}
        name = self._name(values)
        if name is not None:
            self._ids_by_name[name] = values["id"]

    def drop(self, object_id: str) -> None:
        former = self._by_id.pop(object_id, None)
        name = None if former is None else self._name(former)
        if name is not None:
            self._ids_by_name.pop(name, None)

    def _name(self, values: Values) -> str | None:
        return None if self._directory.name_property is None else values[self._directory.name_property].lower()
