"""What the forms of acts refuse, at which field."""

from django.utils import translation

from quarantine.acts.forms import OutingForm
from tests.factories import NOW

TODAY = NOW.date()


class TestAct:
    def test_names_each_thing_that_is_missing(self) -> None:
        with translation.override("en"):
            errors = OutingForm({}, today=TODAY, choices={}).errors

        assert errors["vehicle"] == ["Still missing: Vehicle."]
        assert len({errors[name][0] for name in ("day", "purpose", "vehicle", "mask")}) == 4
