"""The same two schools and their people as the tests of the security base."""

from tests.security.conftest import cast

__all__ = ["cast"]
