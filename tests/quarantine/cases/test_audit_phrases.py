"""What the audit says of the events of a case."""

import pytest
from django.utils.translation import gettext, override

from quarantine.cases.audit_phrases import DID, TOOK_BACK
from quarantine.models import Event


class TestDeeds:
    @pytest.mark.parametrize("phrases", [DID, TOOK_BACK], ids=["done", "taken back"])
    def test_have_a_phrase_of_their_own_in_chinese_for_every_kind(
        self, phrases: dict[str, str]
    ) -> None:
        assert set(phrases) == set(Event.Kind)
        with override("zh-hans"):
            shown = {gettext(phrase) for phrase in phrases.values()}
        assert len(shown) == len(phrases)
        assert not any(phrase.isascii() for phrase in shown)
