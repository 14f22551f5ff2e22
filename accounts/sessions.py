"""Sessions of an account."""

from allauth.usersessions.models import UserSession

from accounts.staff.models import User


def end_sessions(user: User) -> None:
    """End all sessions of an account."""
    for session in UserSession.objects.filter(user=user):
        session.end()
