"""/metrics needs its own token (OWASP ASVS 5.0.0 §13.4.5)."""

import pytest

from tests.functions.metrics.scraping import Scraping
from tests.support.clock import Clock
from tests.support.problems import problem


def test_the_metrics_route_needs_its_own_token(scraping: Scraping) -> None:
    ann = scraping.product.register("ann")

    assert scraping.scrape().status == 200
    for response, code in (
        (scraping.product.anonymous.get("/metrics"), "token_missing"),
        (ann.get("/metrics"), "invalid_token"),
    ):
        problem(response, 401, code)
        assert response.headers["X-Amzn-Remapped-WWW-Authenticate"] == "Bearer"
        assert "tasksync_" not in response.text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token_missing"),
        ("Bearer", "token_malformed"),
        ("Bearer ", "token_malformed"),
        ("Bearer {short}", "invalid_token"),
        ("Bearer {token}x", "invalid_token"),
        ("Bearer {other}", "invalid_token"),
        ("Basic {token}", "token_malformed"),
        ("{token}", "token_malformed"),
        ("Bearer token={token}", "invalid_token"),
        ("Bearer \u00fc{token}", "token_malformed"),
        ("Bearer \t{token}", "token_malformed"),
        ("Bearer {token}\t", "token_malformed"),
    ],
)
def test_any_other_token_is_refused(scraping: Scraping, header: str, code: str) -> None:
    other = scraping.token.swapcase()
    given = header.format(token=scraping.token, short=scraping.token[:-1], other=other)

    response = scraping.product.anonymous.get(
        "/metrics", headers={"Authorization": given.encode("utf-8").decode("latin-1")}
    )

    problem(response, 401, code)
    assert scraping.token not in response.text


def test_the_scheme_is_case_insensitive(scraping: Scraping) -> None:
    headers = {"authorization": f"bearer {scraping.token}"}

    assert scraping.product.anonymous.get("/metrics", headers=headers).status == 200


def test_the_metrics_token_opens_no_other_route(scraping: Scraping) -> None:
    response = scraping.product.anonymous.get("/users", headers={"Authorization": f"Bearer {scraping.token}"})

    problem(response, 401, "token_malformed")


def test_wrong_tokens_count_as_public_reads(scraping: Scraping, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    scraping.product.aws.deploy(PublicReadsPerIp="3")

    responses = [scraping.product.anonymous.get("/metrics").status for _ in range(4)]

    assert responses == [401, 401, 401, 429]
