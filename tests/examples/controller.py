"""The REST API of AWX, as far as the modules of awx.awx use it: it stores objects, and gives them back as AWX would.

It applies the rules by which AWX refuses an object: what a 400 is there is a 400 here.
"""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
import urllib.parse

from tests.awx.rules import complaints as type_complaints

from .rules import rule_complaints, survey_complaints

VERSION = "24.6.1"
ENCRYPTED = "$encrypted$"
API = "/api/v2/"

Values = dict[str, t.Any]
Answer = tuple[int, t.Any]

_TYPES = {
    "credential_types": "credential_type",
    "credentials": "credential",
    "execution_environments": "execution_environment",
    "inventories": "inventory",
    "job_templates": "job_template",
    "organizations": "organization",
    "projects": "project",
    "schedules": "schedule",
    "workflow_approval_templates": "workflow_approval_template",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "workflow_job_templates": "workflow_job_template",
}
_UNIFIED = ("job_templates", "projects", "workflow_job_templates")
# Fields that hold the id of another object.
_REFERENCES = {
    "credential_type": ("credential_types",),
    "execution_environment": ("execution_environments",),
    "inventory": ("inventories",),
    "organization": ("organizations",),
    "project": ("projects",),
    "unified_job_template": (*_UNIFIED, "workflow_approval_templates"),
    "workflow_job_template": ("workflow_job_templates",),
}
_LINKS = {
    "job_templates": ("credentials",),
    "workflow_job_template_nodes": ("always_nodes", "failure_nodes", "success_nodes"),
}
# The built-in type, as far as it matters: its fields, secret or not.
_AZURE = {
    "client": False,
    "cloud_environment": False,
    "password": True,
    "secret": True,
    "subscription": False,
    "tenant": False,
    "username": False,
}


class RefusedError(Exception):
    """AWX would answer with a 400."""


class Store:
    """What is in the database of an AWX that has just been installed, and what is added later.

    :param playbooks: what the project has, once it is fetched.
    """

    def __init__(self, playbooks: t.Collection[str]) -> None:
        self._playbooks = frozenset(playbooks)
        self._lock = threading.Lock()
        self._objects: dict[str, dict[int, Values]] = {name: {} for name in _TYPES}
        self._surveys: dict[int, Values] = {}
        self._links: dict[tuple[int, str], list[int]] = {}
        self._number = 0
        self.writes: list[str] = []
        self._add("organizations", {"name": "Default"})
        fields = [{"id": name, "label": name, "secret": secret} for name, secret in _AZURE.items()]
        azure = {"fields": fields, "required": ["subscription"]}
        self._add("credential_types", {"name": "Microsoft Azure Resource Manager", "managed": True, "inputs": azure})

    def named(self, collection: str) -> dict[str, Values]:
        """The objects of a collection by name, as the API shows them, with `survey` and `links`.

        Nodes have no name but an identifier.
        """
        shown = {}
        for number, item in self._objects[collection].items():
            links = {kind: list(found) for (owner, kind), found in self._links.items() if owner == number}
            shown[item.get("name") or item["identifier"]] = {
                **self._show(collection, item),
                "survey": self._surveys.get(number),
                "links": links,
            }
        return shown

    def answer(self, method: str, url: str, body: Values) -> Answer:
        """Status and body."""
        parts = urllib.parse.urlsplit(url)
        words = parts.path.removeprefix(API).strip("/").split("/")
        with self._lock:
            if method != "GET":
                self.writes.append(f"{method} {parts.path}")
            try:
                if len(words) == 1:
                    return self._collection(method, words[0], dict(urllib.parse.parse_qsl(parts.query)), body)
                if len(words) == 2:
                    return self._object(method, words[0], int(words[1]), body)
                return self._related(method, words[0], int(words[1]), words[2], body)
            except RefusedError as exc:
                return 400, {"error": str(exc), "__all__": [str(exc)]}
            except KeyError:
                return 404, {"detail": "Not found."}

    def _collection(self, method: str, collection: str, query: Values, body: Values) -> Answer:
        if method == "POST":
            self._check(collection, body)
            return 201, self._show(collection, self._add(collection, body))
        names = _UNIFIED if collection == "unified_job_templates" else (collection,)
        found = [self._show(name, item) for name in names for item in self._objects[name].values()]
        found = [item for item in found if all(str(item.get(key)) == value for key, value in query.items())]
        return 200, _listing(found)

    def _object(self, method: str, collection: str, number: int, body: Values) -> Answer:
        item = self._objects[collection][number]
        if method == "PATCH":
            self._check(collection, {**item, **body})
            item.update(_stored(body))
        return 200, self._show(collection, item)

    def _related(self, method: str, collection: str, number: int, kind: str, body: Values) -> Answer:
        item = self._objects[collection][number]
        if kind == "survey_spec":
            if method == "POST":
                _refuse(survey_complaints(body))
                self._surveys[number] = body
            return 200, self._surveys.get(number, {})
        if kind == "create_approval_template":
            approval = self._add("workflow_approval_templates", body)
            item["unified_job_template"] = approval["id"]
            return 201, self._show("workflow_approval_templates", approval)
        if kind not in _LINKS.get(collection, ()):
            raise KeyError(kind)
        links = self._links.setdefault((number, kind), [])
        if method == "POST":
            (links.remove if body.get("disassociate") else links.append)(body["id"])
            return 204, None
        return 200, _listing([{"id": link} for link in links])

    def _add(self, collection: str, values: Values) -> Values:
        self._number += 1
        item = {**_stored(values), "id": self._number}
        self._objects[collection][self._number] = item
        return item

    def _show(self, collection: str, item: Values) -> Values:
        url = f"{API}{collection}/{item['id']}/"
        shown = {**item, "type": _TYPES[collection], "url": url, "related": {"survey_spec": f"{url}survey_spec/"}}
        if collection == "projects":
            # It is fetched at once.
            shown.update(summary_fields={}, scm_revision="0" * 40)
        if collection == "credentials":
            secret = self._fields(item)
            inputs = item["inputs"].items()
            shown["inputs"] = {key: ENCRYPTED if secret[key] and value else value for key, value in inputs}
        target = item.get("unified_job_template")
        if target in self._objects["workflow_approval_templates"]:
            shown["related"]["unified_job_template"] = f"{API}workflow_approval_templates/{target}/"
        return shown

    def _fields(self, credential: Values) -> dict[str, bool]:
        """The fields of a credential, secret or not."""
        fields = self._objects["credential_types"][credential["credential_type"]]["inputs"]["fields"]
        return {field["id"]: field.get("secret", False) for field in fields}

    def _check(self, collection: str, values: Values) -> None:
        for field, collections in _REFERENCES.items():
            number = values.get(field)
            if number is not None and not any(number in self._objects[name] for name in collections):
                raise RefusedError(f"{field}: there is no object {number}")
        if collection == "credential_types":
            _refuse(type_complaints(values["inputs"], values["injectors"]))
        elif collection == "credentials":
            _refuse([f"{name} is no input" for name in values["inputs"] if name not in self._fields(values)])
        elif collection == "job_templates" and values["playbook"] not in self._playbooks:
            raise RefusedError("Playbook not found for project.")
        elif collection == "schedules":
            _refuse(rule_complaints(values["rrule"]))
            survey = self._surveys.get(values["unified_job_template"], {})
            asked = {question["variable"] for question in survey.get("spec", [])}
            _refuse(
                [f"Variables {name} are not allowed on launch." for name in values["extra_data"] if name not in asked]
            )


def _stored(values: Values) -> Values:
    """What is given as null is an empty text in the database."""
    return {key: "" if value is None else value for key, value in values.items()}


def _listing(results: list[Values]) -> Values:
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _refuse(found: list[str]) -> None:
    if found:
        raise RefusedError("; ".join(found))


class Server:
    """Serves a store on loopback, to whoever shows the token. Use it as a context."""

    def __init__(self, store: Store, token: str) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(store, token))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(store: Store, token: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size)) if size else {}
            if self.headers.get("Authorization") == f"Bearer {token}":
                status, answer = store.answer(self.command, self.path, body)
            else:
                status, answer = 401, {"detail": "Authentication credentials were not provided."}
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", VERSION)
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, *dummy: object) -> None:
            """Nothing: the store remembers what was written."""

    for method in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._serve)

    return Handler
