"""The tasks of this application, imported here for Celery."""

from residents.rosters.tasks import expire_rosters, resume_rosters, work_on_roster

__all__ = ["expire_rosters", "resume_rosters", "work_on_roster"]
