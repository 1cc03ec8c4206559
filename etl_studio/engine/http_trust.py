"""Which servers a node trusts: those that the system does, those of a file of its own as well, or any."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate must be.

    Attributes:
        ca_file: PEM file with certificates that are trusted besides those of the system.
        check: False: any certificate will do, so that anybody on the way could read and change everything.
    """

    ca_file: Path | None = None
    check: bool = True

    def context(self) -> ssl.SSLContext:
        """For connections.

        Raises:
            PermanentError: the file cannot be read, or holds no certificate.
        """
        import httpx2

        context = httpx2.create_ssl_context(verify=self.check)
        if self.check and self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ssl.SSLError) as error:
                reason = (
                    error.strerror if type(error) is not ssl.SSLError and error.strerror else "no certificate in it"
                )
                raise PermanentError(
                    f'The CA file "{self.ca_file}" cannot be used: {reason}.',
                    hint="It must be a PEM file (-----BEGIN CERTIFICATE-----).",
                    column="ca_file",
                ) from None
        return context
