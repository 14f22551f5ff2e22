"""What Django does when the portal starts."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The portal, with its own checks."""

    name = "portal"

    def ready(self) -> None:
        """Let `manage.py check` and `migrate` ask the checks."""
        from portal import checks  # noqa: F401 - registers them, once models are there
