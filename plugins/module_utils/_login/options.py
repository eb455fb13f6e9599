# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The connection options: one table for the modules and the event source."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Option:
    """One connection option.

    :param env: names of environment variables; the first one that is not empty counts.
    :param credential: part of the set that comes from one source as a whole, never mixed.
    :param exact: whitespace around the value belongs to it.
    :param skip_empty_file: the path of an empty file counts as not given (AWX writes such files for empty fields).
    """

    name: str
    type: str = "str"
    aliases: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    secret: bool = False
    default: bool | int | None = None
    credential: bool = False
    exact: bool = False
    skip_empty_file: bool = False

    @property
    def spelled(self) -> str:
        """The option with its environment variables, for messages."""
        return f"{self.name} ({' or '.join(self.env)})" if self.env else self.name


CONNECTION_OPTIONS: tuple[Option, ...] = (
    Option("access_token", secret=True),
    Option("tenant", aliases=("tenant_id",), env=("AZURE_TENANT", "AZURE_TENANT_ID"), credential=True),
    Option("client_id", env=("AZURE_CLIENT_ID",), credential=True),
    Option(
        "secret",
        aliases=("client_secret",),
        env=("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
        secret=True,
        credential=True,
    ),
    Option(
        "x509_certificate_path",
        type="path",
        aliases=("certificate_path",),
        env=("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
        credential=True,
        skip_empty_file=True,
    ),
    Option(
        "certificate_password",
        env=("AZURE_CLIENT_CERTIFICATE_PASSWORD",),
        secret=True,
        credential=True,
        exact=True,
    ),
    Option("thumbprint", env=("AZURE_THUMBPRINT",), credential=True),
    Option("send_certificate_chain", type="bool", env=("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",)),
    Option("oidc_token", env=("AZURE_FEDERATED_TOKEN",), secret=True, credential=True),
    Option("oidc_token_file_path", type="path", env=("AZURE_FEDERATED_TOKEN_FILE",), credential=True),
    Option("auth_source", env=("ANSIBLE_AZURE_AUTH_SOURCE",)),
    Option("cloud_environment", env=("AZURE_CLOUD_ENVIRONMENT",)),
    Option("authority_host", env=("AZURE_AUTHORITY_HOST",)),
    Option("graph_url", env=("MSGRAPH_URL",)),
    Option("api_version"),
    Option("ca_path", type="path", env=("REQUESTS_CA_BUNDLE",)),
    Option("validate_certs", type="bool", default=True),
    Option("timeout", type="int", default=60),
    Option("retry_timeout", type="int", default=300),
)

# A login as a user is not supported. AWX's credential sets these two, so that a refusal can say what to use instead.
USER_VARIABLES: tuple[str, ...] = ("AZURE_AD_USER", "AZURE_PASSWORD")

BY_NAME: t.Mapping[str, Option] = {option.name: option for option in CONNECTION_OPTIONS}

AUTH_SOURCES: tuple[str, ...] = ("auto", "env", "msi")
API_VERSIONS: tuple[str, ...] = ("v1.0", "beta")


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """The options as AnsibleModule wants them.

    There are neither choices nor defaults where an empty string or the environment must be able to say "not given".
    """
    spec: dict[str, dict[str, t.Any]] = {}
    for option in CONNECTION_OPTIONS:
        entry: dict[str, t.Any] = {"type": option.type}
        if option.aliases:
            entry["aliases"] = list(option.aliases)
        if option.default is not None:
            entry["default"] = option.default
        if option.secret:
            entry["no_log"] = True
        elif "token" in option.name:
            # A path, but its name looks like a secret: said explicitly, or Ansible warns.
            entry["no_log"] = False
        spec[option.name] = entry
    return spec
