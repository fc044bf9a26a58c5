"""Sign-in and sign-up (contract §7): forms that lead to where a visitor was going."""

from typing import Final

from playwright.sync_api import Page

from e2e.visits import Visit
from harness.targets.base import Person

ARRIVAL_MS_MAX: Final = 10_000


class Login:
    """`/login.html`."""

    path: Final = "/login.html"

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.page: Page = visit.page

    def open(self, query: str = "") -> "Login":
        """Go there."""
        self.visit.goto(self.path + query)
        return self

    def sign_in(self, person: Person) -> None:
        """Fill the form and send it; the page then leads elsewhere by itself."""
        self.visit.mask(person.password)
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password", exact=True).fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()


class Signup:
    """`/signup.html`."""

    path: Final = "/signup.html"

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.page: Page = visit.page

    def open(self, query: str = "") -> "Signup":
        """Go there."""
        self.visit.goto(self.path + query)
        return self

    def sign_up(self, person: Person) -> None:
        """Fill the form, accept the terms and send it."""
        self.visit.mask(person.password)
        self.page.get_by_label("Full name").fill(person.full_name)
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password", exact=True).fill(person.password)
        self.page.get_by_role("checkbox", name="I have read and accept").check()
        self.page.get_by_role("button", name="Create account").click()
