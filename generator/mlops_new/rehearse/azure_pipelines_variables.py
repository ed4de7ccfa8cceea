"""The variables of a job: names without regard to capitals, `$(name)` in texts, and what scripts see of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_MACRO = re.compile(r"\$\(([^()$]+)\)")
_DEEPEST = 10
_MASK = "***"


@dataclass(slots=True)
class Variables:
    """Values by name in small letters, each with the name as it was written; the last one set wins."""

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)

    def copy(self) -> "Variables":
        """The same variables, to be changed apart from these."""
        return Variables(dict(self.values), set(self.secret), set(self.hidden))

    def set(self, name: str, value: str, *, is_secret: bool = False) -> None:
        """Give a variable its value; a secret one is not seen by scripts, and masked in what they say."""
        self.values[name.lower()] = (name, value)
        if is_secret:
            self.secret.add(name.lower())
            self.mask(value)

    def update(self, values: Mapping[str, str]) -> None:
        """Give several variables their values."""
        for name, value in values.items():
            self.set(name, value)

    def mask(self, value: str) -> None:
        """Show a value nowhere from now on."""
        self.hidden |= {line for line in value.splitlines() if line.strip()}

    def masked(self, text: str) -> str:
        """A text without the values that are to be shown nowhere."""
        for value in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(value, _MASK)
        return text

    def get(self, name: str) -> str:
        """The value of a variable that is there."""
        return self.values[name.lower()][1]

    def data(self) -> dict[str, str]:
        """The values as expressions see them."""
        return dict(self.values.values())

    def expand(self, text: str) -> str:
        """A text with the values in place of `$(name)`, once; a name that is not known stays as it stands."""

        def value(match: re.Match[str]) -> str:
            known = self.values.get(match[1].strip().lower())
            return known[1] if known else match[0]

        return _MACRO.sub(value, text)

    def unknown(self, text: str) -> list[str]:
        """The names in `$(name)` that no variable has."""
        return [name.strip() for name in _MACRO.findall(text) if name.strip().lower() not in self.values]

    def settle(self) -> None:
        """Expand the values themselves, as the agent does when a job starts."""
        for _ in range(_DEEPEST):
            expanded = {key: (name, self.expand(value)) for key, (name, value) in self.values.items()}
            if expanded == self.values:
                return
            self.values = expanded

    def environment(self) -> dict[str, str]:
        """The variables as scripts see them."""
        shown = {key: pair for key, pair in self.values.items() if key not in self.secret}
        return {re.sub(r"[. ]", "_", name).upper(): value for name, value in shown.values()}
