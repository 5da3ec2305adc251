"""The examples of the JavaScript client, each in a real Chromium, from the same origin as the demo."""

from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Route

from tests.browser.client_site import PACKAGE, of_the_package
from tests.browser.demo_process import DemoProcess

pytestmark = pytest.mark.browser
MODULES: Final = PACKAGE / "node_modules"
CDN: Final = "https://esm.sh"
_COMMONJS: Final = """
const process = {{ env: {{ NODE_ENV: "production" }} }};
const module = {{ exports: {{}} }};
const require = (name) => ({{ {required} }})[name];
((module, exports) => {{ {source} }})(module, module.exports);
export default module.exports;
export const {{ {names} }} = module.exports;
"""
_IMPORTS: Final = {"react": "react@19", "react-dom": "react-dom", "scheduler": "scheduler"}
_HOOKS: Final = "createContext, createElement, useCallback, useContext, useSyncExternalStore"


def wrapped(path: str, names: str, *needs: str) -> str:
    """A module of the CommonJS kind, as a CDN would serve it."""
    source = (MODULES / path).read_text()
    imports = "".join(f'import m{at} from "{CDN}/{_IMPORTS[name]}";\n' for at, name in enumerate(needs))
    required = ", ".join(f'"{name}": m{at}' for at, name in enumerate(needs))
    return imports + _COMMONJS.format(source=source, names=names, required=required)


def of_the_cdn(path: str) -> str:
    """What the CDN is asked for, from the packages of the lock."""
    if path.startswith("/vue@3/"):
        return (MODULES / path.replace("@3", "")[1:]).read_text()
    if path == "/react@19":
        return wrapped("react/cjs/react.production.js", _HOOKS)
    if path == "/react-dom@19/client":
        needs = ("react", "react-dom", "scheduler")
        return wrapped("react-dom/cjs/react-dom-client.production.js", "createRoot", *needs)
    if path == "/react-dom":
        return wrapped("react-dom/cjs/react-dom.production.js", "version", "react")
    return wrapped("scheduler/cjs/scheduler.production.js", "unstable_now")


async def answer(route: Route) -> None:
    """A file of the package, or of the CDN."""
    url = urlsplit(route.request.url)
    if f"{url.scheme}://{url.netloc}" == CDN:
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(body=of_the_cdn(url.path), content_type="text/javascript", headers=headers)
        return
    body, kind = of_the_package(url.path)
    await route.fulfill(body=body, content_type=kind)


@pytest.mark.parametrize("name", ["dom", "react", "vue"])
async def test_an_example_shows_prices_that_move(demo: DemoProcess, context: BrowserContext, name: str) -> None:
    if not MODULES.is_dir():
        pytest.skip("needs the packages of clients/js (infra/setup/node.sh)")
    await demo.start()
    for pattern in (f"{demo.url}/examples/**", f"{demo.url}/src/**", f"{CDN}/**"):
        await context.route(pattern, answer)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{demo.url}/examples/{name}/")
    await page.locator("#prices li", has_text="stocks/AAPL").wait_for()
    await page.locator("#state", has_text="live").wait_for()
    shown = await page.locator("#prices").inner_text()
    await page.wait_for_function("shown => document.querySelector('#prices').innerText !== shown", arg=shown)
    assert errors == []
