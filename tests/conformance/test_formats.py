"""`format`, msgpack and foreign records: the same events in other clothes (protocol sections 1 to 3)."""

import json
from typing import Any

import pytest
from cloudevents.core.bindings.http import from_http_event
