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

# Environment variables, and further arguments of ansible-playbook.
Injected = tuple[dict[str, str], list[str]]


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
    def secrets(self) -> list[str]:
        """Values that must never be seen in what a job leaves behind."""
        return [value for value in (self.secret, self.password) if value]

    def inject(self, directory: Path) -> Injected:
        """The application only when both its ID and its tenant are there; else the user, even when that is blank."""
        env = {"AZURE_SUBSCRIPTION_ID": self.subscription}
        if self.client and self.tenant:
            env |= {"AZURE_CLIENT_ID": self.client, "AZURE_TENANT": self.tenant, "AZURE_SECRET": self.secret}
        else:
            env |= {"AZURE_AD_USER": self.username, "AZURE_PASSWORD": self.password}
        if self.cloud_environment:
            env["AZURE_CLOUD_ENVIRONMENT"] = self.cloud_environment
        return env, []


@dataclasses.dataclass(frozen=True)
class CredentialType:
    """A custom credential type, as its two files describe it; with values it is a credential of that type."""

    inputs: dict[str, t.Any]
    injectors: dict[str, t.Any]
    values: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)

    def credential(self, **values: str) -> CredentialType:
        return dataclasses.replace(self, values={name: value for name, value in values.items() if value})

    @property
    def secrets(self) -> list[str]:
        """What is in the secret fields."""
        names = [field["id"] for field in self.inputs["fields"] if field.get("secret")]
        return [self.values[name] for name in names if name in self.values]

    def inject(self, directory: Path) -> Injected:
        """Blank fields are undefined, and what is undefined renders to nothing: empty variables, empty files."""
        environment = ImmutableSandboxedEnvironment()
        names: dict[str, t.Any] = dict(self.values)
        for field in self.inputs["fields"]:
            if field.get("format") == "ssh_private_key" and field["id"] in names:
                names[field["id"]] = names[field["id"]].rstrip("\n") + "\n"

        def render(section: str) -> dict[str, str]:
            templates = self.injectors.get(section, {})
            return {key: environment.from_string(template).render(names) for key, template in templates.items()}

        files = {key.partition(".")[2]: _private(directory, text, 0o600) for key, text in render("file").items()}
        # AWX, and the EDA controller.
        names["tower"] = names["eda"] = {"filename": files}
        return render("env"), ["-e", f"@{_private(directory, unsafe_yaml(render('extra_vars')), 0o400)}"]


Credential = t.Union[AzureResourceManager, CredentialType]


def _private(directory: Path, text: str, mode: int) -> str:
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
