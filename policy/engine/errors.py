"""Errors of the engine: questions that cannot be understood, documents that are not valid."""

from policy.engine.text import Text


class BadQuestionError(Exception):
    """A question that cannot be understood; `key` names the place, `text` says why."""

    def __init__(self, key: str, text: Text) -> None:
        super().__init__(text.en)
        self.key = key
        self.text = text


class ContradictionError(BadQuestionError):
    """A question of the right form whose values contradict each other, or the law of a day."""


class LawError(Exception):
    """A document that is refused, with its file, its line and one sentence."""

    def __init__(self, file: str, line: int, text: Text) -> None:
        super().__init__(f"{file}, line {line}: {text.en}")
        self.file = file
        self.line = line
        self.text = text


class WrongValueError(ValueError):
    """A value of a document that is of its type and yet wrong; `text` says why, without a stop."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class ContradictoryValueError(WrongValueError):
    """A value of a question that contradicts others; `key` names it."""

    def __init__(self, key: str, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.key = key
