"""What the services take for a revocation is what the schemas say."""

import json
from typing import Any, Final

from hypothesis import example, given
from hypothesis import strategies as st

from shared.contract.definitions import definitions, schema_of
from shared.revocations import RevocationMistake, Revocations
from shared.schema import Schema

KEY: Final = Schema(schema_of("RevocationKey"))
VALUES: Final = {"sub": Schema(schema_of("SubRevocation")), "jti": Schema(schema_of("JtiRevocation"))}
NUMBERS: Final = st.integers(-1, 2**40) | st.floats(allow_nan=False, allow_infinity=False)
OTHERS: Final[st.SearchStrategy[Any]] = st.none() | st.booleans() | st.text(max_size=3) | st.just([])
CONTENTS: Final = st.fixed_dictionaries({}, optional={"revoked_before": NUMBERS | OTHERS, "why": OTHERS}) | OTHERS


def taken(key: str, value: bytes) -> bool:
    try:
        return Revocations().take(key.encode(), value) is not None
    except RevocationMistake:
        return False


@given(
    st.sampled_from(["sub:ann", "jti:4f1c", "sub:", "jti", "aud:x", "sub:" + "x" * 512, "jti:" + "x" * 513]), CONTENTS
)
@example("sub:a\nb", {"revoked_before": 1})
@example("sub:ann", {"revoked_before": True})
@example("jti:4f1c", {})
def test_both_take_the_same(key: str, content: Any) -> None:
    fits = not KEY.mistakes(key) and not VALUES[key[:3]].mistakes(content)
    assert taken(key, json.dumps(content).encode()) == fits


def test_each_example_is_taken() -> None:
    for key in definitions()["RevocationKey"]["examples"]:
        name = "SubRevocation" if key.startswith("sub:") else "JtiRevocation"
        assert all(taken(key, json.dumps(value).encode()) for value in definitions()[name]["examples"])
