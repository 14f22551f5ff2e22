"""Property tests here have no deadline: a busy machine is no fault of the law."""

from hypothesis import settings

settings.register_profile("law", deadline=None, max_examples=60)
settings.load_profile("law")
