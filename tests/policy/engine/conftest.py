"""Property tests of the law try fewer examples each: there are many of them."""

from hypothesis import settings

settings.register_profile("law", settings.get_profile("patient"), max_examples=60)
settings.load_profile("law")
