"""A client of RadiKal's REST API in one file, without dependencies. Written by clients/write_client.py.

RadiKal("https://qc.example.com/api/xai-qc", "radikal_...").detect([Path("film.png")], "weld", polarity="film")
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Files = Sequence[Path]


class RefusedError(Exception):
    """The API said no.

    Attributes:
        status: of HTTP.
        problem: the problem details (RFC 9457) as they came.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}")
        self.status = status
        self.problem = problem


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _part(value: Any) -> str:
    return quote(str(value), safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(_given(content)).encode("utf-8")


def _problem(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"detail": body.decode("utf-8", "replace")[:200]}


def _multipart(form: Mapping[str, Any], files: Files) -> tuple[str, bytes]:
    """Content type and bytes of a form with files (RFC 7578)."""
    boundary = secrets.token_hex(16)
    parts = [(f'name="{name}"', _text(value).encode("utf-8")) for name, value in form.items()]
    parts += [(f'name="files"; filename="{_quoted(file.name)}"', file.read_bytes()) for file in files]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + content + b"\r\n"
        for about, content in parts
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """The name of a file as it may stand in a header."""
    return "".join("_" if one in '"\\' or not one.isprintable() else one for one in name)


class RadiKal:
    """Calls the API with a key. Every method raises RefusedError where it says no.

    Args:
        url: of the API, ending in /api/xai-qc.
        key: an API key.
        timeout_s: patience with one answer.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float = 120.0) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        files: Files = (),
    ) -> bytes:
        """The body of the answer; what is None is not sent."""
        asked = urlencode({name: _text(value) for name, value in _given(query).items()})
        headers = {"Authorization": f"Bearer {self._key}", **_given(header)}
        body = None
        if json is not None:
            headers["Content-Type"], body = "application/json", _json(json)
        elif form is not None:
            headers["Content-Type"], body = _multipart(_given(form), files)
        address = f"{self._url}{path}?{asked}" if asked else f"{self._url}{path}"
        try:
            with urlopen(Request(address, body, headers, method=method), timeout=self._timeout_s) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            with error:
                raise RefusedError(error.code, _problem(error.read())) from None

    def live(self) -> Any:
        """Whether the process lives: GET /health/live."""
        return json.loads(self._ask('GET', '/health/live'))

    def ready(self) -> Any:
        """Whether it can be used: GET /health/ready."""
        return json.loads(self._ask('GET', '/health/ready'))

    def health(self) -> Any:
        """The state of every part: GET /health."""
        return json.loads(self._ask('GET', '/health'))

    def detect(self, files: Files, model: str, *, repeat_key: str | None = None, version: int | None = None, alias: str | None = None, polarity: str | None = None, threshold: float | None = None, part: str | None = None, weld_number: str | None = None, as_job: bool | None = None) -> Any:
        """Inspect radiographs: POST /detect."""
        return json.loads(self._ask('POST', '/detect', header={'Idempotency-Key': repeat_key}, form={'model': model, 'version': version, 'alias': alias, 'polarity': polarity, 'threshold': threshold, 'part': part, 'weld_number': weld_number, 'as_job': as_job}, files=files))

    def explain(self, inspection_id: str, box: int, *, method: str | None = None) -> Any:
        """The map of a box: GET /explain/{inspection_id}/{box}."""
        return json.loads(self._ask('GET', f'/explain/{_part(inspection_id)}/{_part(box)}', query={'method': method}))

    def picture(self, inspection_id: str, box: int, *, method: str | None = None) -> bytes:
        """The radiograph with the map of a box: GET /explain/{inspection_id}/{box}/picture."""
        return self._ask('GET', f'/explain/{_part(inspection_id)}/{_part(box)}/picture', query={'method': method})

    def get_job(self, job_id: str) -> Any:
        """How far a job is: GET /jobs/{job_id}."""
        return json.loads(self._ask('GET', f'/jobs/{_part(job_id)}'))

    def stop_job(self, job_id: str) -> Any:
        """Stop a job: DELETE /jobs/{job_id}."""
        return json.loads(self._ask('DELETE', f'/jobs/{_part(job_id)}'))

    def resume_job(self, job_id: str) -> Any:
        """Resume a job: POST /jobs/{job_id}/resume."""
        return json.loads(self._ask('POST', f'/jobs/{_part(job_id)}/resume'))

    def list_inspections(self, *, limit: int | None = None, after: str | None = None, text: str | None = None, since: str | None = None, until: str | None = None, indication_class: str | None = None, disposition: str | None = None, is_undecided: bool | None = None, state: str | None = None, model: str | None = None, version: int | None = None) -> Any:
        """Inspections, a page at a time: GET /inspections."""
        return json.loads(self._ask('GET', '/inspections', query={'limit': limit, 'after': after, 'text': text, 'since': since, 'until': until, 'indication_class': indication_class, 'disposition': disposition, 'is_undecided': is_undecided, 'state': state, 'model': model, 'version': version}))

    def get_inspection(self, inspection_id: str) -> Any:
        """One inspection: GET /inspections/{inspection_id}."""
        return json.loads(self._ask('GET', f'/inspections/{_part(inspection_id)}'))

    def get_report(self, inspection_id: str, *, format: str | None = None) -> bytes:
        """The report of an inspection: GET /inspections/{inspection_id}/report."""
        return self._ask('GET', f'/inspections/{_part(inspection_id)}/report', query={'format': format})

    def export_history(self, *, text: str | None = None, since: str | None = None, until: str | None = None, indication_class: str | None = None, disposition: str | None = None, is_undecided: bool | None = None, state: str | None = None, model: str | None = None, version: int | None = None) -> bytes:
        """The history as CSV: GET /history."""
        return self._ask('GET', '/history', query={'text': text, 'since': since, 'until': until, 'indication_class': indication_class, 'disposition': disposition, 'is_undecided': is_undecided, 'state': state, 'model': model, 'version': version})

    def list_labels(self, *, name: str | None = None, limit: int | None = None, after: str | None = None) -> Any:
        """Images and how far their labels are: GET /labels."""
        return json.loads(self._ask('GET', '/labels', query={'name': name, 'limit': limit, 'after': after}))

    def get_labels(self, sha256: str) -> Any:
        """Labels of an image: GET /labels/{sha256}."""
        return json.loads(self._ask('GET', f'/labels/{_part(sha256)}'))

    def save_labels(self, sha256: str, labels: list[Any], expected_version: int, *, repeat_key: str | None = None, note: str | None = None) -> Any:
        """Save labels: PUT /labels/{sha256}."""
        return json.loads(self._ask('PUT', f'/labels/{_part(sha256)}', header={'Idempotency-Key': repeat_key}, json={'labels': labels, 'note': note, 'expected_version': expected_version}))

    def export(self, *, format: str | None = None, images: bool | None = None) -> bytes:
        """All labels as files of another tool: GET /export."""
        return self._ask('GET', '/export', query={'format': format, 'images': images})

    def list_models(self) -> Any:
        """Every model with its versions: GET /models."""
        return json.loads(self._ask('GET', '/models'))

    def get_model(self, name: str) -> Any:
        """One model with its versions: GET /models/{name}."""
        return json.loads(self._ask('GET', f'/models/{_part(name)}'))

    def get_version(self, name: str, version: int) -> Any:
        """One version with its card: GET /models/{name}/versions/{version}."""
        return json.loads(self._ask('GET', f'/models/{_part(name)}/versions/{_part(version)}'))

    def get_gate(self, name: str, version: int, *, set: str | None = None) -> Any:
        """What the gate says: GET /models/{name}/versions/{version}/gate."""
        return json.loads(self._ask('GET', f'/models/{_part(name)}/versions/{_part(version)}/gate', query={'set': set}))

    def get_history(self, name: str) -> Any:
        """What served when: GET /models/{name}/history."""
        return json.loads(self._ask('GET', f'/models/{_part(name)}/history'))

    def promote(self, name: str, version: int, *, repeat_key: str | None = None, alias: str | None = None, seen: int | None = None, set_digest: str | None = None, note: str | None = None) -> Any:
        """Promote a version: POST /models/{name}/promote."""
        return json.loads(self._ask('POST', f'/models/{_part(name)}/promote', header={'Idempotency-Key': repeat_key}, json={'version': version, 'alias': alias, 'seen': seen, 'set_digest': set_digest, 'note': note}))

    def roll_back(self, name: str, *, repeat_key: str | None = None, alias: str | None = None, seen: int | None = None, note: str | None = None) -> Any:
        """Roll back: POST /models/{name}/rollback."""
        return json.loads(self._ask('POST', f'/models/{_part(name)}/rollback', header={'Idempotency-Key': repeat_key}, json={'alias': alias, 'seen': seen, 'note': note}))

    def get_metrics(self, model: str, *, version: int | None = None, alias: str | None = None) -> Any:
        """Figures of a version: GET /metrics."""
        return json.loads(self._ask('GET', '/metrics', query={'model': model, 'version': version, 'alias': alias}))

    def get_calibration(self, model: str, *, version: int | None = None, alias: str | None = None) -> Any:
        """Calibration of a version: GET /calibration."""
        return json.loads(self._ask('GET', '/calibration', query={'model': model, 'version': version, 'alias': alias}))
