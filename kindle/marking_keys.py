"""What an observer types while the signal runs: stages, items, taking back."""

from kindle.ethogram import Ethogram
from kindle.experimenter import ItemMark, Mark, StageMark, TakeBack

TAKE_BACK = "U"
BEGINS, ENDS = "B", "E"
"""The clonus of the whole body has a key for its end beside the one that begins it."""


class MarkingKeys:
    """A line typed outside a question becomes a mark; a lasting item begins with its key and ends with it again."""

    def __init__(self, ethogram: Ethogram) -> None:
        self._items = {item.key.upper(): item for item in ethogram.items}
        self._standing: list[Mark] = []

    def begin(self) -> None:
        """Another train, or an observation: what went on before it is over."""
        self._standing.clear()

    def read(self, typed: str) -> Mark | None:
        """``None`` for what means nothing."""
        mark = self.meaning(typed)
        if isinstance(mark, TakeBack):
            del self._standing[-1:]
        elif mark is not None:
            self._standing.append(mark)
        return mark

    def meaning(self, typed: str) -> Mark | None:
        """What ``read`` would make of it now."""
        word = typed.strip().upper()
        if word == TAKE_BACK:
            return TakeBack()
        if word.replace(".", "", 1).isdigit():
            return StageMark(float(word))
        item = self._items.get(word)
        if word == ENDS and item is None and (clonus := self._items.get(BEGINS)) is not None:
            item = clonus if clonus.item in self.going_on else None
        if item is None:
            return None
        if not item.lasts:
            return ItemMark(item.item)
        return ItemMark(item.item, "ends" if item.item in self.going_on else "begins")

    @property
    def going_on(self) -> frozenset[str]:
        """Lasting items that have begun and not ended."""
        marks = [mark for mark in self._standing if isinstance(mark, ItemMark) and mark.edge != "event"]
        last = {mark.item: mark.edge for mark in marks}
        return frozenset(item for item, edge in last.items() if edge == "begins")

    def help(self) -> str:
        keys = ", ".join(f"{item.key} {item.wording.split(',')[0].split(';')[0]}" for item in self._items.values())
        return f"Type a stage, or {keys}; {TAKE_BACK} takes the last mark back. Enter after each."
