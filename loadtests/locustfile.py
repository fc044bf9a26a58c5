"""What Locust loads; it names the users and holds no logic."""

from loadtests.users import LiveUser

__all__ = ["LiveUser"]
