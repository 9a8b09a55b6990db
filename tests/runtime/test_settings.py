from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.errors import Invalid
from shared.runtime.settings import Installation, Settings


class WorkerSettings(Settings, env_prefix="LOOKALIKE_WORKER_"):
    batch: int = 32
    token: SecretStr | None = None


def test_everything_has_a_default_below_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_DATA", "/srv/lookalike")
    settings = Installation()
    assert settings.catalogue.get_secret_value() == "sqlite:////srv/lookalike/catalogue.sqlite"
    assert settings.blobs.get_secret_value() == "file:///srv/lookalike/blobs"
    assert settings.queue.get_secret_value() == "local"
    assert settings.elasticsearch is None


def test_the_data_folder_does_not_move_with_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LOOKALIKE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Installation().data == tmp_path / "data"


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_CATALOGUE", "mongodb://host/db")
    monkeypatch.setenv("LOOKALIKE_IMPORT_ROOTS", "/srv/files:/srv/more")
    settings = Installation()
    assert settings.catalogue.get_secret_value() == "mongodb://host/db"
    assert settings.import_roots == (Path("/srv/files"), Path("/srv/more"))


def test_a_service_has_a_prefix_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_WORKER_BATCH", "8")
    assert WorkerSettings().batch == 8


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush\n")
    monkeypatch.setenv("LOOKALIKE_WORKER_TOKEN_FILE", str(tmp_path / "token"))
    settings = WorkerSettings()
    assert settings.token is not None
    assert settings.token.get_secret_value() == "hush"
    assert "hush" not in repr(settings)


def test_a_setting_and_its_file_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOOKALIKE_WORKER_TOKEN", "one")
    monkeypatch.setenv("LOOKALIKE_WORKER_TOKEN_FILE", str(tmp_path / "other"))
    with pytest.raises(Invalid, match="keep one"):
        WorkerSettings()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_WORKER_TOKEN_FILE", "/none/token")
    with pytest.raises(Invalid, match="/none/token"):
        WorkerSettings()


def test_settings_do_not_change() -> None:
    settings = WorkerSettings()
    with pytest.raises(ValidationError):
        settings.batch = 1
