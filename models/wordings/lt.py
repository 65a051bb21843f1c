"""What features mean, in Lithuanian: a noun's form follows its number (1 diena, 2 dienos, 10 dienų, 2,5 dienos)."""

from models.wordings.language import Language, block, nouns_of, single

_NOUNS = """
ago: prieš {} dieną | prieš {} dienas | prieš {} dienų | prieš {} dienos | 0 = šiandien
categories: prekių grupė | prekių grupės | prekių grupių | prekių grupės | 0 = nė vienos prekių grupės
complaints: skundas | skundai | skundų | skundo | 0 = nė vieno skundo
days: diena | dienos | dienų | dienos
days_long: dieną | dienas | dienų | dienos
days_of: dienos | dienų | dienų | dienos
errors: klaida | klaidos | klaidų | klaidos | 0 = nė vienos klaidos
every: kas {} dieną | kas {} dienas | kas {} dienų | kas {} dienos | 1 = kasdien
hours_long: valandą | valandas | valandų | valandos
items: prekė | prekės | prekių | prekės
longer: ankstesnė pertrauka buvo ilgesnė | ankstesnės pertraukos buvo ilgesnės | ankstesnių pertraukų buvo ilgesnės
  | ankstesnės pertraukos buvo ilgesnės | 0 = nė viena ankstesnė pertrauka nebuvo ilgesnė
mentions_bad: neigiamas paminėjimas | neigiami paminėjimai | neigiamų paminėjimų | neigiamo paminėjimo
  | 0 = nė vieno neigiamo paminėjimo
mentions_good: teigiamas paminėjimas | teigiami paminėjimai | teigiamų paminėjimų | teigiamo paminėjimo
  | 0 = nė vieno teigiamo paminėjimo
messages: mūsų žinutė | mūsų žinutės | mūsų žinučių | mūsų žinutės | 0 = nė vienos mūsų žinutės
months: aktyvus mėnuo | aktyvūs mėnesiai | aktyvių mėnesių | aktyvaus mėnesio | 0 = nė vieno aktyvaus mėnesio
offers: pasiūlymas | pasiūlymai | pasiūlymų | pasiūlymo | 0 = nė vieno pasiūlymo
offers_running: galiojantis pasiūlymas | galiojantys pasiūlymai | galiojančių pasiūlymų | galiojančio pasiūlymo
  | 0 = nė vieno galiojančio pasiūlymo
offers_viewed: peržiūrėtas {} galiojantis pasiūlymas | peržiūrėti {} galiojantys pasiūlymai
  | peržiūrėta {} galiojančių pasiūlymų | peržiūrėta {} galiojančio pasiūlymo
  | 0 = neperžiūrėtas nė vienas galiojantis pasiūlymas
orders: užsakymas | užsakymai | užsakymų | užsakymo | 0 = nė vieno užsakymo
plan_changes: plano keitimas | plano keitimai | plano keitimų | plano keitimo | 0 = nė vieno plano keitimo
points: taškas | taškai | taškų | taško | 0 = nė vieno taško
points_by: tašku | taškais | taškų | taško
points_earned: sukauptas {} taškas | sukaupti {} taškai | sukaupta {} taškų | sukaupta {} taško
  | 0 = nesukaupta nė vieno taško
points_redeemed: išleistas {} taškas | išleisti {} taškai | išleista {} taškų | išleista {} taško
  | 0 = neišleista nė vieno taško
products: skirtinga prekė | skirtingos prekės | skirtingų prekių | skirtingos prekės | 0 = nė vienos prekės
purchase_days: pirkimo diena | pirkimo dienos | pirkimo dienų | pirkimo dienos | 0 = nė vienos pirkimo dienos
purchase_days_last: paskutinė {} pirkimo diena | paskutinės {} pirkimo dienos | paskutinės {} pirkimo dienų
  | paskutinės {} pirkimo dienos
purchase_days_of: pirkimo dienos | pirkimo dienų | pirkimo dienų | pirkimo dienos
questions: klausimas | klausimai | klausimų | klausimo | 0 = nė vieno klausimo
returned: grąžinta {} prekė | grąžintos {} prekės | grąžinta {} prekių | grąžinta {} prekės
  | 0 = negrąžinta nė viena prekė
reviews_bad: neigiamas atsiliepimas | neigiami atsiliepimai | neigiamų atsiliepimų | neigiamo atsiliepimo
  | 0 = nė vieno neigiamo atsiliepimo
reviews_good: teigiamas atsiliepimas | teigiami atsiliepimai | teigiamų atsiliepimų | teigiamo atsiliepimo
  | 0 = nė vieno teigiamo atsiliepimo
span: pastarąją {} dieną | pastarąsias {} dienas | pastarąsias {} dienų | pastarąsias {} dienos | 1 = pastarąją dieną
span_of: pastarosios {} dienos | pastarųjų {} dienų | pastarųjų {} dienų | pastarųjų {} dienos
subscriptions: prenumerata | prenumeratos | prenumeratų | prenumeratos | 0 = nė vienos prenumeratos
subscriptions_active: galiojanti prenumerata | galiojančios prenumeratos | galiojančių prenumeratų
  | galiojančios prenumeratos | 0 = nė vienos galiojančios prenumeratos
tickets: užklausa | užklausos | užklausų | užklausos | 0 = nė vienos užklausos
tickets_open: neišspręsta užklausa | neišspręstos užklausos | neišspręstų užklausų | neišspręstos užklausos
  | 0 = nė vienos neišspręstos užklausos
tickets_reopened: iš naujo atverta užklausa | iš naujo atvertos užklausos | iš naujo atvertų užklausų
  | iš naujo atvertos užklausos | 0 = nė vienos iš naujo atvertos užklausos
tickets_solved: išspręsta užklausa | išspręstos užklausos | išspręstų užklausų | išspręstos užklausos
  | 0 = nė vienos išspręstos užklausos
times: kartą | kartus | kartų | karto | 0 = nė karto
units: vienetas | vienetai | vienetų | vieneto
weekdays_long: savaitės dieną | savaitės dienas | savaitės dienų | savaitės dienos
"""

_SENTENCES = """
last_ticket: pagalbos prašė {days_since_last_ticket:ago} | pagalbos niekada neprašė
tickets_open: {value:tickets_open}
tickets_late: {value:tickets_open} ilgiau, nei numatyta
tickets_solved: {value:tickets_solved} per {window:span}
tickets_reopened: {value:tickets_reopened} per {window:span}
tickets: {value:tickets} per {window:span}
complaints: {value:complaints} per {window:span}
questions: {value:questions}, kaip naudotis, per {window:span}
tickets_about: {value:tickets} tema „{text}“ per {window:span}
reply_hours: pirmo atsakymo laukė {value:hours_long} | nė vieno atsakymo per {window:span}
solve_hours: sprendimo laukė {value:hours_long} | nė vieno sprendimo per {window:span}
rating: mūsų pagalbą įvertino {csat_last}, {csat_last_age_days:ago} | mūsų pagalbos niekada nevertino
rating_mean: mūsų pagalbą vidutiniškai įvertino {value} | mūsų pagalbos nevertino per {window:span}
recommends: mus rekomenduotų {nps_last} iš 10, sakė {nps_last_age_days:ago} | niekada nesakė, ar mus rekomenduotų
recommends_change: mus rekomenduotų menkiau nei anksčiau, {below:points_by}
  | mus rekomenduotų labiau nei anksčiau, {above:points_by} | {value:if}mus rekomenduotų taip pat kaip anksčiau
  | ar mus rekomenduotų, sakė ne daugiau kaip kartą
satisfied: apklausoje pasitenkinimą įvertino {csat_survey_last}, {csat_survey_last_age_days:ago}
  | pasitenkinimo niekada nevertino
satisfied_change: pasitenkinimas mažesnis nei anksčiau, {below:points_by}
  | pasitenkinimas didesnis nei anksčiau, {above:points_by} | {value:if}pasitenkinimas toks pat kaip anksčiau
  | pasitenkinimą vertino ne daugiau kaip kartą
loyalty_index: lojalumo rodiklis {cli_last}, {cli_last_age_days:ago} | lojalumo rodiklis nežinomas
loyalty_index_change: lojalumo rodiklis {below:points_by} mažesnis nei anksčiau
  | lojalumo rodiklis {above:points_by} didesnis nei anksčiau | {value:if}lojalumo rodiklis toks pat kaip anksčiau
  | lojalumo rodiklio klausta ne daugiau kaip kartą
surveys: į apklausą atsakė {days_since_last_survey:ago} | į apklausas niekada neatsakė
review_last: paskutinis atsiliepimas: {value} iš 5 | dar nė vieno atsiliepimo su įvertinimu
mention_last: paskutinio paminėjimo tonas {value}, nuo -1 iki 1 | dar nė vieno paminėjimo su žinomu tonu
reviews_good: {value:reviews_good} per {window:span}
reviews_bad: {value:reviews_bad} per {window:span}
mentions_good: {value:mentions_good} kitur per {window:span}
mentions_bad: {value:mentions_bad} kitur per {window:span}
event_last: {text}: paskutinį kartą {value:ago} | {text}: dar nė karto
event_trend: {text}: iš {long:days_of} įvykių {value:percent} įvyko per {short:span}
  | {text}: nė karto per {long:span}
events: {text}: {value:times} per {window:span}
events_total: {text}: iš viso {value:times}
event_silence: {text}: nė karto {value:percent} {window:span_of}
uses: naudojimasis parduotuve ar programėle: {value:times} per {window:span}
uses_total: naudojimasis parduotuve ar programėle: iš viso {value:times}
use_days: parduotuve ar programėle naudojosi {value:percent} {window:span_of}
errors: {value:errors} naršant per {window:span}
offers_running: {value:offers_running}
offers_running_viewed: {value:offers_viewed}
offers_running_kind: {value:offers_running}: {text}
offer_ends: iki pasiūlymo pabaigos liko {value:days} | nė vienas pasiūlymas netrukus nesibaigia
offer_reward: galiojantys pasiūlymai duoda {value:money}
offer_difficulty: pagal galiojančius pasiūlymus reikia išleisti {value:money}
offer_last: paskutinis pasiūlymas {days_since_last_offer:ago} | pasiūlymų dar negavo
offers: {value:offers} per {window:span}
offers_viewed: peržiūrėjo {value:percent} pasiūlymų | pasiūlymų dar negavo
offers_completed: pasinaudojo {value:percent} pasiūlymų | pasiūlymų dar negavo
offers_completed_kind: pasinaudojo {value:percent} pasiūlymų „{text}“ | pasiūlymų „{text}“ dar negavo
subscription_started: naujausia prenumerata pradėta {value:ago} | niekada neprenumeravo
subscriber: nuo pirmos prenumeratos praėjo {value:days} | niekada neprenumeravo
subscription_ended: prenumerata baigėsi {value:ago} | nė viena prenumerata nesibaigė
subscriptions_active: {value:subscriptions_active}
subscriptions: iš viso {value:subscriptions}
pauses: {above:if}prenumeratą nutraukė {subscription_pauses:times}, iš viso {paused_days_total:days_long}
  | pertraukų tarp prenumeratų nebuvo
renewal: iki pratęsimo liko {above:days} | pratęsimas vėluoja {below:days_long} | {value:if}pratęsti reikia šiandien
  | pratęsimo data nežinoma
fee: moka {value:money} per mėnesį
fee_change: mėnesio mokestis per {window:days_long} padidėjo {above:money}
  | mėnesio mokestis per {window:days_long} sumažėjo {below:money}
  | mėnesio mokestis per {window:days_long} nepasikeitė
plan_changes: {value:plan_changes} per {window:span}
member: {above:if}dalyvauja lojalumo programoje, sąskaitoje {points_balance:points}
  | {above:if}dalyvauja lojalumo programoje | lojalumo programoje nedalyvauja
points: sąskaitoje {value:points} | taškų likutis nežinomas
points_expire: iki taškų galiojimo pabaigos liko {value:days} | taškų galiojimas netrukus nesibaigia
points_earned: {value:points_earned} per {window:span}
points_redeemed: {value:points_redeemed} per {window:span}
tier: lojalumo lygis: {above}, skaičiuojant nuo žemiausio | be lojalumo lygio
tier_since: tas pats lojalumo lygis jau {value:days_long} | be lojalumo lygio
promotion: iki kitos akcijos liko {value:days} | jokia akcija nepaskelbta
holiday: iki kitos šventės liko {value:days} | jokia šventė nepaskelbta
contact_last: paskutinį kartą rašėme {days_since_last_contact:ago} | niekada nerašėme
contacts: {value:messages} per {window:span}
contacts_redeemed: pasinaudojo {value:percent} to, ką siūlėme žinutėse | niekada nerašėme
return_last: iš viso {returns_total:returned}, paskutinį kartą {days_since_last_return:ago} | nieko negrąžino
last_order_returned: {above:if}grąžintas paskutinis užsakymas ar jo dalis | iš paskutinio užsakymo nieko negrąžinta
returns: {value:returned} per {window:span}
returned_total: iš viso grąžinta prekių už {value:money}
returned: grąžinta prekių už {value:money} per {window:span}
return_share: grąžinta {value:percent} pirkinių vertės | nebuvo ko grąžinti
tenure: nuo pirmo pirkimo praėjo {tenure_days:days} | niekada nepirko
first_to_last: nuo pirmo iki paskutinio užsakymo {value:days} | niekada nepirko
signed_up: užsiregistravo {value:ago} | registracijos data nežinoma
silence: jau {days_since_last_order:days_long} be užsakymo; paprastai perka {gap_days_median:every}
  | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
silence_longest: jau {days_since_last_order:days_long} be užsakymo; ilgiausia ankstesnė pertrauka truko
  {gap_days_max:days_long} | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
silence_most: jau {days_since_last_order:days_long} be užsakymo; keturios iš penkių ankstesnių pertraukų truko iki
  {gap_days_q80:days_of} | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
silence_tenure: jau {days_since_last_order:days_long} be užsakymo; nuo pirmo pirkimo praėjo {tenure_days:days}
  | niekada nepirko
gap_last: paskutinė pertrauka tarp užsakymų truko {gap_days_last:days_long}; paprastai {gap_days_median:days_long}
  | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
gap_usual: paprastai perka {value:every} | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
gap_longest: ilgiausia pertrauka tarp užsakymų truko {value:days_long}
  | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
gap_most: keturios iš penkių pertraukų tarp užsakymų truko iki {value:days_of}
  | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
gap_spread: pertraukos tarp užsakymų truko nuo {gap_days_min:days_of} iki {gap_days_max:days_of}
  | pirko tik vieną dieną, {days_since_last_order:ago} | niekada nepirko
longer_gaps: jau {days_since_last_order:days_long} be užsakymo; {gaps_longer_than_silence:longer} | niekada nepirko
silent_spans: {silent_share:percent} ankstesnių tokios pat trukmės laikotarpių praėjo be užsakymo
last_purchases: {n:purchase_days_last} aprėpia {value:days_long} | dar nėra {n:purchase_days_of}
orders_trend: {value:if}{in_short:orders} per {short:span}, o per {long:days_long} – {in_long}
  | nė vieno užsakymo per {long:span}
orders: {value:orders} per {window:span}
orders_total: {orders_total:orders} per {tenure_days:days_long} | niekada nepirko
purchase_days_ago: {value:purchase_days} prieš {near}–{far:days_long}
season_before: {value:purchase_days} pernai prieš pat šį sezoną | pernai prieš šį sezoną dar nepirko
season: {value:purchase_days} pernai šiuo sezonu | pernai šiuo sezonu dar nepirko
purchases_trend: iš {long:days_of} pirkimų apie {value:percent} įvyko per {short:span}
purchases_lately: {value:purchase_days} maždaug per {window:span}, naujesnės sveria daugiau
purchase_days: {value:purchase_days} per {window:span}
purchase_days_total: {purchase_days_total:purchase_days} per {tenure_days:days_long} | niekada nepirko
active_months: {value:months} per {window:span}
spend_trend: {value:if}išleido {in_short:money} per {short:span}, o per {long:days_long} – {in_long:money}
  | nieko neišleido per {long:span}
spend_lately: išleido {value:money} maždaug per {window:span}, naujesnės sumos sveria daugiau
spend: išleido {value:money} per {window:span}
spend_total: išleido {value:money} per {tenure_days:days_long} | niekada nepirko
largest_order: didžiausias užsakymas per {window:span} {above:money} | nieko neišleido per {window:span}
order_value: vidutinis užsakymas {mean_order_value:money}, paskutinis {order_value_last:money} | niekada nepirko
order_spread: užsakymų vertė nuo {mean_order_value:money} nukrypsta apie {value:money} | dar nėra dviejų užsakymų
spend_a_day: {value:money} per pirkimo dieną | niekada nepirko
shipping: už pristatymą sumokėjo {value:money} per {window:span}
products_trend: {value:if}{in_short:products} per {short:span}, o per {long:days_long} – {in_long}
  | nė vienos prekės per {long:span}
products: {value:products} per {window:span}
products_total: iš viso {value:products}
product_repeats: {value:percent} prekių jau buvo pirkta anksčiau | niekada nepirko
product_top: {value:percent} pirkinių sudaro viena prekė | niekada nepirko
categories: {value:categories} per {window:span}
categories_total: iš viso {value:categories}
category_top: {value:percent} pirkinių iš vienos prekių grupės | niekada nepirko
basket_units: vidutiniškai užsakyme {value:units} | niekada nepirko
basket_items: vidutiniškai užsakyme {value:items} | niekada nepirko
basket_products: vidutiniškai užsakyme {value:products} | niekada nepirko
discount_lately: nuolaidos sudarė {value:percent} kainos per {window:span} | nieko nepirko per {window:span}
discount: nuolaidos sudarė {value:percent} kainos | dar nieko nemokėjo
weekend: {value:percent} užsakymų savaitgaliais | niekada nepirko
hour: užsako apie {value:clock} | niekada nepirko
weekdays: {value:if}užsakymai pasiskirstę maždaug per {weekdays:weekdays_long} | niekada nepirko
last_weekday: paskutinį kartą užsakė {value:weekday} | niekada nepirko
is: {above:if}{text}: {what} | {value:if}{text}: ne {what} | {text}: nežinoma
date: {text}: {value:date} | {text}: nežinoma
other: {text}: {value:exact} | {text}: nežinoma
"""

_THEMES = """
breadth: prekių įvairovė
contacts: mūsų žinutės
discount: nuolaidos
feedback: atsiliepimai
frequency: pirkimo dažnumas
habits: pirkimo įpročiai
loyalty: lojalumo programa
offers: pasiūlymai
profile: savybės
returns: grąžinimai
season: sezonas
silence: tyla
spend: išlaidos
subscription: prenumerata
support: pagalba
tenure: pažinties trukmė
use: naudojimasis
"""

_WORDS = """
app_use: programėlės naudojimas
bogo: dvi už vienos kainą
bundle: rinkinys
community: veikla bendruomenėje
complaint: skundas
coupon_redemption: panaudotas kuponas
delivery: pristatymas
discount: nuolaida
email_click: paspaudimas laiške
email_open: atvertas laiškas
how_to: kaip naudotis
informational: informacinis
mention: paminėjimas
news: naujienos
page_error: puslapio klaida
payment: mokėjimas
referral: rekomendacija
review: atsiliepimas
offer_completed: pasinaudojimas pasiūlymu
offer_received: gautas pasiūlymas
offer_viewed: peržiūrėtas pasiūlymas
session: apsilankymas
slow_page: lėtas puslapis
"""

_WEEKDAYS = "pirmadienį antradienį trečiadienį ketvirtadienį penktadienį šeštadienį sekmadienį"


def _form(number: float) -> int:
    """Choose: 1 and 21 singular, 2 to 9 plural, 10 to 20 genitive plural, fractions genitive singular."""
    if number != round(number):
        return 3
    last, last_two = number % 10, number % 100
    if last == 0 or 10 < last_two < 20:
        return 2
    return 0 if last == 1 else 1


LITHUANIAN = Language(
    code="lt",
    form=_form,
    nouns=nouns_of(_NOUNS),
    sentences=block(_SENTENCES),
    themes=single(_THEMES),
    words=single(_WORDS),
    weekdays=_WEEKDAYS.split(),
    change="be šios priežasties rizika būtų {without:percent}, o ne {risk:percent}",
    no_change="be šios priežasties {risk:percent} rizika vargu ar būtų mažesnė",
    decimal=",",
    thousands="\N{NO-BREAK SPACE}",
    percent="{}\N{NO-BREAK SPACE}%",
)
