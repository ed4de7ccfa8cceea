"""Answers from the command line and from files: carried as they were written, or refused by name."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlops_new.answers_file import load_answers_file, parse_mapping, parse_pairs
from mlops_new.errors import AnswersError

EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True, database=None)
# A file carries these as they are; `_` at the front of a name is copier's own.
texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], max_codepoint=0xFFFF), max_size=12)
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
answers = st.dictionaries(names, texts | st.booleans() | st.dictionaries(names, texts, max_size=3), max_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


def written(folder: Path, text: str, name: str = "answers.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- Pairs ---


@given(expected=st.dictionaries(st.text(min_size=1).filter(lambda name: "=" not in name), st.text()))
@EXAMPLES
def test_pairs_are_split_at_their_first_equals_sign(expected: dict[str, str]) -> None:
    assert parse_pairs([f"{name}={value}" for name, value in expected.items()]) == expected


def test_the_last_of_two_pairs_counts() -> None:
    assert parse_pairs(["a=1", "b=2", "a=3"]) == {"a": "3", "b": "2"}


@pytest.mark.parametrize("pair", ["contact", "", "=", "=value"])
def test_a_text_that_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(AnswersError, match=r"is no answer\. Write -d question=answer\.") as refused:
        parse_pairs(["a=1", pair])
    assert refused.value.message.startswith(f"-d {pair!r} ")


# --- Files ---


@given(expected=answers)
@EXAMPLES
def test_yaml_and_json_carry_the_same_answers(folder: Path, expected: dict[str, object]) -> None:
    text = json.dumps(expected, ensure_ascii=False)
    assert load_answers_file(written(folder, text, "answers.json")) == expected
    assert load_answers_file(written(folder, text, "answers.yml")) == expected
    lines = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in expected.items())
    if expected:
        assert load_answers_file(written(folder, lines, "answers.yaml")) == expected


def test_what_copier_keeps_for_itself_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, "_commit: 1.0.0\n_src_path: x\n_other: [1]\ncontact: a@b.de\n")
    assert load_answers_file(path) == {"contact": "a@b.de"}


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("3.11", 'version: "3.11"'),
        ("7", 'version: "7"'),
        ("", 'version: "None"'),
        ("2026-01-31", 'version: "2026-01-31"'),
        ("[a, b]", "version:"),
        ("{a: 1}", "version:"),
        ("{1: a}", "version:"),
        ("{a: {b: c}}", "version:"),
        ("{a: true}", "version:"),
    ],
)
def test_a_value_that_is_no_text_is_named_with_the_way_to_write_it(tmp_path: Path, value: str, remedy: str) -> None:
    with pytest.raises(AnswersError, match=r"answers\.yml has version: .*, which is no text") as refused:
        load_answers_file(written(tmp_path, f"version: {value}\n"))
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.yml", b"\xff\xfe", "is not UTF-8"),
        ("a.json", b"\xff\xfe", "is not UTF-8"),
        ("a.yml", b"contact: [", "cannot be parsed: .* line 1"),
        ("a.json", b"contact: a", "cannot be parsed: .* line 1"),
        ("a.yml", b"a: 1\na: 2\n", "cannot be parsed: .*duplicate key"),
        ("a.yml", b"a: 2026-99-99", "cannot be parsed: month must be in"),
        ("a.yml", b"a: !!bool maybe", "cannot be parsed"),
        ("a.yml", b"a: !!int ''", "cannot be parsed"),
        ("a.yml", b"a: !!python/object/apply:os.system [id]", "cannot be parsed"),
        ("a.json", b"1" * 5000, "cannot be parsed"),
        ("a.yml", b"[" * 600, "is nested too deeply"),
        ("a.json", b"[" * 100_000, "is nested too deeply"),
        ("a.yml", b"", "holds no mapping"),
        ("a.yml", b"- contact: a\n", "holds no mapping"),
        ("a.yml", b"7: a\n", "holds no mapping"),
        ("a.json", b"[]", "holds no mapping"),
        ("a.json", b"null", "holds no mapping"),
    ],
)
def test_a_file_without_answers_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AnswersError, match=rf"^The answers file \S*/{name} {problem}") as refused:
        load_answers_file(tmp_path / name)
    assert refused.value.remedy.endswith(".")


def test_a_file_that_cannot_be_read_is_refused_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match=r"absent\.yml cannot be read: No such file or directory\. Correct the path"):
        load_answers_file(tmp_path / "absent.yml")
    with pytest.raises(AnswersError, match=r"cannot be read: Is a directory"):
        load_answers_file(tmp_path)


# --- Mappings within an answer ---


@given(expected=st.dictionaries(names, texts, max_size=4))
@EXAMPLES
def test_the_mapping_of_a_text_is_the_one_that_was_written(expected: dict[str, str]) -> None:
    assert parse_mapping(json.dumps(expected, ensure_ascii=False)) == expected


@pytest.mark.parametrize("text", ["", "a", "[a]", "{a", "a: [", "a: 2026-99-99", "{a: !!bool b}", "[" * 600, "\0"])
def test_a_text_without_a_mapping_gives_none(text: str) -> None:
    assert parse_mapping(text) is None
