"""Reading documents: what is wrong is refused with its line and a sentence."""

import re
from pathlib import Path

import pytest

from policy.engine.errors import LawError
from policy.engine.library import DOCUMENTS
from policy.engine.loader import read, read_file, read_folder

FOLDER = Path(__file__).parent.parent
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
            refused.value.sentence
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
        assert key in refused.value.sentence or "subject" in refused.value.sentence

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


class TestASoundDocument:
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
