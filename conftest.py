"""What all tests share: Hypothesis judges what an example shows, never how long a busy machine took for it."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
