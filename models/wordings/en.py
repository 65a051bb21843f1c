"""What features mean, in English."""

from models.wordings.language import Language, block, nouns_of, single

_NOUNS = """
categories: category | categories | 0 = no category
complaints: complaint | complaints | 0 = no complaints
days: day | days
ago: day ago | days ago | 0 = today
every: {} | {} | 1 = day
errors: error | errors | 0 = no errors
hours: hour | hours
items: item | items | 0 = no items
longer: pause before was longer | pauses before were longer | 0 = no pause before was longer
mentions_bad: unkind mention elsewhere | unkind mentions elsewhere | 0 = no unkind mentions elsewhere
mentions_good: kind mention elsewhere | kind mentions elsewhere | 0 = no kind mentions elsewhere
messages: message from us | messages from us | 0 = no messages from us
months: month | months
offers: offer | offers | 0 = no offers
offers_running: running offer | running offers | 0 = no running offers
orders: order | orders | 0 = no orders
plan_changes: change of plan | changes of plan | 0 = no change of plan
points: point | points | 0 = no points
products: product | products | 0 = no products
purchase_days: purchase day | purchase days | 0 = no purchase days
questions: question | questions | 0 = no questions
reviews_bad: negative review | negative reviews | 0 = no negative reviews
reviews_good: positive review | positive reviews | 0 = no positive reviews
span: day | days | 1 = day
subscriptions: subscription | subscriptions | 0 = no subscriptions
tickets: ticket | tickets | 0 = no tickets
times: time | times | 0 = not once | 1 = once | 2 = twice
units: unit | units
uses: use of shop or app | uses of shop or app | 0 = no uses of shop or app
weekdays: weekday | weekdays
"""

_SENTENCES = """
last_ticket: last asked for help {days_since_last_ticket:ago} | never asked for help
tickets_open: {value:tickets} open
tickets_late: {value:tickets} open beyond their target
tickets_solved: {value:tickets} solved in the last {window:span}
tickets_reopened: {value:tickets} reopened in the last {window:span}
tickets: {value:tickets} in the last {window:span}
complaints: {value:complaints} in the last {window:span}
questions: {value:questions} about how to do something in the last {window:span}
tickets_about: {value:tickets} ({text}) in the last {window:span}
reply_hours: a first reply took {value:hours} | no first reply in the last {window:span}
solve_hours: a solution took {value:hours} | no solution in the last {window:span}
rating: rated our help {csat_last}, {csat_last_age_days:ago} | never rated our help
rating_mean: rated our help {value} on average | rated no help in the last {window:span}
recommends: would recommend us with {nps_last} of 10, said {nps_last_age_days:ago}
  | never said whether they would recommend us
recommends_change: would recommend us less than before, by {below:points}
  | would recommend us more than before, by {above:points} | {value:if}would recommend us as much as before
  | said less than twice whether they would recommend us
satisfied: satisfaction {csat_survey_last} in a survey {csat_survey_last_age_days:ago}
  | never said how satisfied they are
satisfied_change: less satisfied than before, by {below:points} | more satisfied than before, by {above:points}
  | {value:if}as satisfied as before | said less than twice how satisfied they are
loyalty_index: loyalty index {cli_last}, {cli_last_age_days:ago} | loyalty index not known
loyalty_index_change: loyalty index {below:points} lower than before | loyalty index {above:points} higher than before
  | {value:if}loyalty index the same as before | loyalty index asked for less than twice
surveys: last answered a survey {days_since_last_survey:ago} | never answered a survey
review_last: last review: {value} of 5 | no review with a rating yet
mention_last: tone of the last mention elsewhere {value}, from -1 to 1 | no mention with a known tone yet
reviews_good: {value:reviews_good} in the last {window:span}
reviews_bad: {value:reviews_bad} in the last {window:span}
mentions_good: {value:mentions_good} in the last {window:span}
mentions_bad: {value:mentions_bad} in the last {window:span}
event_last: last {text} {value:ago} | no {text} yet
event_trend: {value:percent} of the {text} events of {long:days} fell into the last {short:span}
  | no {text} in the last {long:span}
events: {text}: {value:times} in the last {window:span}
events_total: {text}: {value:times} so far
event_silence: no {text} on {value:percent} of the last {window:span}
uses: {value:uses} in the last {window:span}
uses_total: {value:uses} so far
use_days: used shop or app on {value:percent} of the last {window:span}
errors: met {value:errors} in the last {window:span}
offers_running: {value:offers_running}
offers_running_viewed: looked at {value:offers_running}
offers_running_kind: {value:offers_running}: {text}
offer_ends: an offer ends in {value:days} | no offer about to end
offer_reward: running offers give {value:money}
offer_difficulty: running offers ask for {value:money} to be spent
offer_last: last offer {days_since_last_offer:ago} | never got an offer
offers: {value:offers} in the last {window:span}
offers_viewed: looked at {value:percent} of the offers | never got an offer
offers_completed: took up {value:percent} of the offers | never got an offer
offers_completed_kind: took up {value:percent} of the offers: {text} | never got an offer: {text}
subscription_started: newest subscription begun {value:ago} | never subscribed
subscriber: a subscriber for {value:days} | never subscribed
subscription_ended: a subscription ended {value:ago} | no subscription has ended
subscriptions_active: {value:subscriptions} running
subscriptions: {value:subscriptions} so far
pauses: {above:if}paused {subscription_pauses:times}, {paused_days_total:days} in all | no pause between subscriptions
renewal: to be renewed in {above:days} | renewal overdue by {below:days} | {value:if}to be renewed today
  | no renewal date
fee: pays {value:money} a month
fee_change: the monthly fee rose by {above:money} in {window:days}
  | the monthly fee fell by {below:money} in {window:days} | the monthly fee stayed the same for {window:days}
plan_changes: {value:plan_changes} in the last {window:span}
member: {above:if}in the loyalty programme with {points_balance:points} | {above:if}in the loyalty programme
  | not in the loyalty programme
points: has {value:points} | no points known
points_expire: points expire in {value:days} | no points about to expire
points_earned: earned {value:points} in the last {window:span}
points_redeemed: redeemed {value:points} in the last {window:span}
tier: loyalty tier {above} from below | in no loyalty tier
tier_since: in the same loyalty tier for {value:days} | in no loyalty tier
promotion: next promotion in {value:days} | no promotion announced
holiday: next holiday in {value:days} | no holiday announced
contact_last: last written to {days_since_last_contact:ago} | never written to
contacts: {value:messages} in the last {window:span}
contacts_redeemed: took up {value:percent} of what our messages offered | never written to
return_last: returned {returns_total:items} so far, last {days_since_last_return:ago} | returned nothing so far
last_order_returned: {above:if}the last order came back, wholly or in part | nothing of the last order came back
returns: returned {value:items} in the last {window:span}
returned_total: returned goods for {value:money} so far
returned: returned goods for {value:money} in the last {window:span}
return_share: returned {value:percent} of what was bought | bought nothing to return
tenure: a customer for {tenure_days:days} | never ordered
first_to_last: {value:days} from the first to the last order | never ordered
signed_up: signed up {value:ago} | date of sign-up not known
silence: no order for {days_since_last_order:days}; usually every {gap_days_median:every}
  | bought on one day only, {days_since_last_order:ago} | never ordered
silence_longest: no order for {days_since_last_order:days}; the longest pause before was {gap_days_max:days}
  | bought on one day only, {days_since_last_order:ago} | never ordered
silence_most: no order for {days_since_last_order:days}; four of five pauses before took up to {gap_days_q80:days}
  | bought on one day only, {days_since_last_order:ago} | never ordered
silence_tenure: no order for {days_since_last_order:days} of {tenure_days:days} as a customer | never ordered
gap_last: the last pause between orders took {gap_days_last:days}; usually {gap_days_median:days}
  | bought on one day only, {days_since_last_order:ago} | never ordered
gap_usual: usually orders every {value:days} | bought on one day only, {days_since_last_order:ago} | never ordered
gap_longest: the longest pause between orders took {value:days} | bought on one day only, {days_since_last_order:ago}
  | never ordered
gap_most: four of five pauses between orders took up to {value:days}
  | bought on one day only, {days_since_last_order:ago} | never ordered
gap_spread: pauses between orders took {gap_days_min:days} to {gap_days_max:days}
  | bought on one day only, {days_since_last_order:ago} | never ordered
longer_gaps: no order for {days_since_last_order:days}; {gaps_longer_than_silence:longer} | never ordered
silent_spans: {silent_share:percent} of the past spans as long as the one ahead went without an order
last_purchases: the last {n:purchase_days} reach back {value:days} | fewer than {n:purchase_days} so far
orders_trend: {value:if}{in_short:orders} in the last {short:span} against {in_long} in {long}
  | no orders in the last {long:span}
orders: {value:orders} in the last {window:span}
orders_total: {orders_total:orders} in {tenure_days:days} | never ordered
purchase_days_ago: {value:purchase_days} {near} to {far:ago}
season_before: {value:purchase_days} just before this season last year
  | not yet a customer before this season last year
season: {value:purchase_days} at this season last year | not yet a customer at this season last year
purchases_trend: about {value:percent} of the purchases of {long:days} fell into the last {short:span}
purchases_lately: {value:purchase_days} in about the last {window:span}, newer ones counting more
purchase_days: {value:purchase_days} in the last {window:span}
purchase_days_total: {purchase_days_total:purchase_days} in {tenure_days:days} | never ordered
active_months: ordered in {value:months} of the last {window:span}
spend_trend: {value:if}spent {in_short:money} in the last {short:span} against {in_long:money} in {long}
  | spent nothing in the last {long:span}
spend_lately: spent {value:money} in about the last {window:span}, newer amounts counting more
spend: spent {value:money} in the last {window:span}
spend_total: spent {value:money} in {tenure_days:days} | never ordered
largest_order: largest order of the last {window:span} {above:money} | nothing spent in the last {window:span}
order_value: {mean_order_value:money} per order, the last one {order_value_last:money} | never ordered
order_spread: orders vary by {value:money} around {mean_order_value:money} | fewer than two orders so far
spend_a_day: {value:money} per purchase day | never ordered
shipping: paid {value:money} for shipping in the last {window:span}
products_trend: {value:if}{in_short:products} in the last {short:span} against {in_long} in {long}
  | no products in the last {long:span}
products: {value:products} in the last {window:span}
products_total: {value:products} so far
product_repeats: {value:percent} of the items had been bought before | never ordered
product_top: {value:percent} of the items were one product | never ordered
categories: bought from {value:categories} in the last {window:span}
categories_total: bought from {value:categories} so far
category_top: {value:percent} of the items came from one category | never ordered
basket_units: {value:units} per order | never ordered
basket_items: {value:items} per order | never ordered
basket_products: {value:products} per order | never ordered
discount_lately: discounts were {value:percent} of the price in the last {window:span}
  | nothing bought in the last {window:span}
discount: discounts were {value:percent} of the price | no price paid yet
weekend: {value:percent} of the orders at weekends | never ordered
hour: orders at about {value:clock} | never ordered
weekdays: {value:if}orders spread over about {weekdays:weekdays} | never ordered
last_weekday: last ordered on a {value:weekday} | never ordered
is: {above:if}{text}: {what} | {value:if}{text}: not {what} | {text}: not known
date: {text}: {value:date} | {text}: not known
other: {text}: {value:exact} | {text}: not known
"""

_THEMES = """
breadth: breadth
contacts: contacts
discount: discount
feedback: feedback
frequency: frequency
habits: habits
loyalty: loyalty
offers: offers
profile: profile
returns: returns
season: season
silence: silence
spend: spend
subscription: subscription
support: support
tenure: tenure
use: use
"""

_WORDS = """
bogo: buy one, get one free
"""

ENGLISH = Language(
    code="en",
    form=lambda number: 0 if number == 1 else 1,
    nouns=nouns_of(_NOUNS),
    sentences=block(_SENTENCES),
    themes=single(_THEMES),
    words=single(_WORDS),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    change="without it the risk would be {without:percent} instead of {risk:percent}",
    no_change="without it the risk of {risk:percent} would hardly be lower",
)
