"""The `phone` of telephone tests: the offline twin on the test's clock."""

import pytest
import time_machine
from flask import Flask

from tests.calls.phones import Phone, make_phone
from tests.calls.shop import oksana, shelf  # noqa: F401 (fixtures)


@pytest.fixture
def phone(app: Flask, clock: time_machine.Traveller) -> Phone:
    """`phone.call("+380671234567")` is a leg: press, speak, hang up, read what it heard."""
    return make_phone(app, clock)
