"""What a loan application looks like. A row that breaks the contract is set aside, never guessed."""

from typing import Final

import pandera.polars as pa

ID: Final = "application_id"
LABEL: Final = "is_bad"
SENSITIVE: Final = ("sex", "age_group")

JOBS: Final = (0, 1, 2, 3)
HOUSING: Final = ("free", "own", "rent")
SAVING_ACCOUNTS: Final = ("not_known", "little", "moderate", "quite rich", "rich")
CHECKING_ACCOUNTS: Final = ("not_known", "little", "moderate", "rich")
PURPOSES: Final = (
    "business",
    "car",
    "domestic appliances",
    "education",
    "furniture/equipment",
    "radio/TV",
    "repairs",
    "vacation/others",
)


class Application(pa.DataFrameModel):
    """A loan application as it arrives; amounts in Deutsche Mark, durations in months."""

    application_id: str = pa.Field(unique=True, str_matches=r"^A[0-9]{4,12}$")
    sex: str = pa.Field(isin=("female", "male"))
    age: int = pa.Field(in_range={"min_value": 18, "max_value": 100})
    job: int = pa.Field(isin=JOBS)
    housing: str = pa.Field(isin=HOUSING)
    saving_accounts: str = pa.Field(isin=SAVING_ACCOUNTS)
    checking_account: str = pa.Field(isin=CHECKING_ACCOUNTS)
    credit_amount: int = pa.Field(in_range={"min_value": 100, "max_value": 100_000})
    duration: int = pa.Field(in_range={"min_value": 1, "max_value": 120})
    purpose: str = pa.Field(isin=PURPOSES)

    class Config:
        """No other columns."""

        strict = True


class LabelledApplication(Application):
    """An application whose loan has ended: `is_bad` is 1 when it was not paid back as agreed."""

    is_bad: int = pa.Field(isin=(0, 1))
