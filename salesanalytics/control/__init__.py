"""Deal control: where each deal really is, what looks wrong, what to do next, what past deals teach."""

from salesanalytics.control.anomalies import Anomalies, find_anomalies
from salesanalytics.control.clock_table import clock_table
from salesanalytics.control.clocks import deal_clocks
from salesanalytics.control.customers import CustomerSheet, customer_sheet
from salesanalytics.control.key_people import KeyPersonRisk, key_person_risk
from salesanalytics.control.losses import NOT_RECORDED, LossReasons, loss_reasons
from salesanalytics.control.review import DealReview, review_deals
from salesanalytics.control.rule_backtest import backtest_rules
from salesanalytics.control.scrub import scrub_list
from salesanalytics.control.similar import SimilarDeals, similar_won_deals
from salesanalytics.control.tasks import next_tasks, week_sheet

__all__ = [
    "NOT_RECORDED", "Anomalies", "CustomerSheet", "DealReview", "KeyPersonRisk", "LossReasons", "SimilarDeals",
    "backtest_rules", "clock_table", "customer_sheet", "deal_clocks", "find_anomalies", "key_person_risk",
    "loss_reasons", "next_tasks", "review_deals", "scrub_list", "similar_won_deals", "week_sheet",
]  # fmt: skip
