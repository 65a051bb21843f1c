"""Settings of the model and of customers' value that a business may change; imports nothing heavy."""

from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["mixed", "own", "series", "uncorrected"]
Treated = Literal["untreated", "all", "control_only"]
Member = Literal["boosting", "ridge", "prior"]
MEMBERS: tuple[Member, ...] = get_args(Member)


class Recipe(BaseModel):
    """Which ingredients the churn model has; each can be switched off, to see what it is worth.

    Attributes:
        members: what ranks the customers of a date: ``boosting`` (LightGBM), ``ridge`` (logistic on z-scores
            within the date) and ``prior`` (logistic on BG/NBD; left out by itself where customers leave by
            notice).
        within_date: let the trees read every feature twice, as it is and as z-score within its date, so that they
            see who is late for the season.
        fixed_effects: start each snapshot date from its own churn share, so that the members learn who leaves
            and not when; without, all dates start from one share.
        stacking: ``learnt`` weighs the members by what they predict of customers they have not seen, the
            more evenly the fewer there are; ``equal`` weighs them alike.
        level: where the share that will churn comes from. ``uncorrected`` is the mean the boosted model says,
            ``own`` corrects it by what such means missed at past dates, ``series`` goes by past shares and
            BG/NBD, ``mixed`` weighs ``own`` and ``series`` by their errors at the newest settled date.
        slope: stretch the members' logits to what they held out of fold and at the newest settled date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: Annotated[tuple[Member, ...], Field(min_length=1)] = MEMBERS
    within_date: bool = True
    fixed_effects: bool = True
    stacking: Literal["learnt", "equal"] = "learnt"
    level: Level = "mixed"
    slope: bool = True

    @model_validator(mode="after")
    def _names_each_member_once(self) -> Self:
        if len(set(self.members)) < len(self.members):
            raise ValueError(f"members names one twice; found {list(self.members)}. Name each once")
        return self


FULL_RECIPE = Recipe()


class BoostingSettings(BaseModel):
    """How the boosted trees grow; one policy for all data sets, which ``keepwell tune`` may better for one.

    Attributes:
        learning_rate: share of each tree that counts.
        num_leaves: most leaves of a tree.
        feature_fraction: share of the columns a tree sees.
        bagging_fraction: share of the rows a tree sees.
        lambda_l2: L2 penalty on what a leaf says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Shallow trees, few columns a tree: 5 or 16 leaves, column shares of .15, L2 of 50 or half the learning rate
    # all stay within .001 of the log loss on six tasks.
    learning_rate: float = Field(default=0.05, gt=0, le=0.5)
    num_leaves: int = Field(default=8, ge=2, le=256)
    feature_fraction: float = Field(default=0.4, gt=0, le=1)
    bagging_fraction: float = Field(default=0.8, gt=0, le=1)
    lambda_l2: float = Field(default=10.0, ge=0)


ONE_POLICY = BoostingSettings()


class ModelSettings(BaseModel):
    """How the churn model is trained.

    Attributes:
        max_rows: about how many snapshots to train on; whole customers are dropped above it.
        folds: customer folds that choose rounds, weights and slope on customers not seen.
        max_rounds: most boosting rounds per fold.
        least_customers: fewer customers than this are refused.
        treated: which snapshots teach and judge where customers were sent actions after them. ``untreated``
            leaves the treated out and lets those whose action was withheld count for them, ``control_only``
            keeps the global control alone, ``all`` everybody.
        recipe: ingredients of the model.
        boosting: how its trees grow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=60_000, ge=1_000)
    folds: int = Field(default=5, ge=2, le=20)
    max_rounds: int = Field(default=1_000, ge=1)
    least_customers: int = Field(default=200, ge=50)
    treated: Treated = "untreated"
    recipe: Recipe = FULL_RECIPE
    boosting: BoostingSettings = ONE_POLICY


class ValueSettings(BaseModel):
    """How far ahead and at what rate a customer's future counts; the owner of the business sets them.

    Attributes:
        margin_months: months from the snapshot over which purchases count.
        annual_discount: yearly rate at which later contribution counts less.
        contribution_rate: share of a purchase left after its own costs.
        cap_quantile: quantile of the date's margins above which a margin is cut, against single outliers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin_months: Annotated[int, Field(ge=1, le=60)] = 12
    annual_discount: Annotated[float, Field(ge=0, le=1)] = 0.10
    contribution_rate: Annotated[float, Field(gt=0, le=1)] = 0.30
    cap_quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.995
