"""What a credential of AWX puts into a job: environment variables, files, and files of extra variables.

Written after AWX 24.6.1 (`awx/main/models/credential`) and awx-plugins (`credentials/injectors.py`).
"""

from __future__ import annotations

import dataclasses
import tempfile
import typing as t
from pathlib import Path

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment


@dataclasses.dataclass(frozen=True)
class Injected:
    """What one credential adds to a job.

    :param arguments: further arguments of ansible-playbook.
    """

    env: dict[str, str]
    arguments: tuple[str, ...] = ()


class Credential(t.Protocol):
    """Anything that can be attached to a job template."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never be seen in what a job leaves behind."""

    def inject(self, directory: Path) -> Injected:
        """What it adds to a job whose files lie in this directory."""


@dataclasses.dataclass(frozen=True)
class AzureResourceManager:
    """The built-in credential *Microsoft Azure Resource Manager*; the fields are those of its form, blank if empty."""

    subscription: str = "not needed for Graph"
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)
    client: str = ""
    secret: str = dataclasses.field(default="", repr=False)
    tenant: str = ""
    cloud_environment: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret and the password."""
        return tuple(value for value in (self.secret, self.password) if value)

    def inject(self, directory: Path) -> Injected:
        """The application only when both its ID and its tenant are there; else the user, even when that is blank."""
        env = {"AZURE_SUBSCRIPTION_ID": self.subscription}
        if self.client and self.tenant:
            env |= {"AZURE_CLIENT_ID": self.client, "AZURE_TENANT": self.tenant, "AZURE_SECRET": self.secret}
        else:
            env |= {"AZURE_AD_USER": self.username, "AZURE_PASSWORD": self.password}
        if self.cloud_environment:
            env["AZURE_CLOUD_ENVIRONMENT"] = self.cloud_environment
        return Injected(env)


@dataclasses.dataclass(frozen=True)
class CredentialType:
    """A custom credential type, as its two files describe it."""

    inputs: dict[str, t.Any]
    injectors: dict[str, t.Any]

    @classmethod
    def read(cls, directory: Path) -> CredentialType:
        """The type whose `inputs.yml` and `injectors.yml` lie in this directory."""
        texts = ((directory / name).read_text(encoding="utf-8") for name in ("inputs.yml", "injectors.yml"))
        return cls(*(yaml.safe_load(text) for text in texts))

    def credential(self, **values: str) -> CustomCredential:
        """A credential with these fields filled in."""
        return CustomCredential(self, values)


@dataclasses.dataclass(frozen=True)
class CustomCredential:
    """A credential of a custom type."""

    type: CredentialType
    values: dict[str, str] = dataclasses.field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is in the secret fields."""
        names = [field["id"] for field in self.type.inputs["fields"] if field.get("secret")]
        return tuple(self.values[name] for name in names if self.values.get(name))

    def inject(self, directory: Path) -> Injected:
        """Blank fields are undefined, and what is undefined renders to nothing: empty variables, empty files."""
        environment = ImmutableSandboxedEnvironment()
        names: dict[str, t.Any] = {name: value for name, value in self.values.items() if value}
        for field in self.type.inputs["fields"]:
            if field.get("format") == "ssh_private_key" and not names.get(field["id"], "\n").endswith("\n"):
                names[field["id"]] += "\n"

        def render(section: str) -> dict[str, str]:
            templates = self.type.injectors.get(section, {})
            return {key: environment.from_string(template).render(names) for key, template in templates.items()}

        files = {
            label.partition(".")[2]: write_private(directory, text, 0o600) for label, text in render("file").items()
        }
        names["tower"] = {"filename": files.get("", files)}
        extra = render("extra_vars")
        arguments = ("-e", f"@{write_private(directory, unsafe_yaml(extra), 0o400)}") if extra else ()
        return Injected(render("env"), arguments)


def write_private(directory: Path, text: str, mode: int) -> str:
    """Write a file of a name that nobody can guess. Gives its path."""
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False, encoding="utf-8") as stream:
        stream.write(text)
    Path(stream.name).chmod(mode)
    return stream.name


class _UnsafeDumper(yaml.SafeDumper):
    """Marks every text, keys too: `!unsafe 'key': !unsafe 'value'`."""


_UnsafeDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def unsafe_yaml(variables: t.Mapping[str, t.Any]) -> str:
    """Extra variables in the form in which AWX hands them over: Ansible never takes their values for templates."""
    return yaml.dump(dict(variables), Dumper=_UnsafeDumper)
