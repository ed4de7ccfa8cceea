"""Where a catalog comes from, which release of it is taken, and what a project records."""

from pathlib import Path

import pytest
from conftest import ROOT, git, release
from mlops_new import store
from mlops_new.errors import CatalogError
from mlops_new.store import VARIABLE, catalog_root, open_release


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository that has what the store asks of a catalog, with a first release."""
    target = tmp_path / "small"
    (target / "templates" / "layers").mkdir(parents=True)
    (target / "copier.yml").write_text("{}\n")
    (target / "templates" / "layers" / "README.md").write_text("1.0.0\n")
    git(target, "init", "--quiet", "--initial-branch=main")
    release(target, "1.0.0")
    return target


def next_release(catalog: Path, version: str) -> None:
    (catalog / "templates" / "layers" / "README.md").write_text(f"{version}\n")
    release(catalog, version)


def said(found: store.Release) -> str:
    return (found.root / "templates" / "layers" / "README.md").read_text().strip()


def test_the_newest_release_counts_by_its_numbers_and_a_pre_release_not_at_all(small: Path) -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0rc1", "odd-tag"):
        next_release(small, version)
    found = open_release(str(small), None)
    assert (found.version, said(found)) == ("1.10.0", "1.10.0")


def test_a_pre_release_is_taken_by_its_name(small: Path) -> None:
    next_release(small, "2.0.0rc1")
    assert said(open_release(str(small), "2.0.0rc1")) == "2.0.0rc1"


def test_a_commit_is_taken_by_its_short_hash(small: Path) -> None:
    first = git(small, "rev-parse", "--short", "HEAD")
    next_release(small, "1.1.0")
    found = open_release(str(small), first)
    assert (found.version, said(found)) == ("1.0.0", "1.0.0")


def test_a_catalog_without_a_release_is_taken_as_it_was_last_committed(small: Path) -> None:
    git(small, "tag", "--delete", "1.0.0")
    (small / "templates" / "layers" / "README.md").write_text("not committed\n")
    found = open_release(str(small), None)
    assert said(found) == "1.0.0"
    assert found.version == git(small, "rev-parse", "--short", "HEAD")


def test_an_unknown_version_names_the_nearest(small: Path) -> None:
    next_release(small, "1.1.0")
    with pytest.raises(CatalogError, match=r"no version '1\.1\.1'") as refused:
        open_release(str(small), "1.1.1")
    assert refused.value.remedy == "Did you mean '1.1.0'?"


def test_a_version_that_would_be_an_option_of_git_is_refused(small: Path) -> None:
    with pytest.raises(CatalogError, match="no version"):
        open_release(str(small), "--output=evil")
    assert not (small / "evil").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [("absent", "does not exist"), ("empty", "holds no catalog"), ("plain", "no git repository"), ("file", "no git")],
)
def test_what_is_no_catalog_is_refused_with_the_reason(tmp_path: Path, name: str, problem: str) -> None:
    for folder in ("empty", "plain"):
        (tmp_path / folder).mkdir()
    (tmp_path / "plain" / "copier.yml").write_text("{}\n")
    (tmp_path / "file").write_text("no bundle\n")
    with pytest.raises(CatalogError, match=problem):
        open_release(str(tmp_path / name), None)


def test_a_commit_without_a_catalog_leaves_nothing_in_the_cache(small: Path) -> None:
    git(small, "rm", "--quiet", "copier.yml")
    git(small, "commit", "--quiet", "--message", "No catalog any more")
    (small / "copier.yml").write_text("{}\n")
    before = sorted((store.cache_folder() / "trees").glob("*"))
    with pytest.raises(CatalogError, match="holds no catalog"):
        open_release(str(small), "HEAD")
    assert sorted((store.cache_folder() / "trees").glob("*")) == before


def test_a_link_that_leads_out_of_the_catalog_is_refused(small: Path) -> None:
    (small / "templates" / "layers" / "passwords").symlink_to("/etc/passwd")
    release(small, "1.1.0")
    with pytest.raises(CatalogError, match="link"):
        open_release(str(small), None)


def test_a_bundle_and_an_address_give_the_same_files_as_the_folder(small: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "catalog.bundle"
    git(small, "bundle", "create", "--quiet", str(bundle), "main", "--tags")
    roots = {open_release(source, None).root for source in (str(small), str(bundle), f"file://{small}")}
    assert len(roots) == 1


def test_an_address_is_read_again_when_it_has_a_new_release(small: Path) -> None:
    open_release(f"file://{small}", None)
    next_release(small, "1.1.0")
    assert open_release(f"file://{small}", None).version == "1.1.0"


def test_a_clone_records_its_origin_where_that_has_the_release(small: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", f"file://{small}", str(tmp_path / "clone"))
    assert open_release(str(tmp_path / "clone"), None).source == f"git+file://{small}"
    release_here = tmp_path / "clone"
    next_release(release_here, "1.1.0")
    assert open_release(str(release_here), None).source == str(release_here), "nobody else has this release"
    assert open_release(str(release_here), "1.0.0").source == f"git+file://{small}"


@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("gh:contoso/catalog", "gh:contoso/catalog"),
        ("https://github.com/contoso/catalog", "https://github.com/contoso/catalog"),
        ("https://dev.azure.com/contoso/ml/_git/catalog", "git+https://dev.azure.com/contoso/ml/_git/catalog"),
        ("https://me:secret@git.contoso.com/catalog.git", "https://git.contoso.com/catalog.git"),
        ("git@github.com:contoso/catalog.git", "git@github.com:contoso/catalog.git"),
    ],
)
def test_an_address_is_recorded_as_copier_reads_it_and_without_a_password(address: str, recorded: str) -> None:
    assert store._recorded_source(address, Path(), "1.0.0") == recorded


def test_a_password_in_an_address_stays_out_of_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CatalogError) as refused:
        open_release("https://me:secret@127.0.0.1:9/catalog.git", None)
    assert "127.0.0.1:9/catalog.git" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_without_a_source_the_variable_decides_and_then_the_checkout(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert catalog_root(None) == ROOT
    monkeypatch.setenv(VARIABLE, str(small))
    assert catalog_root(None) == small
    assert open_release(None, None).version == "1.0.0"


def test_a_catalog_in_the_current_folder_is_read_with_its_changes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small)
    assert catalog_root(None) == small
