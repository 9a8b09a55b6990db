import subprocess
import sys

_WITHOUT_THE_REST = """
import sys
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"services", "shared", "typer", "rich", "numpy", "fastapi", "pydantic"}:
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Closed())
from lookalike import AsyncLookalike, Lookalike
Lookalike("http://shop.test").close()
"""


def test_the_client_needs_httpx_and_nothing_else_of_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_THE_REST], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_package_alone_loads_nothing() -> None:
    check = "import lookalike, sys; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
