"""What setup.cfg, MANIFEST.in and the plugin promise, held against what is on disk."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins

import chatroom
from chatroom import service

ROOT = Path(__file__).parents[1]


def in_setup_cfg(section: str) -> dict[str, list[str]]:
    """A section's keys, with the words of each value."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    return {key: value.split() for key, value in config[section].items()}


def test_the_packages_listed_are_those_on_disk() -> None:
    sources = [*(ROOT / "chatroom").rglob("*.py"), *(ROOT / "twisted").rglob("*.py")]
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in sources}
    assert sorted(in_setup_cfg("options")["packages"]) == sorted(packages)


def test_each_package_of_ours_has_an_init_file() -> None:
    sources = (ROOT / "chatroom").rglob("*.py")
    assert all((path.parent / "__init__.py").exists() for path in sources)


def test_no_init_file_hides_twisted_or_the_plugins_of_others() -> None:
    assert list((ROOT / "twisted").rglob("__init__.py")) == []


def test_twistd_finds_the_plugin_and_still_finds_those_of_twisted() -> None:
    found = {plugin.tapname: plugin for plugin in getPlugins(IServiceMaker)}
    assert found["chatroom"].options is service.Options
    assert found["chatroom"].makeService is service.makeService
    assert "web" in found


def test_twisted_s_cache_of_plugins_is_never_shipped() -> None:
    rules = (ROOT / "MANIFEST.in").read_text().splitlines()
    assert [rule for rule in rules if rule.startswith("global-exclude") and "dropin.cache" in rule]


def test_all_takes_in_each_extra_that_a_user_may_want_at_run_time() -> None:
    extras = in_setup_cfg("options.extras_require")
    assert set(extras["all"]) == {f"chatroom[{e}]" for e in extras.keys() - {"all", "lint", "test"}}


def test_the_news_tell_of_this_version() -> None:
    assert f"\n## {chatroom.__version__} " in (ROOT / "NEWS.md").read_text()


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert (ROOT / "chatroom" / "py.typed").exists()
    assert "py.typed" in in_setup_cfg("options.package_data")["chatroom"]
