"""Reading a document strictly: what is wrong is refused with file, line and one sentence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.parser import Parser

from policy.engine.documents.checks import Fault, family_faults, faults
from policy.engine.documents.schema import SUBJECTS, Document
from policy.engine.errors import LawError
from policy.engine.text import Text

# No notice comes near these; a file made to exhaust the machine does.
LONGEST_DOCUMENT = 64 * 1024
MOST_WRITTEN = 8_000
# Worked examples are many and small.
LONGEST_EXAMPLES = 256 * 1024
MOST_IN_EXAMPLES = 30_000
MOST_VALUES = 20_000
DEEPEST = 12
_TAGS = "tag:yaml.org,2002:"
_KNOWN_TAGS = {
    MappingNode: {f"{_TAGS}map"},
    SequenceNode: {f"{_TAGS}seq"},
    ScalarNode: {
        f"{_TAGS}{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")
    },
}
_MOST_DIGITS = 20
_DIRECTIVE = re.compile("^%", re.MULTILINE)
_BEYOND = re.compile(r"\\U(?!00(?:0|10))")  # escapes of what is no character
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOO_LONG = Text("文件比任何通告都长。", "the document is longer than any notice.")
_TOO_DEEP = Text("嵌套过深。", "it is nested too deeply.")
_TOO_MANY_WRITTEN = Text("取值多于任何通告。", "it holds more values than any notice.")
_TOO_MANY = Text(
    "别名展开后的取值多于任何通告。", "with its aliases it holds more values than any notice."
)
_TWICE = Text("此键在这里重复出现。", "this key stands here for the second time.")
_NO_MAPPING = Text("文件须为键和值的对应。", "a document is a mapping of keys to values.")
_NO_LIST = Text("文件须为列表。", "the file must be a list.")
_NO_UTF_8 = Text("文件不是 UTF-8 编码。", "the file is not UTF-8.")
_NO_VALUE = Text(
    "不是有效的 YAML：没有这一天，或没有这样的数。", "no YAML: there is no such day or number."
)
_NO_KEY = Text(
    "键须为一个词，不能是列表或映射。", "a key must be a word, not a list or a mapping."
)
_MERGED = Text("不能用“<<”合并键。", "keys cannot be merged by '<<' here.")
_TAGGED = Text(
    "不能用标签（以“!”开头）。", "a tag (a word that begins with '!') is not known here."
)
_DIRECTED = Text("不能用以“%”开头的指令。", "a directive (a line with '%') is not known here.")
_NO_CHARACTER = Text(
    "有无法显示或保存的字符。", "it holds a character that can be neither shown nor kept."
)

# What the YAML reader finds, in Chinese; its own English words stand beside it.
_YAML = {
    "could not find expected ':'": "缺少“:”",
    "mapping values are not allowed here": "此处不能有“key: value”",
    "found character '\\t' that cannot start any token": "不能用制表符缩进",
    "expected <block end>, but found": "缩进不一致",
    "expected ',' or": "缺少“,”或右括号",
    "expected the node content": "此处缺少内容",
    "found unexpected end of stream": "引号没有收尾",
    "found undefined alias": "别名没有定义",
    "but found another document": "一个文件只能有一份文档",
}
# What pydantic finds, by its kind, with the bounds it names.
_KINDS = {
    "bool_type": Text("须为 true 或 false", "must be true or false"),
    "date_type": Text("须为日期，如2022-12-07", "must be a date such as 2022-12-07"),
    "float_type": Text("须为数", "must be a number"),
    "greater_than": Text("须大于{gt:g}", "must be greater than {gt:g}"),
    "greater_than_equal": Text("不得小于{ge}", "must be {ge} or more"),
    "int_type": Text("须为整数", "must be a whole number"),
    "less_than_equal": Text("不得大于{le:g}", "must be {le:g} or less"),
    "literal_error": Text("须为{expected}", "must be {expected}"),
    "model_type": Text("须为键和值的对应", "must be a mapping of keys to values"),
    "string_pattern_mismatch": Text("写法不对，须合{pattern}", "must be written as {pattern}"),
    "string_too_long": Text("不得长于{max_length}字", "must be {max_length} characters or less"),
    "string_type": Text(
        "须为文字，数字须加引号", "must be a text; numbers stand in quotation marks"
    ),
    "too_short": Text("至少{min_length}项", "must have {min_length} item or more"),
    "tuple_type": Text("须为列表", "must be a list"),
}


class _RefusedEventError(Exception):
    """What the reader meets first that no document may hold."""

    def __init__(self, event: Event, text: Text) -> None:
        super().__init__(text.en)
        self.line = int(event.start_mark.line) + 1
        self.text = text


class _BoundedParser(Parser):
    """Stops at the first merged key, and at too many or too deep values, as they are read."""

    most = MOST_WRITTEN

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        self._left, self._depth = self.most, 0

    def get_event(self) -> Event:
        event: Event = super().get_event()
        if isinstance(event, NodeEvent):
            self._left -= 1
            if self._left < 0:
                raise _RefusedEventError(event, _TOO_MANY_WRITTEN)
        if isinstance(event, CollectionStartEvent):
            self._depth += 1
            if self._depth > DEEPEST:
                raise _RefusedEventError(event, _TOO_DEEP)
        elif isinstance(event, CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, ScalarEvent) and event.value == "<<" and not event.style:
            raise _RefusedEventError(event, _MERGED)
        return event


class _ExamplesParser(_BoundedParser):
    most = MOST_IN_EXAMPLES


class _Plain:
    """YAML's nodes as plain Python values, lists as tuples; so many and so deep at most."""

    def __init__(self, name: str, most: int = MOST_VALUES) -> None:
        self._name = name
        self._left = most
        self._scalars = YAML(typ="safe", pure=True).constructor

    def of(self, node: Node, depth: int = 0) -> Any:
        """Return the value of a node with what it holds."""
        self._left -= 1
        if self._left < 0:
            raise self._error(node, _TOO_MANY)
        if depth > DEEPEST:
            raise self._error(node, _TOO_DEEP)
        if _tag(node) not in _KNOWN_TAGS[type(node)]:
            raise self._error(node, _TAGGED)
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            return tuple(self.of(item, depth + 1) for item in node.value)
        return self._scalar(node)

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._error(key_node, _NO_KEY)
            key = self._text(key_node)
            if key in values:
                raise self._error(key_node, _TWICE)
            values[key] = self.of(value, depth + 1)
        return values

    def _scalar(self, node: Node) -> Any:
        if _tag(node) == f"{_TAGS}str":
            return self._text(node)
        try:
            value = self._scalars.construct_object(node)
        except (KeyError, OverflowError, ValueError, YAMLError):
            raise self._error(node, _NO_VALUE) from None
        if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
            raise self._error(node, _NO_VALUE)
        return value

    def _text(self, node: Node) -> str:
        """Return a text that can be stored; two escaped halves of a character are one."""
        try:
            text = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._error(node, _NO_CHARACTER) from None
        if _UNREADABLE.search(text):
            raise self._error(node, _NO_CHARACTER)
        return str(text)

    def _error(self, node: Node, text: Text) -> LawError:
        return LawError(self._name, _line_of(node), text)


def _tag(node: Node) -> str:
    return str(node.tag)


def _line_of(node: Node) -> int:
    return int(node.start_mark.line) + 1


Pairs = dict[int, dict[object, tuple[Node, Node]]]


def _line(node: Node, place: Sequence[int | str], known: Pairs | None = None) -> int:
    """
    Return the line of a place in the document, or of the nearest thing around it.

    `known` keeps the pairs of mappings, for who asks for many places.
    """
    line = 1
    known = {} if known is None else known
    for step in place:
        if isinstance(node, MappingNode):
            if id(node) not in known:
                known[id(node)] = {pair[0].value: pair for pair in reversed(node.value)}
            if found := known[id(node)].get(step):
                line, node = _line_of(found[0]), found[1]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = _line_of(node)
    return line


def _sentence(error: ErrorDetails) -> Text:
    key = next((str(step) for step in reversed(error["loc"]) if isinstance(step, str)), "document")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return Text(f"此处没有“{key}”这个键。", f"the key '{key}' is not known here.")
    if kind == "missing":
        return Text(f"缺少键“{key}”。", f"the key '{key}' is missing.")
    if kind == "value_error":
        wrong: Text = context["error"].text
        return Text(f"{key}：{wrong.zh}。", f"{key}: {wrong.en}.")
    if kind.startswith("union_tag"):
        subjects = ", ".join(SUBJECTS)
        return Text(
            f"缺少 subject，或不是以下之一：{subjects}。",
            f"the subject is missing or none of {subjects}.",
        )
    message = error["msg"][:1].lower() + error["msg"][1:]
    template = _KINDS.get(kind, Text("取值不合要求", message))
    value = f"{error['input']!r:.60}"
    return Text(
        f"{key}：{template.zh.format(**context)}，现为{value}。",
        f"{key}: {template.en.format(**context)}, not {value}.",
    )


def _refuse_deep(text: str, name: str) -> None:
    """Refuse brackets within brackets before the YAML reader, whose time grows with the square."""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        for sign in line:
            depth += (sign in "[{") - (sign in "]}")
            if depth > DEEPEST * 4:
                raise LawError(name, number, _TOO_DEEP)
        depth = max(depth, 0)


def _parsed(
    text: str,
    name: str,
    longest: int = LONGEST_DOCUMENT,
    parser: type[_BoundedParser] = _BoundedParser,
) -> Node:
    """Return the root of a text; nodes, because values have no lines and comments no meaning."""
    if len(text) > longest:
        raise LawError(name, 1, _TOO_LONG)
    _refuse_deep(text, name)
    if directive := _DIRECTIVE.search(text):
        raise LawError(name, text.count("\n", 0, directive.start()) + 1, _DIRECTED)
    yaml = YAML(typ="safe", pure=True)
    yaml.Parser = parser
    try:
        root: Node = yaml.compose(text)
    except _RefusedEventError as refused:
        raise LawError(name, refused.line, refused.text) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LawError(name, mark.line + 1 if mark else 1, _no_yaml(error)) from None
    except RecursionError:
        raise LawError(name, 1, _TOO_DEEP) from None
    except (OverflowError, ValueError, YAMLError):
        raise LawError(name, _unreadable_line(text), _NO_CHARACTER) from None
    return root


def _root(text: str, name: str) -> MappingNode:
    """Return the root of a document."""
    root = _parsed(text, name)
    if not isinstance(root, MappingNode):
        raise LawError(name, 1, _NO_MAPPING)
    return root


def read_list(text: str, name: str) -> tuple[tuple[int, Any], ...]:
    """
    Return the values of a YAML list (worked examples), each with its line; lists as tuples.

    Raises `LawError` with the line, as `read` does.
    """
    root = _parsed(text, name, LONGEST_EXAMPLES, _ExamplesParser)
    if not isinstance(root, SequenceNode):
        raise LawError(name, 1, _NO_LIST)
    plain = _Plain(name, MOST_IN_EXAMPLES)
    return tuple((_line_of(item), plain.of(item)) for item in root.value)


def provision_lines(text: str, name: str) -> tuple[int, ...]:
    """Return the line on which each provision of a document begins."""
    for key, value in _root(text, name).value:
        if key.value == "provisions" and isinstance(value, SequenceNode):
            return tuple(_line_of(item) for item in value.value)
    return ()


def _unreadable_line(text: str) -> int:
    """Return the line of the first character that YAML's reader refuses without a line."""
    found = _UNREADABLE.search(text) or _BEYOND.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _no_yaml(error: MarkedYAMLError) -> Text:
    problem = str(error.problem)
    zh = next((zh for en, zh in _YAML.items() if problem.startswith(en)), f"此处有误（{problem}）")
    return Text(f"不是有效的 YAML：{zh}。", f"no YAML: {problem}.")


def read(text: str, name: str, others: Mapping[str, Document] | None = None) -> Document:
    """
    Return the document that a YAML text describes; beside the others, where they are given.

    Raises `LawError` with the name, the line and a sentence for the first thing that is wrong.
    """
    data = _root(text, name)
    try:
        document = Document.model_validate(_Plain(name).of(data))
    except ValidationError as refused:
        known: Pairs = {}
        first = min(refused.errors(), key=lambda error: _line(data, error["loc"], known))
        raise LawError(name, _line(data, first["loc"]), _sentence(first)) from None
    for fault in _all_faults(document, others):
        raise LawError(name, _line(data, fault.place), fault.text)
    return document


def _all_faults(document: Document, others: Mapping[str, Document] | None) -> Iterator[Fault]:
    yield from faults(document)
    if others is not None:
        yield from family_faults(document, others)


def read_file(path: Path, others: Mapping[str, Document] | None = None) -> Document:
    """Return the document of a file, whose name must be the document's id."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LawError(path.name, 1, _NO_UTF_8) from None
    document = read(text, path.name, others)
    if document.id != path.stem:
        sentence = Text(
            f"id“{document.id}”与文件名不符。", f"the id '{document.id}' is not the file's name."
        )
        raise LawError(path.name, 1, sentence)
    return document


def read_folder(folder: Path) -> dict[str, Document]:
    """Return all documents of a folder by id."""
    loaded = (read_file(path) for path in sorted(folder.glob("*.yaml")))
    documents = {document.id: document for document in loaded}
    for document in documents.values():
        others = {key: known for key, known in documents.items() if key != document.id}
        refuse_family(document, others)
    return documents


def refuse_family(document: Document, others: Mapping[str, Document]) -> None:
    """Refuse a document that cannot stand beside the others."""
    for fault in family_faults(document, others):
        raise LawError(f"{document.id}.yaml", 1, fault.text)
