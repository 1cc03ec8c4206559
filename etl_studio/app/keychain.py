"""Tokens of people who signed in, in the keychain of the system; where there is none, in memory. Never in a file."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any

from etl_studio.engine.oauth2 import MemoryStore
from etl_studio.errors import PermanentError

SERVICE = "ETL Studio"
"""Under which name the keychain shows what is ours."""


class Keychain:
    """Keychain of macOS, Credential Locker of Windows, Secret Service of Linux (``engine.oauth2.TokenStore``).

    What cannot be kept there is remembered as long as the program runs.
    """

    def __init__(self) -> None:
        self._memory = MemoryStore()

    @property
    def lasts(self) -> bool:
        """Whether there is a keychain, so that what is kept is there for the next program, too."""
        return self._ring is not None

    def load(self, name: str) -> str | None:
        """What was kept under a name.

        Raises:
            PermanentError: the keychain is locked and stays so.
        """
        import keyring.errors

        kept = self._memory.load(name)
        if kept is not None or self._ring is None:
            return kept
        try:
            found: str | None = self._ring.get_password(SERVICE, name)
        except keyring.errors.KeyringError:
            raise PermanentError(
                "The keychain of this computer did not open.", hint="Unlock it, then try again."
            ) from None
        return found

    def save(self, name: str, text: str) -> None:
        """Keep a text in place of what was there."""
        import keyring.errors

        if self._ring is not None:
            # A token that the keychain does not take must not be lost for the run that has just got it.
            with suppress(keyring.errors.KeyringError):
                self._ring.set_password(SERVICE, name, text)
                self._memory.forget(name)
                return
        self._memory.save(name, text)

    def forget(self, name: str) -> None:
        """Keep it no more."""
        import keyring.errors

        self._memory.forget(name)
        if self._ring is not None:
            with suppress(keyring.errors.KeyringError):
                self._ring.delete_password(SERVICE, name)

    @cached_property
    def _ring(self) -> Any:
        import keyring
        from keyring.backends import fail, null

        ring = keyring.get_keyring()
        return None if isinstance(ring, fail.Keyring | null.Keyring) else ring
