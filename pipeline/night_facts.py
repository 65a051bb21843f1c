"""What a night's manifest tells its readers besides digests: the business's words and what stood in the way."""

from dataclasses import asdict
from typing import Any

from pipeline.planning import Planned
from pipeline.run import Run
from pipeline.snapshots import feature_settings


def facts_for_readers(run: Run, planned: Planned) -> dict[str, Any]:
    """Return what notebooks need to read a night without its configuration, as JSON values.

    Returns:
        ``business`` (name, currency, days, the risk above which a customer counts as at risk, language), ``features``
        (settings they were built with), ``budget`` (money for the night), ``left_out`` (customers per reason),
        ``blocked`` (per action: pairs allowed, and pairs per reason; reasons of nobody are left out),
        ``beliefs`` (per action: what is believed, what it rests on, whether it is stopped), ``dormant`` (why an action
        rests) and ``notes``.
    """
    config, eligible = run.config, planned.eligible
    return {
        "business": {
            "name": config.name,
            "currency": config.currency,
            "horizon_days": config.churn.horizon_days,
            "at_risk_above": config.report.at_risk_above,
            "language": config.report.language,
        },
        "features": asdict(feature_settings(run)),
        "budget": planned.tonight,
        "left_out": {str(reason): int(count) for reason, count in eligible.left_out().items() if count},
        "blocked": {
            str(action): {str(reason): int(count) for reason, count in row.items() if count}
            for action, row in eligible.counts().iterrows()
        },
        "beliefs": [asdict(belief) for belief in planned.beliefs],
        "dormant": {each.action.id: each.reason for each in eligible.dormant},
        "notes": list(eligible.notes),
    }
