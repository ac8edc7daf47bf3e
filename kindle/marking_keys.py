"""What an observer types while the signal runs: stages, items, taking back."""

from kindle.ethogram import Ethogram
from kindle.experimenter import ItemMark, Mark, StageMark, TakeBack

TAKE_BACK = "U"


class MarkingKeys:
    """A line typed outside a question becomes a mark; a lasting item begins with its key and ends with it again."""

    def __init__(self, ethogram: Ethogram) -> None:
        self._items = {item.key.upper(): item for item in ethogram.items}
        self._going_on: set[str] = set()

    def read(self, typed: str) -> Mark | None:
        """``None`` for what means nothing."""
        word = typed.strip().upper()
        if word == TAKE_BACK:
            return TakeBack()
        if word.replace(".", "", 1).isdigit():
            return StageMark(float(word))
        item = self._items.get(word)
        if item is None:
            return None
        if not item.lasts:
            return ItemMark(item.item)
        self._going_on ^= {item.item}
        return ItemMark(item.item, "begins" if item.item in self._going_on else "ends")

    def help(self) -> str:
        keys = ", ".join(f"{item.key} {item.wording.split(',')[0].split(';')[0]}" for item in self._items.values())
        return f"Type a stage, or {keys}; {TAKE_BACK} takes the last mark back. Enter after each."
