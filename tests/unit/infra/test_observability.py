"""Dashboards and alerts speak of metrics that there are."""

import json
import re
from typing import Any, get_args

import pytest

from services.pushserver.close import REASONS
from shared.doorstep import Reason
from shared.problem import KINDS
from tests.unit.infra.exposition import served
from tests.unit.infra.tree import INFRA, ROOT, document

SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds."""
OUTCOMES = {"written", "unknown", *KINDS}
DASHBOARD: dict[str, Any] = json.loads((INFRA / "grafana/dashboards/watchroute.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = document(INFRA / "prometheus/alerts.yaml")["groups"][0]["rules"]
EXPRESSIONS = [
    *(
        pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
        for panel in PANELS
        for target in panel["targets"]
    ),
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(
        pytest.param(rule["seriesQuery"], id="adapter")
        for rule in document(INFRA / "prometheus/adapter.yaml")["rules"]["custom"]
    ),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_metrics_that_there_are(expression: str) -> None:
    named = set(re.findall(r"\bwatchroute_\w+", expression))
    assert named <= served().keys()
    others = set(re.findall(r"\b(?:haproxy|process|up)(?:_\w+)?\b", expression))
    assert named or others


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_labels_that_there_are(expression: str) -> None:
    for metric, matchers in re.findall(r"\b(watchroute_\w+)\{([^}]*)\}", expression):
        labels = set(re.findall(r"(\w+)\s*[=!]", matchers))
        assert labels <= served()[metric] | SCRAPED | {"namespace", "pod"}
    metrics = set(re.findall(r"\bwatchroute_\w+", expression))
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
    assert not metrics or grouped <= {label for metric in metrics for label in served()[metric]} | SCRAPED


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_values_that_there_are(expression: str) -> None:
    known = {
        "reason": {reason.name for reason in REASONS} | set(get_args(Reason)),
        "code": set(KINDS),
        "outcome": OUTCOMES,
    }
    for label, values in re.findall(r'\b(reason|code|outcome)=~?"([^"]*)"', expression):
        assert set(values.split("|")) <= known[label]


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    missing = {name for name in served() if not re.search(rf"\b{name}\b", shown)}
    assert missing <= {"watchroute_producer_ack_seconds_sum", "watchroute_producer_ack_seconds_count"}


def test_every_metric_of_the_table_of_operations_is_there() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    named = set(re.findall(r"`(watchroute_\w+)", text))
    assert named
    assert named <= served().keys()


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in _span(place, "x", "w") for y in _span(place, "y", "h")}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    identifiers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(identifiers) == len(set(identifiers))


def _span(place: dict[str, int], start: str, size: str) -> range:
    return range(place[start], place[start] + place[size])


def test_panels_ask_the_source_that_is_provisioned() -> None:
    (source,) = document(INFRA / "grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}


def test_the_dashboard_is_where_grafana_is_told_to_look() -> None:
    (provider,) = document(INFRA / "grafana/provisioning/dashboards/watchroute.yaml")["providers"]
    mounts = document(INFRA / "compose/compose.yaml")["services"]["grafana"]["configs"]
    targets = {mount["source"]: mount["target"] for mount in mounts}
    assert targets["grafana-dashboard"] == f"{provider['options']['path']}/watchroute.json"


def test_an_alert_says_whom_it_is_for_and_what_it_means() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket")
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            metrics = re.findall(r"\bwatchroute_\w+", rule["expr"])
            assert label in {name for metric in metrics for name in served()[metric]} | SCRAPED
