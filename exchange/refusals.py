"""The one exception of this room: a file that cannot be read as a sheet at all."""

from exchange.faults import Sentence


class SheetRefused(Exception):
    """The file is no readable workbook; `reason` says what to do about it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(f"{reason.zh} / {reason.en}")
        self.reason = reason
