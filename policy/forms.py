"""What administrators type about documents."""

from datetime import datetime
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area, User
from common.text import TextField
from policy import services, words
from policy.drafts import LARGEST_FILE
from policy.engine.documents.loader import LONGEST_EXAMPLES

# Notices are issued by the state, a province, a city or a county.
LEVELS_WITH_LAW = [
    Area.Level.COUNTRY,
    Area.Level.PROVINCE,
    Area.Level.CITY,
    Area.Level.COUNTY,
]


class DraftForm(forms.Form):
    """A document's YAML file, with its worked examples."""

    file = forms.FileField(
        label=_("The document's YAML file"),
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml"}),
        error_messages={"required": _("Choose the file first.")},
    )

    examples = forms.FileField(
        label=_("Worked examples"),
        help_text=_(
            "Questions with their answers: they are run, and the second person sees them."
        ),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml"}),
    )

    helper = FormHelper()
    helper.form_tag = False

    def clean_examples(self) -> Any:
        """Return the file of worked examples, if it is not too large."""
        file = self.cleaned_data["examples"]
        if file and file.size > LONGEST_EXAMPLES:
            raise forms.ValidationError(
                _("The file of worked examples is too large: 256 KiB at most.")
            )
        return file

    def clean_file(self) -> Any:
        """Return the file, if it is no larger than any notice."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than any notice: 64 KiB at most."))
        return file


class ActivationForm(forms.Form):
    """Which document is to be in force where, from when on, and why."""

    document = forms.ChoiceField(label=_("Policy document"))
    area = forms.ModelChoiceField(
        Area.objects.none(), label=_("Area"), error_messages={"required": _("Choose the area.")}
    )
    effective_from = forms.DateTimeField(
        label=_("In force from"),
        help_text=_(
            "A moment that is past means: from the approval on. Nothing before it changes."
        ),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = TextField(
        label=pgettext_lazy("why", "Reason"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say why: the second person reads it.")},
    )

    helper = FormHelper()
    helper.form_tag = False

    def __init__(self, *args: Any, user: User, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effective_from"].initial = localtime(at).replace(second=0, microsecond=0)
        documents = sorted(
            services.library().documents.values(), key=lambda known: known.in_force_from
        )
        self.fields["document"].choices = [  # type: ignore[attr-defined]
            (known.id, words.document_title(known.id)) for known in reversed(documents)
        ]
        area = self.fields["area"]
        area.queryset = (  # type: ignore[attr-defined]
            Area.objects.below(user).filter(level__in=LEVELS_WITH_LAW).order_by("path")
        )


class JustificationForm(forms.Form):
    """Why a place asks more than the nation."""

    clause = TextField(widget=forms.HiddenInput, max_length=10)
    subject = TextField(widget=forms.HiddenInput, max_length=40)
    text = TextField(
        label=_("Why this place needs more"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say why this place needs more than national rules ask.")},
    )


class ClientForm(forms.Form):
    """The name of a program that asks."""

    name = TextField(
        label=_("Name of the program"),
        max_length=60,
        error_messages={"required": _("Give the program a name.")},
    )

    helper = FormHelper()
    helper.form_tag = False
