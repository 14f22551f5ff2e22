"""Create the first two accounts of an installation."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.area_file import root_areas
from accounts.auditing import audit
from accounts.services import plain_employer
from accounts.staff.models import Role, User


class Command(BaseCommand):
    """
    Create an administrator of the root areas: the first two of an installation.

    Whoever holds the account types its password; further ones are proposed on a page.
    """

    help = "Make an administrator; the password is asked for, or read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the user name and the employer."""
        parser.add_argument("username")
        parser.add_argument("--employer", default="", help="who employs them")

    def handle(self, *, username: str, employer: str, **_: Any) -> None:
        """Create the account, unless the name is taken or the password is too weak."""
        user = User(username=username, role=Role.ADMINISTRATOR, employer=plain_employer(employer))
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            user.set_unusable_password()
            user.full_clean(exclude=["name"])
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        with transaction.atomic():
            user.save()
            user.areas.set(root_areas(by=None))
            audit.record(
                by=None,
                did=gettext_noop("made account"),
                to=user,
                role=user.role,
                employer=user.employer,
            )
        self.stdout.write(f"{username} can sign in now.")
        if not _second_voice(user):
            self.stdout.write("Make another one of another employer: what matters takes two.")


def _second_voice(user: User) -> bool:
    """Return whether there is an open administrator of another employer."""
    others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(employer="")
    return bool(user.employer) and others.exclude(employer__iexact=user.employer).exists()
