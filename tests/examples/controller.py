"""A stand-in for the REST API of AWX: it stores what the modules of awx.awx send, and gives it back.

It knows two behaviors of AWX beyond that, because the examples depend on them: secrets are never shown again, and a
playbook can only be named once its project has been fetched.
"""

from __future__ import annotations

import contextlib
import json
import threading
import typing as t

from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

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


@contextlib.contextmanager
def serve(store: Store, token: str) -> t.Iterator[str]:
    """Serve a store on loopback, to whoever shows the token. Gives the origin."""

    @Request.application
    def app(request: Request) -> Response:
        status, answer = 401, {"detail": "Authentication credentials were not provided."}
        if request.headers.get("Authorization") == f"Bearer {token}":
            body = request.get_json(silent=True) or {}
            status, answer = store.answer(request.method, request.path, request.args.to_dict(), body)
        text = None if answer is None else json.dumps(answer)
        headers = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}
        return Response(text, status, headers, content_type="application/json")

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *dummy: object) -> None:
        """Nothing: the store remembers what was written."""
