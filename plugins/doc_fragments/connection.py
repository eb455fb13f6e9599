# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The connection options. Mirrors `CONNECTION_OPTIONS` in `module_utils/_login/options.py`."""

    DOCUMENTATION = r"""
options:
  access_token:
    description:
      - A ready access token for Microsoft Graph, without C(Bearer) in front.
      - With it, everything else about credentials is ignored, and no login takes place. It cannot be renewed, so it
        must live longer than the task takes.
      - There is no environment variable for it.
    type: str
  tenant:
    description:
      - The tenant's ID (a GUID), or one of its domain names.
      - If not set, the first of the environment variables E(AZURE_TENANT) and E(AZURE_TENANT_ID) that is not empty.
    type: str
    aliases:
      - tenant_id
  client_id:
    description:
      - The application (client) ID of the application that logs in, a GUID. Anything else is refused and not repeated
        in the message, since it may be a secret in the wrong place.
      - With O(auth_source=msi) it chooses a user-assigned managed identity.
      - If not set, the environment variable E(AZURE_CLIENT_ID).
    type: str
  secret:
    description:
      - A client secret of the application. The value of the secret, not its ID.
      - If not set, the first of the environment variables E(AZURE_SECRET) and E(AZURE_CLIENT_SECRET) that is not
        empty.
    type: str
    aliases:
      - client_secret
  x509_certificate_path:
    description:
      - The path of a PEM file with a private RSA key and its certificate, or of a PFX (PKCS#12) file, on the
        machine where the module runs. The path, not the content of the file.
      - The file may be Base64 text, as Azure Key Vault hands out PFX files, and text in UTF-16 or with a byte order
        mark.
      - An empty file counts as not given.
      - If not set, the first of the environment variables E(AZURE_X509_CERTIFICATE_PATH) and
        E(AZURE_CLIENT_CERTIFICATE_PATH) that is not empty.
    type: path
    aliases:
      - certificate_path
  certificate_password:
    description:
      - The password of the key in O(x509_certificate_path). It is ignored when the key is not encrypted.
      - Whitespace around it belongs to it, also a line break at its end. When the password does not fit because of
        that, the message says so.
      - If not set, the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
    type: str
  thumbprint:
    description:
      - The SHA-1 thumbprint of the certificate. It is only needed when O(x509_certificate_path) is a PEM file that
        holds the key without its certificate.
      - If not set, the environment variable E(AZURE_THUMBPRINT).
    type: str
  send_certificate_chain:
    description:
      - Send all certificates of O(x509_certificate_path) with the login, for applications that trust the subject
        name and issuer of a certificate.
      - If not set, the environment variable E(AZURE_CLIENT_SEND_CERTIFICATE_CHAIN), else V(false).
    type: bool
  oidc_token:
    description:
      - A token of another identity provider that a federated credential of the application trusts.
      - If not set, the environment variable E(AZURE_FEDERATED_TOKEN).
    type: str
  oidc_token_file_path:
    description:
      - The path of a file that holds such a token, on the machine where the module runs. It is read again for each
        login.
      - If not set, the environment variable E(AZURE_FEDERATED_TOKEN_FILE). AKS sets that variable in every pod with
        workload identity, so it gives way to a secret or a certificate in the environment.
    type: path
  auth_source:
    description:
      - Where the credentials come from.
      - V(auto) takes the options of the task if any of them gives a part of the credentials, else the environment
        variables. Both are never mixed.
      - V(env) takes the environment variables, even if there are options.
      - V(msi) uses the managed identity of the machine where the module runs. It is never tried unasked.
      - If not set, the environment variable E(ANSIBLE_AZURE_AUTH_SOURCE), else V(auto).
    type: str
  cloud_environment:
    description:
      - The cloud that the tenant lives in, V(AzureCloud), V(AzureUSGovernment) or V(AzureUSGovernmentDoD).
      - V(AzureChinaCloud) is refused, since the API of Identity Protection does not exist there.
      - As an option it counts before the environment variables C(AZURE_AUTHORITY_HOST) and C(MSGRAPH_URL),
        V(AzureCloud) included. What a task says is never overruled by the environment.
      - If not set, the environment variable E(AZURE_CLOUD_ENVIRONMENT), else V(AzureCloud).
    type: str
  authority_host:
    description:
      - The URL of the login service, when it is not that of O(cloud_environment).
      - It must begin with V(https://) unless it is a loopback address, and name a host and nothing behind it.
      - If not set, the login service of O(cloud_environment) when the task gives that option, else the environment
        variable E(AZURE_AUTHORITY_HOST), else the cloud in the environment.
    type: str
  graph_url:
    description:
      - The URL of Microsoft Graph, when it is not that of O(cloud_environment). Tokens are requested for it and are
        sent nowhere else.
      - It must begin with V(https://) unless it is a loopback address, and name a host and nothing behind it.
      - If not set, the Graph of O(cloud_environment) when the task gives that option, else the environment variable
        E(MSGRAPH_URL), else the cloud in the environment.
    type: str
  api_version:
    description:
      - The version of the Graph API, V(v1.0) or V(beta). If not set, V(v1.0).
    type: str
  ca_path:
    description:
      - The path of a file with CA certificates in PEM format, or of a directory of them as OpenSSL hashes it, on
        the machine where the module runs. It takes the place of the CA certificates that come with the Python
        library requests.
      - A folder must have been prepared with C(openssl rehash).
      - If not set, the environment variable E(REQUESTS_CA_BUNDLE).
    type: path
  validate_certs:
    description:
      - Whether the certificates of the login service and of Graph are verified. Only switch it off for tests, since
        whoever is on the way can then read secrets and tokens.
    type: bool
    default: true
  timeout:
    description:
      - The number of seconds for one request as a whole, from sending it to the last byte of the answer.
    type: int
    default: 60
  retry_timeout:
    description:
      - The number of seconds that one request may spend on retries, when the service answers that there are too
        many requests, or fails for the moment.
    type: int
    default: 300
requirements:
  - requests
  - msal >= 1.35 (not needed with O(access_token))
notes:
  - Environment variables are read, and files are looked for, on the machine where the module runs. That is usually
    the controller or the execution environment, with C(hosts=localhost) or C(connection=local).
  - An empty string, and one of whitespace alone, counts as not given, for all of these options and for environment
    variables.
  - Credentials are taken as a set from one source and are never mixed. Exactly one of O(secret),
    O(x509_certificate_path), O(oidc_token) and O(oidc_token_file_path) must be left, together with O(tenant) and
    O(client_id).
  - The names are those of the collection C(azure.azcollection), so that its credentials, and the credential type
    C(Microsoft Azure Resource Manager) of AWX, serve for both.
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). Requests over plain
    HTTP, to loopback addresses and to the endpoint of a managed identity, never use a proxy. Special characters in the
    user name and the password of a proxy must be percent-encoded.
  - Numbers must be written in digits. V(true) and V(1_0) in quotes are refused, which Ansible would take for 1 and 10.
  - A task that takes longer than ten seconds shows on standard error, every five seconds, how far it is. It shows
    numbers only, and only where the module runs on the controller itself and the task is not C(async).
    E(ENTRA_RISK_PROGRESS=0) in the environment of Ansible switches that off.
"""
