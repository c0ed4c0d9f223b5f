"""What every secret store agrees on: names, ids and values; a value never enters an error."""

import re

from shared.errors import ConfigError

MAX_VALUE_BYTES = 65_536
"""What Secret Manager takes at most."""

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME = re.compile(r"[a-z0-9-]{1,100}")


def check_tenant(tenant_id: str) -> str:
    """Return a tenant id unchanged; raises ConfigError when it is not one."""
    if not _TENANT.fullmatch(tenant_id):
        raise ConfigError(
            f"tenant {tenant_id!r}: expected 1 to 63 of a-z, 0-9 and hyphens, no hyphen first"
        )
    return tenant_id


def check_name(name: str) -> str:
    """Return the name of a secret unchanged; raises ConfigError when it is not one."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"secret {name!r}: expected 1 to 100 of a-z, 0-9 and hyphens")
    return name


def secret_id(tenant_id: str, name: str) -> str:
    """One id for one secret of one tenant, at most 164 of the 255 characters a cloud takes.

    Neither part may hold an underscore, so the one between them is where the tenant ends.
    """
    return f"{check_tenant(tenant_id)}_{check_name(name)}"


def encode_value(name: str, value: str) -> bytes:
    """The bytes to store; raises ConfigError for what no store takes, without showing it."""
    # "surrogatepass" because the error of a strict encoder carries the whole value.
    content = value.encode("utf-8", "surrogatepass")
    if not content or len(content) > MAX_VALUE_BYTES:
        raise ConfigError(
            f"secret {name!r}: the value has {len(content)} bytes, expected 1 to {MAX_VALUE_BYTES}"
        )
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise ConfigError(f"secret {name!r}: the value holds broken Unicode; store text")
    return content


def decode_value(name: str, content: bytes) -> str:
    """The text of stored bytes; raises ConfigError when they are not UTF-8, without a byte."""
    text = content.decode("utf-8", "replace")
    if text.encode() != content:
        raise ConfigError(f"secret {name!r}: the stored value is not UTF-8 text; store it again")
    return text
