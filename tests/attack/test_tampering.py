"""A thousand tamperings with what the audit rests on, by who has all rights in the database."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests import tampering
from tests.policy.test_drafts import NOTICE

pytestmark = [pytest.mark.attack, pytest.mark.django_db(transaction=True)]
ROUNDS = 1_000


class TestAThousandTamperings:
    def test_are_all_found_and_where(self, settings: Settings, tmp_path: Path) -> None:
        noted = settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
        tampering.fill(NOTICE)

        done = tampering.run(ROUNDS, 2022, noted)

        figures = ", ".join(f"{what} {count}" for what, count in sorted(done.items()))
        print(f"\n{ROUNDS:,} of {ROUNDS:,} tamperings found: {figures}")  # noqa: T201 - the figures are the point
