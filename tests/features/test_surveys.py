"""Hand-worked values of survey answers."""

import numpy as np

LOG = (
    ("ann", "2024-10-01", "nps", 9.0),
    ("ann", "2025-01-30", "nps", 6.0),
    ("ann", "2025-02-19 12:00", "csat", 4.0),
    ("bob", "2025-02-01", "poll", 1.0),
)


def test_last_answers_have_age_and_change(memory, table, row_for) -> None:
    answers = table(*LOG, columns=["kind", "score"])
    history = memory({"orders": table(("ann", "2025-01-01")), "surveys": answers})
    row = row_for(history)
    assert (row.nps_last, row.nps_last_age_days, row.nps_change) == (6, 30, -3)
    assert (row.csat_survey_last, row.csat_survey_last_age_days) == (4, 9.5)
    assert np.isnan([row.csat_survey_change, row.cli_last, row.cli_last_age_days]).all()
    assert (row.surveys_total, row.days_since_last_survey) == (3, 9.5)
    other = row_for(history, "bob")
    assert other.surveys_total == 1
    assert np.isnan(other.nps_last)
