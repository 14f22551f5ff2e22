"""Reading documents: what is wrong is refused with its line and a sentence."""

import re
import time
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.engine.documents.checks import coverage_gaps, silent_subjects
from policy.engine.documents.library import DOCUMENTS, shipped
from policy.engine.documents.loader import LONGEST_DOCUMENT, read, read_file, read_folder
from policy.engine.errors import LawError

FOLDER = Path(__file__).parents[2]
SOUND = (FOLDER / "sound.yaml").read_text()
BROKEN = sorted((FOLDER / "broken").glob("*.yaml"))
HERE = "# <- here"
KEY = re.compile(r"^(\s*(?:- )?)([a-z_]+):", re.MULTILINE)


def misspelt() -> list[tuple[str, str]]:
    """Return each key of each shipped document that stands at the beginning of a line."""
    return [
        (path.name, key)
        for path in sorted(DOCUMENTS.glob("*.yaml"))
        for key in dict.fromkeys(match[2] for match in KEY.finditer(path.read_text()))
    ]


class TestABrokenDocument:
    @pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
    def test_is_refused_with_its_line_and_the_sentence_it_names(self, path: Path) -> None:
        lines = path.read_text().splitlines()
        with pytest.raises(LawError) as refused:
            read(path.read_text(), path.name)

        assert lines[0].removeprefix("# refused: ").removesuffix(f"  {HERE}") in (
            refused.value.text.en
        )
        assert lines[refused.value.line - 1].endswith(HERE)
        assert str(refused.value).startswith(f"{path.name}, line {refused.value.line}: ")

    @pytest.mark.parametrize(("name", "key"), misspelt())
    def test_is_every_shipped_one_with_a_key_misspelt(self, name: str, key: str) -> None:
        text = (DOCUMENTS / name).read_text()
        found = next(match for match in KEY.finditer(text) if match[2] == key)
        wrong = f"{text[: found.end() - 1]}x{text[found.end() - 1 :]}"
        with pytest.raises(LawError) as refused:
            read(wrong, name)

        line = text[: found.end()].count("\n") + 1
        assert refused.value.line <= line
        assert key in refused.value.text.en or "subject" in refused.value.text.en

    def test_comes_in_two_hundred_kinds(self) -> None:
        assert len(BROKEN) + len(misspelt()) >= 200

    def test_is_refused_when_its_name_is_not_its_id(self, tmp_path: Path) -> None:
        path = tmp_path / "other.yaml"
        path.write_text(SOUND)

        with pytest.raises(LawError, match="is not the file's name"):
            read_file(path)

    def test_is_refused_when_it_is_not_text(self, tmp_path: Path) -> None:
        path = tmp_path / "other.yaml"
        path.write_bytes(b"id: \xff\xfe")

        with pytest.raises(LawError, match="not UTF-8"):
            read_file(path)

    @pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
    def test_is_refused_in_chinese_too(self, path: Path) -> None:
        with pytest.raises(LawError) as refused:
            read(path.read_text(), path.name)

        said = refused.value.text.zh
        assert re.search(r"[\u4e00-\u9fff]{2}", said)
        assert said.endswith("。")
        assert not re.search(r"[a-z]+ (is|are|must|stands|not|the) ", said)


# What a file of another program may hold, the line of it, and what is said.
STRANGE = {
    "a list as a key": ("[a, b]: 1", 1, "a key must be a word"),
    "a mapping as a key": ("{a: b}: 1", 1, "a key must be a word"),
    "merged keys": ("a:\n  <<: {b: 1}", 2, "merged by '<<'"),
    "another version": ("a: 1\n%YAML 3.0\n---\n", 2, "a directive"),
    "a tag": ("a: !b c", 1, "a tag"),
    "a tag of another language": ("a: !!python/object:os.system x", 1, "a tag"),
    "a tag that does not fit": ("a: !!bool x", 1, "no such day or number"),
    "a huge number": (f"a: 0x{'f' * 5_000}", 1, "no such day or number"),
    "half a character": (r'a: "\ud800"', 1, "neither shown nor kept"),
    "a character beyond all": (r'a: "\UFFFFFFFF"', 1, "neither shown nor kept"),
    "a control character": ('a: "\x01"', 1, "neither shown nor kept"),
    "a written control character": (r'a: "\0"', 1, "neither shown nor kept"),
}


class TestAStrangeFile:
    @pytest.mark.parametrize(("text", "line", "words"), STRANGE.values(), ids=STRANGE)
    def test_is_refused_with_its_line(self, text: str, line: int, words: str) -> None:
        with pytest.raises(LawError) as refused:
            read(f"\n{text}\n", "x")

        assert words in refused.value.text.en
        assert refused.value.line == line + 1

    @given(st.text(st.sampled_from(" \n\t#:-?!&*[]{}<%@`'\"|>,~0x1e.\\ud8\ud800é"), max_size=60))
    def test_is_never_more_than_refused(self, text: str) -> None:
        with pytest.raises(LawError):
            read(text, "x")


def aliases(levels: int) -> str:
    """Return a text whose values double three times with each line (a billion laughs)."""
    lines = [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 8)}]" for level in range(1, levels)
    ]
    return "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x]", *lines])


class TestAFileMadeToExhaustTheMachine:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (aliases(12), "more values than any notice"),
            ("a: &a [*a]", "nested too deeply"),
            ("a: &a {b: *a}", "nested too deeply"),
            ("a: " + "[" * 60_000, "nested too deeply"),
            ("a: " + "{a: " * 16_000, "nested too deeply"),
            ("- " * 30_000, "nested too deeply"),
            ("".join(f"{' ' * depth}a:\n" for depth in range(340)), "nested too deeply"),
            ("a: " + "9" * 60_000, "no YAML"),
            ("a: " + "x" * LONGEST_DOCUMENT, "longer than any notice"),
            ("".join(f"k{number}: 1\n" for number in range(6_000)), "more values than any"),
            ("".join(f"k{number}: 1\n" for number in range(3_000)), "the key 'id' is missing"),
            ("a: &a {b: 1}\nc:\n" + "  <<: *a\n" * 3_000, "merged by '<<'"),
            ("a: &a {b: 1}\nc:\n" + "  - {<<: *a}\n" * 3_000, "merged by '<<'"),
            ("<<:\n  <<:\n    a: 1\n" * 2_000, "merged by '<<'"),
            (
                SOUND.replace(
                    "who: {exposure: close_contact}",
                    "who: {been_in: {within_days: 7, areas: ["
                    + ", ".join(f'"65{number:04}"' for number in range(1_000))
                    + "]}, arrived_from: anywhere, exposure: close_contact}",
                    1,
                ),
                "more classes of people apart",
            ),
        ],
        ids=[
            *("aliases", "itself in a list", "itself in a mapping", "brackets", "braces"),
            *("dashes", "indents", "number", "long", "many keys", "keys"),
            *("merged keys", "merged in a list", "merged in merged", "classes"),
        ],
    )
    def test_is_refused_at_once(self, text: str, words: str) -> None:
        began = time.process_time()
        with pytest.raises(LawError) as refused:
            read(text, "bomb.yaml")

        assert words in refused.value.text.en
        assert time.process_time() - began < 3

    def test_is_given_little_memory(self) -> None:
        tracemalloc.start()
        with pytest.raises(LawError):
            read(aliases(40), "bomb.yaml")
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert most < 20 << 20


HEAD = 'area: "410100"\nin_force_from: 2030-01-02\nparent: null\nchecked_on: 2030-01-03\n'


class TestADocumentBesideTheOthers:
    @pytest.mark.parametrize(
        ("head", "line", "words"),
        [
            ("area: '410100'\nin_force_from: 2030-01-02\nparent: cn-2022-999", 7, "is not known"),
            ("area: '350100'\nin_force_from: 2022-12-07\nparent: fujian-2022-12", 7, "later"),
            (
                "area: '210800'\nin_force_from: 2022-12-01\nparent: yingkou-2022-11",
                7,
                "'yingkou-2022-11' ends before this document",
            ),
            (
                "area: '410100'\nin_force_from: 2021-01-01\nin_force_until: 2021-06-01\n"
                "parent: null",
                7,
                "without a document from 2021-06-02 to 2022-06-27",
            ),
        ],
    )
    def test_is_refused_with_its_line(self, head: str, line: int, words: str) -> None:
        text = SOUND.replace(HEAD, f"{head}\nchecked_on: 2030-01-03\n")
        with pytest.raises(LawError) as refused:
            read(text, "x", shipped().documents)

        assert words in refused.value.text.en
        assert refused.value.line == line

    def test_may_not_take_an_id_of_theirs(self) -> None:
        with pytest.raises(LawError, match="line 2: the id 'cn-2022-113' is taken"):
            read((DOCUMENTS / "cn-2022-113.yaml").read_text(), "x", shipped().documents)

    def test_leaves_a_hole_where_it_is_the_last(self) -> None:
        alone = read(SOUND, "x").model_copy(update={"in_force_until": date(2030, 1, 31)})

        assert list(coverage_gaps(alone.area, {"one": alone})) == [(date(2030, 2, 1), None)]
        assert list(coverage_gaps("110000", {"one": alone})) == []

    def test_is_heard_on_what_its_parents_say(self) -> None:
        assert "infected" in silent_subjects(shipped().law("yingkou-2022-11"))
        assert "infected" not in silent_subjects(shipped().law("hequ-2022-58"))


class TestASoundDocument:
    def test_may_hold_comments_anywhere(self) -> None:
        commented = SOUND.replace("who: {", "who:  # whom\n      # it means\n\n\n      {")
        commented = commented.replace("id: ", "id:  # of the notice\n  # as a word\n  ", 1)

        assert commented != SOUND
        assert read(f"{commented}\n\n\n", "x") == read(SOUND, "x")

    def test_joins_the_two_halves_of_a_character(self) -> None:
        title = re.search("title: {zh: ([^,]+),", SOUND)
        assert title
        halves = SOUND.replace(f"zh: {title[1]},", r'zh: "\ud842\udfb7市",', 1)

        assert read(halves, "x").title.zh == "𠮷市"

    def test_is_read(self) -> None:
        assert read(SOUND, "sound.yaml").id == "pingan-2030-1"

    def test_changes_a_number_by_one_line(self) -> None:
        changed = read(SOUND.replace("days: 7, tests: [1, 3, 5, 7]", "days: 6, tests: [1]"), "x")
        before = read(SOUND, "x")

        different = [
            one
            for one, other in zip(changed.provisions, before.provisions, strict=True)
            if one != other
        ]
        assert len(different) == 1


class TestTheShippedDocuments:
    def test_account_for_every_clause(self) -> None:
        counts = {name: len(document.clauses) for name, document in read_folder(DOCUMENTS).items()}

        assert counts == {
            "bayannur-2022-71": 14,
            "cangshan-2022-324": 11,
            "cn-2022-101": 20,
            "cn-2022-113": 10,
            "cn-2022-ninth": 4,
            "fujian-2022-12": 13,
            "hequ-2022-58": 0,
            "shanxi-2022-38": 10,
            "xinzhou-2022-122": 0,
            "yingkou-2022-11": 13,
        }
