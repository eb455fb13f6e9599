"""A stand-in for the REST API of AWX: it stores what the modules of awx.awx send, and gives it back.

It knows two behaviors of AWX beyond that, because the examples depend on them: secrets are never shown again, and a
playbook can only be named once its project has been fetched.
"""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
import urllib.parse

API = "/api/v2/"
ENCRYPTED = "$encrypted$"
SECRETS = ("secret", "certificate")
UNIFIED = ("job_templates", "projects", "workflow_job_templates")

Values = dict[str, t.Any]
Answer = tuple[int, t.Any]


class Store:
    """The database of a new AWX, and what is added to it.

    :param updates: how the first updates of the project end. All later ones are successful.
    """

    def __init__(self, *updates: str) -> None:
        self._updates = list(updates)
        self._objects: dict[str, Values] = {}
        self._related: dict[str, t.Any] = {}
        self.writes: list[str] = []
        self._add("organizations", {"name": "Default"})
        self._add("credential_types", {"name": "Microsoft Azure Resource Manager"})

    def all(self, kind: str) -> dict[str, Values]:
        """The objects of a kind, by name (nodes: by identifier), each with its `survey_spec` and its links."""
        found = [(url, item) for url, item in self._objects.items() if url.startswith(f"{API}{kind}/")]
        prefixes = {url: len(url) for url, dummy in found}
        return {
            item.get("name") or item["identifier"]: {
                **item,
                **{key[prefixes[url] : -1]: value for key, value in self._related.items() if key.startswith(url)},
            }
            for url, item in found
        }

    def answer(self, method: str, path: str, query: Values, body: Values) -> Answer:
        """Status and body."""
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if path in self._objects:
            if method == "PATCH":
                self._objects[path].update(_stored(body))
            return 200, _shown(self._objects[path])
        parent, dummy, kind = path.rstrip("/").rpartition("/")
        if f"{parent}/" in self._objects:
            return self._relation(method, path, self._objects[f"{parent}/"], kind, body)
        if method == "POST":
            project = self._objects.get(f"{API}projects/{body.get('project')}/", {})
            if project.get("scm_revision") == "":
                return 400, {"playbook": ["Playbook not found for project."]}
            return 201, _shown(self._add(kind, body))
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        found = [item for url, item in self._objects.items() if url.split("/")[3] in kinds]
        return 200, _listing([_shown(item) for item in found if all(str(item.get(k)) == v for k, v in query.items())])

    def _relation(self, method: str, path: str, item: Values, kind: str, body: Values) -> Answer:
        if kind == "update":
            return 202, self._update(item)
        if kind == "create_approval_template":
            approval = self._add("workflow_approval_templates", body)
            item["unified_job_template"] = approval["id"]
            item["related"]["unified_job_template"] = approval["url"]
            return 201, approval
        if kind == "survey_spec":
            if method == "POST":
                self._related[path] = body
            return 200, self._related.get(path, {})
        links: list[int] = self._related.setdefault(path, [])
        if method == "POST":
            links.append(body["id"])
            return 204, None
        return 200, _listing([{"id": link} for link in links])

    def _add(self, kind: str, values: Values) -> Values:
        number = len(self._objects) + 1
        url = f"{API}{kind}/{number}/"
        item = {**_stored(values), "id": number, "url": url, "summary_fields": {}}
        item["type"] = f"{kind[:-3]}y" if kind.endswith("ies") else kind[:-1]
        item["related"] = {name: f"{url}{name}/" for name in ("survey_spec", "update")}
        self._objects[url] = item
        if kind == "projects":
            # AWX fetches a new project by itself.
            update = self._update(item)
            return {**item, "summary_fields": {"current_update": {"id": update["id"]}}}
        return item

    def _update(self, project: Values) -> Values:
        status = self._updates.pop(0) if self._updates else "successful"
        project["scm_revision"] = "0" * 40 if status == "successful" else project.get("scm_revision", "")
        result = {"status": status, "failed": status != "successful", "finished": "2027-01-04T06:00:00Z"}
        return self._add("project_updates", {**result, "scm_revision": project["scm_revision"]})


def _stored(values: Values) -> Values:
    """What is given as null is an empty text in the database."""
    return {key: "" if value is None else value for key, value in values.items()}


def _shown(item: Values) -> Values:
    inputs = item.get("inputs", {})
    if item["type"] != "credential":
        return item
    return {**item, "inputs": {key: ENCRYPTED if key in SECRETS and inputs[key] else inputs[key] for key in inputs}}


def _listing(results: list[Values]) -> Values:
    return {"count": len(results), "next": None, "previous": None, "results": results}


class Server:
    """Serves a store on loopback, to whoever shows the token. Use it as a context."""

    def __init__(self, store: Store, token: str) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(store, token))

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(store: Store, token: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size)) if size else {}
            status, answer = 401, {"detail": "Authentication credentials were not provided."}
            if self.headers.get("Authorization") == f"Bearer {token}":
                status, answer = store.answer(self.command, parts.path, dict(urllib.parse.parse_qsl(parts.query)), body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            headers |= {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, *dummy: object) -> None:
            """Nothing: the store remembers what was written."""

    for method in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._serve)
    return Handler
