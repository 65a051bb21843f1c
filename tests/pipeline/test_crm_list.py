"""The list for the CRM, on a plan made up by hand."""

import pandas as pd

from pipeline.night import crm_list


def plan(*customers: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customers}).assign(
        action="personal_offer",
        channel="email",
        churn_risk=0.123456,
        expected_cost=-1.0,
        reason_1="-20 % fewer orders",
        reason_2="",
        reason_3=None,
    )


def test_a_spreadsheet_runs_no_cell_of_the_list() -> None:
    rows = crm_list(plan('=HYPERLINK("x")', "@ann", "bob", "'=1")).splitlines()
    reasons = "personal_offer,email,0.1235,-1.0,'-20 % fewer orders,,"
    assert rows[1:] == [
        f'"\'=HYPERLINK(""x"")",{reasons}',
        f"'@ann,{reasons}",
        f"bob,{reasons}",
        f"''=1,{reasons}",
    ]
