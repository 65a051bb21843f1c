"""What features mean, in Simplified Chinese: every noun with its measure word, whatever the number."""

from models.wordings.language import Language, block, nouns_of, single

_NOUNS = """
categories: 个品类 | 0 = 没有任何品类
complaints: 次投诉 | 0 = 没有投诉
days: 天
ago: 天前 | 0 = 今天
every: 每 {} 天 | 1 = 每天
errors: 次错误 | 0 = 没有错误
hours: 小时
items: 件商品 | 0 = 没有商品
longer: 此前有 {} 次间隔比这更长 | 0 = 此前从未有更长的间隔
mentions_bad: 次负面提及 | 0 = 没有负面提及
mentions_good: 次正面提及 | 0 = 没有正面提及
messages: 条我方消息 | 0 = 没有我方消息
months: 个月
offers: 个优惠 | 0 = 没有优惠
orders: 笔订单 | 0 = 没有订单
plan_changes: 次套餐变更 | 0 = 没有套餐变更
points: 分
products: 种商品 | 0 = 没有商品
purchase_days: 个购买日 | 0 = 没有购买日
questions: 次
reviews_bad: 条差评 | 0 = 没有差评
reviews_good: 条好评 | 0 = 没有好评
subscriptions: 份订阅 | 0 = 没有订阅
tickets: 个工单 | 0 = 没有工单
times: 次 | 0 = 一次也没有
units: 件
weekdays: 天
"""

_SENTENCES = """
last_ticket: 上次求助在 {days_since_last_ticket:ago} | 从未求助
tickets_open: 未解决：{value:tickets}
tickets_late: 超时未解决：{value:tickets}
tickets_solved: 最近 {window:days}已解决：{value:tickets}
tickets_reopened: 最近 {window:days}重新打开：{value:tickets}
tickets: 最近 {window:days}：{value:tickets}
complaints: 最近 {window:days}：{value:complaints}
questions: 最近 {window:days}咨询如何使用 {value:questions}
tickets_about: 最近 {window:days}关于“{text}”：{value:tickets}
reply_hours: 首次回复等了 {value:hours} | 最近 {window:days}没有首次回复
solve_hours: 解决问题等了 {value:hours} | 最近 {window:days}没有问题得到解决
rating: 给我们的服务打 {csat_last} 分，在 {csat_last_age_days:ago} | 从未给我们的服务打分
rating_mean: 给我们的服务平均打 {value} 分 | 最近 {window:days}没有给服务打分
recommends: 推荐意愿 {nps_last} 分（满分 10），答于 {nps_last_age_days:ago} | 从未表示是否愿意推荐我们
recommends_change: 推荐意愿比上次低 {below:points} | 推荐意愿比上次高 {above:points} | {value:if}推荐意愿与上次相同
  | 推荐意愿回答不足两次
satisfied: 调查中的满意度 {csat_survey_last} 分，答于 {csat_survey_last_age_days:ago} | 从未表示满意程度
satisfied_change: 满意度比上次低 {below:points} | 满意度比上次高 {above:points} | {value:if}满意度与上次相同
  | 满意度回答不足两次
loyalty_index: 忠诚度指数 {cli_last}，答于 {cli_last_age_days:ago} | 忠诚度指数未知
loyalty_index_change: 忠诚度指数比上次低 {below:points} | 忠诚度指数比上次高 {above:points}
  | {value:if}忠诚度指数与上次相同 | 忠诚度指数回答不足两次
surveys: 上次回答调查在 {days_since_last_survey:ago} | 从未回答调查
review_last: 上次评价：{value} 分（满分 5） | 尚无带评分的评价
mention_last: 上次在别处提及的语气为 {value}（-1 到 1） | 尚无语气已知的提及
reviews_good: 最近 {window:days}：{value:reviews_good}
reviews_bad: 最近 {window:days}：{value:reviews_bad}
mentions_good: 最近 {window:days}在别处：{value:mentions_good}
mentions_bad: 最近 {window:days}在别处：{value:mentions_bad}
event_last: 上次“{text}”在 {value:ago} | 尚无“{text}”
event_trend: {long:days}内的“{text}”有 {value:percent} 发生在最近 {short:days} | 最近 {long:days}没有“{text}”
events: 最近 {window:days}“{text}”：{value:times}
events_total: 至今“{text}”：{value:times}
event_silence: 最近 {window:days}中有 {value:percent} 的日子没有“{text}”
uses: 最近 {window:days}使用商店或应用：{value:times}
uses_total: 至今使用商店或应用：{value:times}
use_days: 最近 {window:days}中有 {value:percent} 的日子使用商店或应用
errors: 最近 {window:days}遇到：{value:errors}
offers_running: 进行中：{value:offers}
offers_running_viewed: 进行中且已查看：{value:offers}
offers_running_kind: 进行中的“{text}”：{value:offers}
offer_ends: 距优惠结束还有 {value:days} | 没有即将结束的优惠
offer_reward: 进行中的优惠可得 {value:money}
offer_difficulty: 进行中的优惠要求消费 {value:money}
offer_last: 上次优惠在 {days_since_last_offer:ago} | 从未收到优惠
offers: 最近 {window:days}：{value:offers}
offers_viewed: 查看了 {value:percent} 的优惠 | 从未收到优惠
offers_completed: 使用了 {value:percent} 的优惠 | 从未收到优惠
offers_completed_kind: 使用了 {value:percent} 的“{text}”优惠 | 从未收到“{text}”优惠
subscription_started: 最新的订阅始于 {value:ago} | 从未订阅
subscriber: 首次订阅至今 {value:days} | 从未订阅
subscription_ended: 有订阅在 {value:ago}结束 | 没有订阅结束过
subscriptions_active: 有效：{value:subscriptions}
subscriptions: 至今：{value:subscriptions}
pauses: {above:if}中断订阅 {subscription_pauses:times}，共 {paused_days_total:days} | 订阅之间没有中断
renewal: 距续订还有 {above:days} | 续订已逾期 {below:days} | {value:if}今天应续订 | 没有续订日期
fee: 每月支付 {value:money}
fee_change: {window:days}内月费上涨 {above:money} | {window:days}内月费下降 {below:money}
  | {window:days}内月费没有变化
plan_changes: 最近 {window:days}：{value:plan_changes}
member: {above:if}忠诚计划会员，积分 {points_balance:points} | {above:if}忠诚计划会员 | 不是忠诚计划会员
points: 积分余额 {value:points} | 积分余额未知
points_expire: 距积分到期还有 {value:days} | 没有即将到期的积分
points_earned: 最近 {window:days}获得积分 {value:points}
points_redeemed: 最近 {window:days}兑换积分 {value:points}
tier: 会员等级从低到高为第 {above} 级 | 没有会员等级
tier_since: 保持同一会员等级 {value:days} | 没有会员等级
promotion: 距下次促销还有 {value:days} | 没有公布促销
holiday: 距下个节日还有 {value:days} | 没有公布节日
contact_last: 我们上次联系在 {days_since_last_contact:ago} | 我们从未联系过
contacts: 最近 {window:days}：{value:messages}
contacts_redeemed: 使用了我方消息中 {value:percent} 的优惠 | 我们从未联系过
return_last: 至今退货：{returns_total:items}，上次在 {days_since_last_return:ago} | 从未退货
last_order_returned: {above:if}上次订单全部或部分退货 | 上次订单没有退货
returns: 最近 {window:days}退货：{value:items}
returned_total: 至今退货金额 {value:money}
returned: 最近 {window:days}退货金额 {value:money}
return_share: 退货占购买金额的 {value:percent} | 没有可退的商品
tenure: 首次购买至今 {tenure_days:days} | 从未下单
first_to_last: 首次到最近一次下单相隔 {value:days} | 从未下单
signed_up: 注册于 {value:ago} | 注册日期未知
silence: 已 {days_since_last_order:days}没有下单；平时{gap_days_median:every}下单一次
  | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
silence_longest: 已 {days_since_last_order:days}没有下单；此前最长间隔 {gap_days_max:days}
  | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
silence_most: 已 {days_since_last_order:days}没有下单；此前五次间隔中有四次不超过 {gap_days_q80:days}
  | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
silence_tenure: 已 {days_since_last_order:days}没有下单；首次购买至今 {tenure_days:days} | 从未下单
gap_last: 最近一次下单间隔 {gap_days_last:days}；平时 {gap_days_median:days}
  | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
gap_usual: 平时{value:every}下单一次 | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
gap_longest: 下单间隔最长 {value:days} | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
gap_most: 五次下单间隔中有四次不超过 {value:days} | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
gap_spread: 下单间隔从 {gap_days_min:days}到 {gap_days_max:days}不等
  | 只在一天内购买过，在 {days_since_last_order:ago} | 从未下单
longer_gaps: 已 {days_since_last_order:days}没有下单；{gaps_longer_than_silence:longer} | 从未下单
silent_spans: 过去同样长的时段中有 {silent_share:percent} 没有下单
last_purchases: 最近 {n:purchase_days}可追溯到 {value:ago} | 还不到 {n:purchase_days}
orders_trend: {value:if}最近 {short:days}：{in_short:orders}，而 {long:days}内为 {in_long} | 最近 {long:days}没有订单
orders: 最近 {window:days}：{value:orders}
orders_total: {tenure_days:days}内：{orders_total:orders} | 从未下单
purchase_days_ago: {near} 至 {far:ago}：{value:purchase_days}
season_before: 去年此季之前：{value:purchase_days} | 去年此季之前还不是顾客
season: 去年此季：{value:purchase_days} | 去年此季还不是顾客
purchases_trend: {long:days}内的购买约有 {value:percent} 发生在最近 {short:days}
purchases_lately: 最近约 {window:days}：{value:purchase_days}，越近权重越大
purchase_days: 最近 {window:days}：{value:purchase_days}
purchase_days_total: {tenure_days:days}内：{purchase_days_total:purchase_days} | 从未下单
active_months: 最近 {window:days}中有 {value:months}下过单
spend_trend: {value:if}最近 {short:days}消费 {in_short:money}，而 {long:days}内为 {in_long:money}
  | 最近 {long:days}没有消费
spend_lately: 最近约 {window:days}消费 {value:money}，越近权重越大
spend: 最近 {window:days}消费 {value:money}
spend_total: {tenure_days:days}内消费 {value:money} | 从未下单
largest_order: 最近 {window:days}最大一笔订单 {above:money} | 最近 {window:days}没有消费
order_value: 平均每单 {mean_order_value:money}，最近一单 {order_value_last:money} | 从未下单
order_spread: 订单金额围绕 {mean_order_value:money} 波动 {value:money} | 订单不足两笔
spend_a_day: 每个购买日消费 {value:money} | 从未下单
shipping: 最近 {window:days}支付运费 {value:money}
products_trend: {value:if}最近 {short:days}：{in_short:products}，而 {long:days}内为 {in_long}
  | 最近 {long:days}没有购买商品
products: 最近 {window:days}：{value:products}
products_total: 至今：{value:products}
product_repeats: {value:percent} 的商品以前买过 | 从未下单
product_top: {value:percent} 的商品是同一种 | 从未下单
categories: 最近 {window:days}：{value:categories}
categories_total: 至今：{value:categories}
category_top: {value:percent} 的商品来自同一品类 | 从未下单
basket_units: 平均每单 {value:units} | 从未下单
basket_items: 平均每单 {value:items} | 从未下单
basket_products: 平均每单 {value:products} | 从未下单
discount_lately: 最近 {window:days}折扣占价格的 {value:percent} | 最近 {window:days}没有购买
discount: 折扣占价格的 {value:percent} | 尚未付款
weekend: {value:percent} 的订单在周末 | 从未下单
hour: 下单时间约在 {value:clock} | 从未下单
weekdays: {value:if}下单分布在一周中的约 {weekdays:weekdays} | 从未下单
last_weekday: 上次下单在{value:weekday} | 从未下单
is: {above:if}{text}：{what} | {value:if}{text}：不是 {what} | {text}：未知
date: {text}：{value:date} | {text}：未知
other: {text}：{value:exact} | {text}：未知
"""

_THEMES = """
breadth: 商品种类
contacts: 我方消息
discount: 折扣
feedback: 反馈
frequency: 购买频率
habits: 购买习惯
loyalty: 忠诚计划
offers: 优惠
profile: 属性
returns: 退货
season: 季节
silence: 久未下单
spend: 消费金额
subscription: 订阅
support: 客服
tenure: 顾客时长
use: 使用情况
"""

_WORDS = """
app_use: 应用使用
bogo: 买一送一
bundle: 套装
community: 社区活动
complaint: 投诉
coupon_redemption: 优惠券使用
delivery: 配送
discount: 折扣
email_click: 邮件点击
email_open: 邮件打开
how_to: 如何使用
informational: 资讯
mention: 提及
news: 新闻
page_error: 页面错误
payment: 付款
referral: 推荐
review: 评价
offer_completed: 优惠使用
offer_received: 收到优惠
offer_viewed: 查看优惠
session: 访问
slow_page: 页面缓慢
"""

CHINESE = Language(
    code="zh",
    form=lambda _: 0,
    nouns=nouns_of(_NOUNS),
    sentences=block(_SENTENCES),
    themes=single(_THEMES),
    words=single(_WORDS),
    weekdays=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    change="若无此原因，风险为 {without:percent}，而非 {risk:percent}",
    no_change="若无此原因，{risk:percent} 的风险几乎不变",
)
