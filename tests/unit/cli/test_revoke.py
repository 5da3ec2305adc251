from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import watchroute

CONFIG = '[auth]\nmode = "none"\nrevocations = "control"\n'


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give one of"),
        (("--sub", "a", "--jti", "b"), "give one of"),
        (("--sub", "a", "--list"), "give one of"),
        (("--undo",), "give one of"),
        (("--undo", "--list"), "give one of"),
        (("--sub", ""), "the key is"),
        (("--sub", "", "--undo"), "the key is"),
        (("--jti", "x" * 513), "the key is"),
        (("--sub", "a", "--before", "tomorrow"), "seconds since 1970, or now"),
        (("--sub", "a", "--before", "nan"), "seconds since 1970, or now"),
        (("--sub", "a", "--before", "inf"), "seconds since 1970, or now"),
        (("--sub", "a", "--before", "-1"), "seconds since 1970, or now"),
        (("--sub", "a", "--before", "1e13"), "seconds since 1970, or now"),
        (("--jti", "a", "--before", "5"), "--before goes with --sub"),
        (("--sub", "a", "--undo", "--before", "5"), "--before goes with --sub"),
    ],
)
def test_what_says_nothing_is_a_usage_error(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    config = tmp_path / "watchroute.toml"
    config.write_text(CONFIG)
    outcome = CliRunner().invoke(watchroute, ["revoke", "--config", str(config), *arguments])
    assert outcome.exit_code == 2
    assert says in outcome.output
