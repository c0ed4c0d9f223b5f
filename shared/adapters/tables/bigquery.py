"""Tables in BigQuery: streamed rows, read through views that keep one row per row id."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from shared.adapters.tables import rules
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.events import LOCAL_TENANT
from shared.ports import Appended, JsonObject, Options, QuarantinedRow
from shared.tables import QUARANTINE, Table

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJobConfig

CALL_SECONDS = 30.0
RETRY_SECONDS = 60.0
"""How long a call is repeated here before the message goes back to the queue."""
QUERY_SECONDS = 120.0
CHUNK_ROWS = 500
CHUNK_BYTES = 5_000_000
"""Google advises 500 rows a request and takes at most 10 MB."""
MAX_BYTES_BILLED = 100 * 1024**3
"""A query that would read more is refused before it costs anything."""
WRONG_ROW = "invalid"
"""The reason that BigQuery gives for a row that will never fit its table."""

WRITE_ROLE = "roles/bigquery.dataEditor on the dataset"
QUERY_ROLE = "roles/bigquery.jobUser on the project and roles/bigquery.dataEditor on the dataset"


def connect(url: str, options: Options) -> "BigQueryTables":
    """Tables of the tenant `local` in `bigquery://PROJECT.DATASET`.

    `?endpoint=http://127.0.0.1:PORT` talks to a test server without credentials.
    """
    parts = urlsplit(url)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    local = urlsplit(endpoint).hostname in ("127.0.0.1", "localhost")
    place = re.fullmatch(r"([a-z][a-z0-9:.-]*)\.([A-Za-z0-9_]+)", parts.netloc)
    if parts.scheme != "bigquery" or not place or parts.path or (endpoint and not local):
        raise ConfigError(
            f"{url!r}: expected bigquery://PROJECT.DATASET, for tests with "
            "?endpoint=http://127.0.0.1:PORT"
        )
    client = _client(place[1], endpoint)
    return BigQueryTables(client, f"{place[1]}.{place[2]}", LOCAL_TENANT, options.now)


def _client(project: str, endpoint: str) -> "Client":
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.bigquery import Client

    if endpoint:
        return Client(
            project=project,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": endpoint},
        )
    try:
        return Client(project=project)
    except DefaultCredentialsError as problem:
        raise ConfigError(
            "BigQuery: no Google credentials; run: gcloud auth application-default login"
        ) from problem


class BigQueryTables:
    """Terraform makes the tables and views; this appends to the ones and asks the others.

    An append of more than 500 rows is several requests: when one fails the append is to be
    repeated, and until then some of its rows are seen.
    """

    def __init__(
        self, client: "Client", dataset: str, tenant_id: str, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._dataset = dataset
        self._tenant_id = rules.check_tenant(tenant_id)
        self._now = now

    def __repr__(self) -> str:
        return f"BigQueryTables({self._dataset!r}, {self._tenant_id!r})"

    def for_tenant(self, tenant_id: str) -> Self:
        """The same dataset, seen by one tenant."""
        return type(self)(self._client, self._dataset, tenant_id, self._now)

    def append(self, table: str, rows: Sequence[JsonObject]) -> Appended:
        """Stream rows; what BigQuery itself refuses is quarantined like what we refuse."""
        into = rules.table_of(table)
        now = self._now()
        checked = rules.checked_rows(into, self._tenant_id, rows, now)
        self._quarantine(checked.quarantine)
        refused = self._stream(into, checked.rows)
        wrong = [(checked.rows[at], reason) for at, reason in refused.items()]
        self._quarantine(rules.quarantine_rows(into, self._tenant_id, wrong, now))
        places = {checked.places[at]: reason for at, reason in refused.items()}
        quarantined = [*checked.quarantined, *(QuarantinedRow(*one) for one in places.items())]
        return Appended(
            len(checked.rows) - len(refused), sorted(quarantined, key=lambda row: row.index)
        )

    def query(self, name: str, parameters: JsonObject) -> Sequence[JsonObject]:
        """The rows that a named query finds; it may read 100 GiB at most."""
        from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

        query = rules.named_query(name)
        checked = rules.checked_parameters(query, self._tenant_id, parameters)
        with self._errors(f"query {name}", QUERY_ROLE):
            found = self._client.query_and_wait(
                query.sql,
                job_config=self._job(name, checked),
                api_timeout=CALL_SECONDS,
                wait_timeout=QUERY_SECONDS,
                retry=_retry(),
                job_retry=DEFAULT_JOB_RETRY.with_timeout(RETRY_SECONDS),
            )
            return [dict(row.items()) for row in found]

    def _job(self, name: str, parameters: Mapping[str, tuple[str, Any]]) -> "QueryJobConfig":
        from google.cloud.bigquery import QueryJobConfig

        return QueryJobConfig(
            default_dataset=self._dataset,
            query_parameters=[_parameter(*one) for one in parameters.items()],
            maximum_bytes_billed=MAX_BYTES_BILLED,
            labels={"query": name},
        )

    def _quarantine(self, rows: Sequence[rules.WireRow]) -> None:
        refused = self._stream(QUARANTINE, rows)
        if refused:
            reason = next(iter(refused.values()))
            raise ConfigError(
                f"{self._dataset}.{QUARANTINE.rows_name} does not take quarantined rows "
                f"({reason}); run terraform apply"
            )

    def _stream(self, table: Table, rows: Sequence[rules.WireRow]) -> dict[int, str]:
        """Append rows; returns why BigQuery refuses which of them."""
        refused: dict[int, str] = {}
        name = f"{self._dataset}.{table.rows_name}"
        for chunk in rules.chunks_of(rows, most_rows=CHUNK_ROWS, most_bytes=CHUNK_BYTES):
            with self._errors(name, WRITE_ROLE):
                said = self._client.insert_rows_json(
                    name,
                    [rows[at] for at in chunk],
                    # Google forgets these within minutes: they save rows, the views keep the word.
                    row_ids=[f"{rows[at]['row_id']}-{rows[at]['row_digest']}" for at in chunk],
                    skip_invalid_rows=True,
                    timeout=CALL_SECONDS,
                    retry=_retry(),
                )
            refused |= {chunk[at]: reason for at, reason in _refusals(name, said).items()}
        return refused

    @contextmanager
    def _errors(self, what: str, role: str) -> Iterator[None]:
        from concurrent.futures import TimeoutError as QueryTimeout

        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        try:
            yield
        except (GoogleAPIError, GoogleAuthError, RequestException) as problem:
            raise self._ours(problem, what, role) from problem
        except (ConnectionError, QueryTimeout) as problem:
            raise RetryLater(f"{what}: BigQuery does not answer in time: {problem}") from problem

    def _ours(self, problem: Exception, what: str, role: str) -> PipelineError:
        from google.api_core import exceptions as google
        from google.auth.exceptions import GoogleAuthError, TransportError

        said = str(problem)[:300]
        if isinstance(problem, google.NotFound):
            return ConfigError(f"{what}: not in {self._dataset}; run terraform apply: {said}")
        quota = isinstance(problem, google.Forbidden) and _reason(problem) in QUOTA_REASONS
        if isinstance(problem, google.Forbidden | google.Unauthorized) and not quota:
            return ConfigError(f"{what}: not permitted, this account needs {role}: {said}")
        if isinstance(problem, google.BadRequest):
            return rules.TablesInvalid(f"{what}: BigQuery refuses this: {said}")
        if isinstance(problem, GoogleAuthError) and not isinstance(problem, TransportError):
            return ConfigError(f"{what}: the Google credentials do not work: {said}")
        return RetryLater(f"{what}: BigQuery does not answer as it should: {said}")


QUOTA_REASONS = ("quotaExceeded", "rateLimitExceeded")


def _reason(problem: Any) -> str:
    return str(problem.errors[0].get("reason", "")) if problem.errors else ""


def _refusals(name: str, said: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Why which rows of a request are refused; raises RetryLater when some may yet be taken."""
    refused: dict[int, str] = {}
    for row in said:
        errors = row["errors"]
        if any(error.get("reason") != WRONG_ROW for error in errors):
            reasons = sorted({str(error.get("reason")) for error in errors})
            raise RetryLater(f"{name}: BigQuery did not take every row: {', '.join(reasons)}")
        refused[int(row["index"])] = "BigQuery: " + "; ".join(
            f"{error.get('location') or 'row'}: {error.get('message')}" for error in errors
        )
    return refused


def _parameter(name: str, typed: tuple[str, Any]) -> Any:
    from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

    kind, value = typed
    plain = kind.removeprefix("ARRAY<").removesuffix(">").partition("(")[0]
    if kind.startswith("ARRAY<"):
        return ArrayQueryParameter(name, plain, value)
    return ScalarQueryParameter(name, plain, value)


def _retry() -> Any:
    """The SDK's own list of what may be repeated (5xx, rate limits, lost connections)."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_delay(initial=0.5, maximum=8.0, multiplier=2.0).with_timeout(
        RETRY_SECONDS
    )
