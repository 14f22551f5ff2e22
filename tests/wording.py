"""
The Chinese that this project writes, and what it refuses.

Words stand here only where no sentence of ours could mean anything else by them; the others are in
`docs/glossary.md`. Each rule carries a text that it refuses and the same text as it should be.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from babel.messages.pofile import read_po
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

ROOT = Path(__file__).resolve().parents[1]

_HAN = "\u4e00-\u9fff"
_FULL = "，。；：、！？）】》"
# Stands for whatever a placeholder will be filled with.
_FILLED = "\ufffc"
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{[^{}]*\}")
_TAG = re.compile(r"</?[a-z][^<>]*>|&\w+;")
_NUMERAL = "[一二两三四五六七八九十百]+"
# Ct值 is one word; a number with its unit is a number.
_LATIN = re.compile(r"[0-9][0-9.]*[A-Za-z]+|Ct(?=值)|[A-Za-z][A-Za-z0-9.+/_-]+(?: [0-9][0-9.]*)?")


@dataclass(frozen=True)
class Rule:
    """What is refused, what to write instead and why; `broken` and `sound` show it."""

    pattern: str
    instead: str
    why: str
    broken: str
    sound: str
    shape: bool = False
    quotes_notices: bool = False


def _word(pattern: str, instead: str, why: str, broken: str, sound: str) -> Rule:
    return Rule(pattern, instead, why, broken, sound)


WORDS = (
    _word("管控人员", "在管人员", "the list of open cases", "管控人员3人", "在管人员3人"),
    _word(
        "个案|此案|在管记录", "管控记录", "a person is no case file", "查看个案", "查看管控记录"
    ),
    _word(
        "立案",
        "纳入管控、纳管时间、纳管依据",
        "sounds like an investigation",
        "立案依据",
        "纳管依据",
    ),
    _word("结案", "结束管控、已结束", "sounds like an investigation", "已结案", "已结束"),
    _word("管控解除", "解除管控", "verb first", "管控解除", "解除管控"),
    _word("已检(?![出测查验])", "已采样", "a sample has no result yet", "今日已检", "今日已采样"),
    _word(
        "缺检", "逾期未检、漏检", "overdue and missed are two states", "没有缺检", "没有逾期未检"
    ),
    _word("补采", "补检", "one name for a make-up test", "联系补采", "联系补检"),
    _word(
        "(?<!核酸)(?<!抗原)检测",
        "核酸检测、核酸",
        "a bare test could be any",
        "第5天检测",
        "第5天核酸",
    ),
    _word(
        "转送|转诊|移交医疗|转医疗管理",
        "转医疗机构",
        "one name for a referral",
        "已转诊",
        "已转医疗机构",
    ),
    _word("不接收", "退回", "between communities", "不接收移交", "退回移交"),
    _word("驳回|未获同意", "未同意", "answers to a request", "已驳回", "未同意"),
    _word("吊销", "停用、作废", "accounts are stopped, codes voided", "吊销账号", "停用账号"),
    _word("(?<!未)生效", "施行", "documents come into force", "生效时间", "施行时间"),
    _word(
        "(?:政策|文件)切换|切换(?=[日前后]|结果)|过渡(?!期)",
        "政策调整、新旧衔接",
        "a document is changed, not switched",
        "政策切换",
        "政策调整",
    ),
    _word(
        "加码(?=理由|核查)|加严",
        "从严理由、与国家规定比对",
        "加码 is what is forbidden",
        "加码理由",
        "从严理由",
    ),
    _word("督导(?!员)", "督导员", "a role", "请督导确认", "请督导员确认"),
    _word("门户", "系统、门牌号", "neither a website nor a door", "本门户", "本系统"),
    _word("门口", "场所、门岗", "a venue or a gate", "门口查验", "场所查验"),
    _word("管控场所", "管控方式", "home, central or monitoring", "转移管控场所", "变更管控方式"),
    _word("临床(?:情况|状态)", "临床分型", "clinical class", "临床情况", "临床分型"),
    _word("假名", "人员代号", "a false name is a lie", "只见假名", "只见人员代号"),
    Rule(
        "提倡|倡导|倡议",
        "建议",
        "the force of advice; summaries keep the notice's verb",
        "提倡",
        "建议",
        quotes_notices=True,
    ),
    _word("双重验证", "两步验证", "one name for the second factor", "双重验证", "两步验证"),
    _word("法规", "政策文件", "a notice is no statute", "法规一览", "政策文件一览"),
    _word("启用", "施行", "documents come into force", "启用新文件", "施行新文件"),
    _word("(?<!风险)(?<!行政)区域", "辖区", "what staff answer for", "选择区域", "选择辖区"),
    _word("核销", "标为已告知", "says what was done", "逐一核销", "逐一标为已告知"),
    _word("服务台", "社区", "a gate has no desk", "请到服务台", "请联系社区"),
    Rule("必须", "须", "one word for a duty", "必须外出", "须外出", quotes_notices=True),
    _word("承载", "由…办理、见…页", "stilted", "由需求页面承载", "见“需求清单”页"),
    _word("予以", "", "stilted", "予以解除", "解除"),
    _word("由其(?!他)", "由对方", "stilted", "由其继续落实", "由对方继续落实"),
    _word("无人规定|沉默之处", "均未规定", "stilted", "此事无人规定", "此事均未规定"),
    _word("批准时所见", "批准时的预览", "stilted", "批准时所见", "批准时的预览"),
    _word("Ct 值", "Ct值", "one word", "Ct 值低于35", "Ct值低于35"),
    _word("°C", "℃", "one sign", "37.3°C", "37.3℃"),
    _word(
        rf"第{_NUMERAL}(?=[天条日、至])"
        rf"|(?<![第周二两三四五六七八九十百])(?!一[天日])(?!三天两检){_NUMERAL}"
        r"(?=[天岁]|小时|个月|日内|人以上)",
        "Arabic numbers: 7天, 60岁, 第3条",
        "except fixed words such as 三天两检",
        "居家隔离七天，三天两检",
        "居家隔离7天，三天两检",
    ),
)


def _mark(pattern: str, instead: str, why: str, broken: str, sound: str) -> Rule:
    return Rule(pattern, instead, why, broken, sound, shape=True)


MARKS = (
    _mark(
        rf"(?<=[{_HAN}]) +(?=[0-9{_FILLED}])|(?<=[0-9{_FILLED}]) +(?=[{_HAN}])",
        "no space",
        "between Chinese and digits or placeholders",
        "共 %(number)d 人",
        "共%(number)d人",
    ),
    _mark(
        rf"(?<=[{_HAN}])x+|x+(?=[{_HAN}])",
        "a space",
        "between Chinese and a Latin word",
        "不是UTF-8编码",
        "不是 UTF-8 编码",
    ),
    _mark(
        rf"(?<=[{_HAN}]) +(?=[{_HAN}])",
        "no space",
        "between Chinese words",
        "在 管人员",
        "在管人员",
    ),
    _mark(
        rf"(?<=[{_FULL}（《“]) +(?=[{_HAN}0-9x{_FILLED}])| +(?=[{_FULL}（])",
        "no space",
        "beside full-width marks",
        "已采样 ，待结果",
        "已采样，待结果",
    ),
    _mark(
        rf"(?<=[{_HAN}{_FULL}])[,;:!?()]|[,;:!?()](?= *[{_HAN}{_FULL}])"
        rf"|(?<={_FILLED})[,;(]|[,;)](?= *{_FILLED})"
        rf"|(?<=[{_HAN}])\.(?![0-9x])|\.\.\.",
        "，；：！？（）。……",
        "marks are full-width in Chinese",
        "请核实(必填)",
        "请核实（必填）",
    ),
    _mark(rf"^, $|(?<={_FILLED}), (?={_FILLED})", "、", "lists are joined by 、", ", ", "、"),
    _mark(
        rf'"(?=[{_HAN}])|(?<=[{_HAN}])"',
        "“”",
        "quotation marks are Chinese",
        '点"已告知"',
        "点“已告知”",
    ),
    _mark(
        rf"(?<=[0-9{_HAN}{_FILLED}]) ?(?:–|[~～]|(?<!—)—(?!—)) ?(?=[0-9{_HAN}{_FILLED}])"
        r"|(?<=[0-9])-(?=[0-9]+(?:[天岁人%]|小时))",
        "至",
        "ranges",
        "12月1日–12月9日",
        "12月1日至12月9日",
    ),
    _mark("：请", "，请 or 。请", "a request follows no colon", "未填：请填写", "未填，请填写"),
)


class Line(NamedTuple):
    """A Chinese text and where it stands; `kind` says what sort of text it is."""

    path: str
    number: int
    text: str
    kind: str = ""


def refused(line: Line) -> Iterator[str]:
    """Yield a sentence on each thing that is wrong with a text."""
    rules = WORDS if line.kind == "prose" else WORDS + MARKS
    shown = _PLACEHOLDER.sub(_FILLED, _TAG.sub("", line.text))
    for rule in rules:
        if rule.quotes_notices and line.kind == "document":
            continue
        read = _shape(shown) if rule.shape else shown
        for match in re.finditer(rule.pattern, read):
            start, end = match.span()
            found = shown[max(start - 4, 0) : end + 4].replace(_FILLED, "{}")
            yield (
                f"{line.path}:{line.number}: {shown[start:end]!r} in “{found}”: "
                f"write {rule.instead or 'nothing'} ({rule.why})"
            )


def _shape(text: str) -> str:
    """Return a text of the same length in which every Latin word is a row of x."""

    def reduced(match: re.Match[str]) -> str:
        word = match[0]
        if word == "Ct":
            return "一一"
        return ("0" if word[0].isdigit() else "x") * len(word)

    return _LATIN.sub(reduced, text)


def lines() -> Iterator[Line]:
    """Yield every Chinese text of the project that somebody will read."""
    readers: tuple[tuple[str, Callable[[str], Iterator[Line]]], ...] = (
        ("locale/*.po", _of_catalogue),
        ("policy/documents/*.yaml", _of_document),
        ("policy/examples/*.yaml", _of_document),
        ("policy/*.py", _of_code),
        ("portal/demo/*.py", _of_code),
        ("README.zh-CN.md", _of_markdown),
        ("docs/*.md", _of_prose),
    )
    for pattern, read in readers:
        for path in _tracked(pattern):
            if path == "docs/coverage.md":  # made from the documents
                continue
            for line in read(path):
                if line.kind == "catalogue" or re.search(f"[{_HAN}]", line.text):
                    yield line


def _tracked(pattern: str) -> list[str]:
    listed = subprocess.check_output(["git", "ls-files", pattern], cwd=ROOT, text=True)
    return listed.splitlines()


def _of_catalogue(path: str) -> Iterator[Line]:
    with (ROOT / path).open("rb") as file:
        for message in read_po(file):
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            for text in forms if message.id else ():
                yield Line(path, message.lineno or 0, str(text), "catalogue")


def _of_document(path: str) -> Iterator[Line]:
    """Yield what we say in a document; its title, number and issuer are others' words."""
    head = YAML(typ="rt").compose((ROOT / path).read_text(encoding="utf-8"))
    for mapping in _mappings(head):
        for key, value in mapping.value:
            if key.value in {"summary", "why", "name"} and isinstance(value, MappingNode):
                for language, text in value.value:
                    if language.value == "zh":
                        yield Line(path, text.start_mark.line + 1, text.value, "document")


def _mappings(node: Node) -> Iterator[MappingNode]:
    if isinstance(node, MappingNode):
        yield node
        for _key, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def _of_code(path: str) -> Iterator[Line]:
    """Yield the texts of a module, f-strings with what will be filled in as `{}`."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    inner |= {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
            yield Line(path, node.lineno, "".join(parts))
        elif isinstance(node, ast.Constant) and id(node) not in inner:
            yield Line(path, node.lineno, str(node.value))


def _of_markdown(path: str, kind: str = "") -> Iterator[Line]:
    for number, text in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        bare = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "x", text))
        if not (text.startswith("    ") and not kind):
            yield Line(path, number, bare, kind)


def _of_prose(path: str) -> Iterator[Line]:
    """Yield lines in which English and Chinese are mixed: their marks follow no rule."""
    return _of_markdown(path, "prose")
