#!/usr/bin/env python3
"""A second, naive implementation of the standard plan types. It shares no code with the product, and computes in exact fractions, one
payee, one component and one period after the other, as docs/company-folder.md says. It makes random companies as folders with what
they must pay; `attain test` says what differs, to the cent.

    oracle.py ATTAIN [PLANS [SEED]]

Run by `cargo xtask torture oracle`.
"""

import collections
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction as F

PLANS_IN_A_COMPANY = 10
FOLDERS_AT_ONCE = 10
MONTHS = [f"2026-{month:02}" for month in range(1, 13)]
CENT = F(1, 100)


def first_day(month):
    return datetime.date(2026, month + 1, 1)


def last_day(month):
    return (first_day(month + 1) if month < 11 else datetime.date(2027, 1, 1)) - datetime.timedelta(days=1)


# ---------------------------------------------------------------------------------------------------------------------- numbers


def floor(value):
    return value.numerator // value.denominator


def rounded(value, rounding):
    """To a multiple of the step, once."""
    mode, step = rounding
    count = value / step
    low = floor(count)
    rest = count - low
    if rest == 0:
        return value
    half = F(1, 2)
    up = {
        "half-even": rest > half or (rest == half and low % 2 != 0),
        "half-up": rest > half or (rest == half and value > 0),
        "half-down": rest > half or (rest == half and value < 0),
        "up": value > 0,
        "down": value < 0,
        "ceiling": True,
        "floor": False,
    }[mode]
    return (low + (1 if up else 0)) * step


def shared_out(whole, weights, step):
    """Parts that sum to the whole: rounded down, the steps that are left to the largest remainders, of equals to the earlier one."""
    sign = -1 if whole < 0 else 1
    units = abs(whole) / step
    assert units.denominator == 1
    exact = [units * weight / sum(weights) for weight in weights]
    parts = [floor(own) for own in exact]
    order = sorted(range(len(weights)), key=lambda at: (-(exact[at] - parts[at]), at))
    for at in order[: int(units) - sum(parts)]:
        parts[at] += 1
    return [sign * part * step for part in parts]


def text(value):
    """As it is written in a file."""
    scaled = F(value) * 10**8
    assert scaled.denominator == 1, value
    number = abs(scaled.numerator)
    whole, rest = divmod(number, 10**8)
    tail = f"{rest:08}".rstrip("0")
    return ("-" if scaled < 0 else "") + str(whole) + (f".{tail}" if tail else "")


# ------------------------------------------------------------------------------------------------------------------ random plans


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *values):
        return self.random.choice(values)

    def money(self, low, high, step=CENT):
        return self.random.randint(int(low / step), int(high / step)) * step

    def rate(self, low, high, step=F(1, 1000)):
        return self.money(F(low), F(high), step)

    def rounding(self):
        modes = ["half-even", "half-up", "half-down", "up", "down", "ceiling", "floor"]
        if self.chance(0.5):
            return ("half-even", CENT)
        return (self.random.choice(modes), self.random.choice([CENT, F(1), F(1, 20), F(1, 1000)]))

    def tiers(self):
        by = self.pick("amount", "attainment")
        method = self.pick("marginal", "marginal", "marginal", "whole-amount", "whole-amount", "overage-multiplier", "interpolated-rate",
                           "interpolated-amount")
        count = self.random.randint(1, 4)
        if by == "amount":
            bounds = sorted({self.money(0, 30000, F(100)) for _ in range(count)})
        else:
            bounds = sorted({self.rate(0, 2, F(1, 20)) for _ in range(count)})
        if self.chance(0.8):
            bounds[0] = F(0)
        bounds = sorted(set(bounds))
        tiers = []
        for place, bound in enumerate(bounds):
            tier = {"from": bound}
            if method == "overage-multiplier":
                tier["rate"] = self.rate(1, 3, F(1, 4))
            elif method == "interpolated-amount":
                tier["amount"] = self.money(10, 900)
            else:
                tier["rate"] = self.rate(0, F(1, 5))
            is_last = place + 1 == len(bounds)
            if (is_last and (method.startswith("interpolated") or self.chance(0.2))) or (not is_last and self.chance(0.1)):
                end = bound + (self.money(100, 9000, F(100)) if by == "amount" else self.rate(F(1, 20), 1, F(1, 20)))
                tier["until"] = end if is_last else min(end, bounds[place + 1])
            tiers.append(tier)
        own = {"method": method, "by": by, "bound": self.pick("lower-inclusive", "upper-inclusive"),
               "negative": self.pick("reverse", "zero"), "tiers": tiers}
        if method == "overage-multiplier":
            own["rate"] = self.rate(0, F(1, 10))
        if method != "interpolated-amount" and self.chance(0.2):
            own["pay"] = "target"
        return own

    def cap(self, of_component):
        cap = {"per": self.pick("period", "period", "quarter", "year")}
        kind = self.pick("amount", "target", "quota") if of_component else self.pick("amount", "target")
        if kind == "amount":
            cap["amount"] = self.money(50, 3000, F(50))
        else:
            cap["rate"], cap["of"] = self.rate(F(1, 10), 2, F(1, 10)), kind
        if of_component and self.chance(0.3):
            cap["refundable"] = True
        elif of_component and self.chance(0.15):
            cap = {"per": "transaction", "amount": self.money(20, 500, F(10))}
        return cap

    def component(self, number):
        own = {"id": f"c{number}", "measure": self.pick("sales", "sales", "sales", "services"), "quota": "sales" if self.chance(0.85) else None}
        own["accumulate"] = self.pick("transaction", "period", "period", "quarter", "quarter", "year")
        if own["accumulate"] in ("quarter", "year"):
            own["true_up"] = self.chance(0.4)
            own["quota_basis"] = self.pick("span", "to-date")
            own["stacked"] = not own["true_up"] and self.chance(0.2)
        own["rounding"] = self.rounding()
        formula = self.pick("comp-flat", "comp-tiered", "comp-tiered", "comp-accelerator")
        own["formula"] = formula
        if formula == "comp-flat":
            own["settings"] = {"rate": self.rate(F(-1, 50), F(1, 5))}
        elif formula == "comp-tiered":
            own["settings"] = self.tiers()
        else:
            own["settings"] = {"rate": self.rate(0, F(1, 10)), "accelerated_rate": self.rate(0, F(1, 5)),
                               "threshold": self.rate(F(1, 2), F(3, 2), F(1, 20)), "retroactive": self.chance(0.5),
                               "bound": self.pick("lower-inclusive", "upper-inclusive")}
        own["multipliers"], own["gates"] = [], []
        if self.chance(0.15):
            steps, at = [], F(0)
            for _ in range(self.random.randint(1, 3)):
                steps.append({"from": at, "factor": self.rate(F(1, 2), 2, F(1, 20))})
                at += self.rate(F(1, 20), 1, F(1, 20))
            own["multipliers"].append({"measure": "sales", "by": "attainment", "steps": steps, "below": self.rate(0, 1, F(1, 4))})
        if self.chance(0.3):
            gate = {"measure": self.pick("sales", "services"), "by": self.pick("attainment", "value"), "over": self.pick(None, "period", "year")}
            gate["at_least"] = self.rate(F(1, 5), 1, F(1, 20)) if gate["by"] == "attainment" else self.money(0, 8000, F(100))
            if self.chance(0.4):
                gate["otherwise"], gate["rate"] = "rate", self.rate(0, 1, F(1, 20))
            own["gates"].append(gate)
        own["prorate_quota"] = "calendar-days" if self.chance(0.25) else None
        own["hurdle"] = own["floor"] = None
        if self.chance(0.12):
            own["hurdle"] = self.pick({"amount": self.money(100, 5000, F(50))}, {"share_of_quota": self.rate(F(1, 10), 1, F(1, 20))})
            if self.chance(0.5):
                own["hurdle"]["counts"] = "all"
        if self.chance(0.12):
            own["floor"] = self.pick({"amount": self.money(5, 300)}, {"rate": self.rate(F(1, 100), F(1, 5), F(1, 100)), "of": "target"})
            if self.chance(0.4):
                own["floor"]["on"] = "all"
        own["once"] = own["accumulate"] == "transaction" and self.chance(0.15)
        own["cap"] = self.cap(True) if self.chance(0.35) else None
        own["pay"] = []
        if self.chance(0.2):
            share = self.rate(F(1, 10), F(9, 10), F(1, 20))
            own["pay"] = [{"share": share, "after_periods": self.random.randint(0, 1)},
                          {"share": 1 - share, "after_periods": self.random.randint(0, 3), "installments": self.random.randint(1, 3)}]
        return own

    def version(self, plan):
        """Another version of the plan from a day on. Components add up over the same spans, of the same measure; what is judged or limited
        over whole periods is left out, of both."""
        changed = []
        for own in plan["components"]:
            own |= {"multipliers": [], "gates": [], "cap": None, "pay": [], "floor": None, "once": False}
            if "true_up" in own:
                own["true_up"] = False
            fresh = self.component(0)
            kept = {key: value for key, value in own.items() if key not in ("formula", "settings", "hurdle")}
            changed.append(kept | {key: fresh[key] for key in ("formula", "settings", "hurdle")})
        day = datetime.date(2026, self.random.randint(1, 8), self.random.randint(1, 28))
        return {"from": day, "components": changed, "on_start": self.pick("continue", "restart")}

    def draw(self, number):
        own = {"id": f"d{number}", "pays": self.pick("floor", "floor", "on-top"), "recoverable": self.chance(0.6)}
        if self.chance(0.6):
            own["amount"] = self.money(100, 1500, F(50))
        else:
            own["rate"] = self.rate(F(1, 10), 1, F(1, 20))
        if self.chance(0.6):
            own["periods"] = self.random.randint(1, 6)
        if own["recoverable"]:
            own["recover_after"] = self.pick(0, 0, 1, 3)
            if self.chance(0.3):
                own["recover_share"] = self.rate(F(1, 10), 1, F(1, 10))
            if self.chance(0.3):
                own["recover_for"], own["at_end"] = self.random.randint(1, 6), self.pick("keep", "forgive")
        return own

    def company(self):
        plans, payees, quotas, splits, deals = [], [], {}, {}, []
        has_plan_caps = self.chance(0.3)
        for number in range(PLANS_IN_A_COMPANY):
            plan = {"id": f"plan{number}", "components": [self.component(at) for at in range(self.random.randint(1, 3))], "draws": [],
                    "cap": self.cap(False) if has_plan_caps and self.chance(0.6) else None}
            if plan["cap"]:
                # How what a cap on a whole plan cuts is shared out decides what of it is paid later; that is not the oracle's business.
                for own in plan["components"]:
                    own["pay"] = []
            if self.chance(0.4):
                plan["draws"] = [self.draw(at) for at in range(self.random.randint(1, 2))]
            if not plan["cap"] and self.chance(0.25):
                plan["next"] = self.version(plan)
            plans.append(plan)
            for at in range(self.random.randint(1, 2)):
                start = datetime.date(2026, 1, 1) if self.chance(0.7) else datetime.date(2026, self.random.randint(1, 5), self.random.randint(1, 28))
                payees.append({"id": f"p{number}{at}", "plan": plan, "from": start,
                               "target": self.money(500, 5000, F(100)) if self.chance(0.85) else None})
        for payee in payees:
            if self.chance(0.9):
                for measure in ("sales", "services"):
                    for month in range(12):
                        if self.chance(0.95):
                            quotas[payee["id"], measure, month] = F(0) if self.chance(0.05) else self.money(500, 12000, F(100))
        for number in range(self.random.randint(len(payees) * 3, len(payees) * 12)):
            day = datetime.date(2026, 1, 1) + datetime.timedelta(days=self.random.randint(0, 270))
            # Sometimes exactly on a bound.
            amount = self.money(100, 12000, F(100)) if self.chance(0.3) else self.money(0, 12000)
            deal = {"id": f"t{number:04}", "day": day, "amount": -amount / self.pick(1, 4) if self.chance(0.12) else amount,
                    "payee": self.random.choice(payees)["id"], "tag": self.pick("services", None)}
            deal["amount"] = rounded(deal["amount"], ("down", CENT))
            deal["currency"] = self.pick("USD", "USD", "EUR", "JPY")
            if self.chance(0.2):
                chosen = self.random.sample(payees, self.random.randint(2, 3))
                cuts = sorted(self.random.sample(range(1, 1000), len(chosen) - 1))
                shares = [F(end - start, 1000) for start, end in zip([0] + cuts, cuts + [1000])]
                deal["splits"] = sorted((payee["id"], share) for payee, share in zip(chosen, shares))
            deals.append(deal)
        rates = {("EUR", month): self.rate(F(9, 10), F(6, 5), F(1, 10000)) for month in range(0, 12, 2)}
        rates |= {("JPY", month): self.rate(F(1, 160), F(1, 140), F(1, 10**8)) for month in range(12)}
        adjustments = [{"id": f"a{number}", "payee": self.random.choice(payees)["id"], "month": self.random.randint(0, 8), "amount": self.money(-500, 500)}
                       for number in range(self.random.randint(0, 6))]
        return {"plans": plans, "payees": payees, "quotas": quotas, "deals": deals, "has_plan_caps": has_plan_caps, "rates": rates,
                "adjustments": adjustments}


# ------------------------------------------------------------------------------------------------------------------ what is paid


def span(accumulate, month):
    if accumulate == "quarter":
        return month - month % 3, month - month % 3 + 3
    if accumulate == "year":
        return 0, 12
    return month, month + 1


def between(tiers, prior, to_date, quota):
    """What the part of a result from `prior` to `to_date` pays."""
    unit = F(1)
    if tiers["by"] == "attainment":
        if quota is None or quota <= 0:
            return F(0)
        unit = quota
    if tiers["negative"] == "zero":
        prior, to_date = max(prior, F(0)), max(to_date, F(0))
    rows = tiers["tiers"]
    starts = [row["from"] * unit for row in rows]
    ends = [row["until"] * unit if "until" in row else (starts[at + 1] if at + 1 < len(rows) else None) for at, row in enumerate(rows)]

    def reached(position):
        for at in range(len(rows)):
            below_zero = at == 0 and starts[at] == 0 and position <= 0
            if tiers["bound"] == "lower-inclusive":
                fits = (starts[at] <= position or below_zero) and (ends[at] is None or position < ends[at])
            else:
                fits = (starts[at] < position or below_zero) and (ends[at] is None or position <= ends[at])
            if fits:
                return at
        return None

    def filled(at, position):
        if position <= starts[at]:
            return F(0)
        if ends[at] is not None and position < ends[at]:
            return (position - starts[at]) / (ends[at] - starts[at])
        return F(1)

    method = tiers["method"]
    if method == "marginal":
        total = F(0)
        for at, row in enumerate(rows):
            low = None if at == 0 and starts[at] == 0 else starts[at]

            def within(value):
                if ends[at] is not None:
                    value = min(value, ends[at])
                return value if low is None else max(value, low)

            total += (within(to_date) - within(prior)) * row["rate"]
        return total
    if method == "whole-amount":
        at = reached(to_date)
        return F(0) if at is None else (to_date - prior) * rows[at]["rate"]
    if method == "interpolated-rate":
        return (to_date - prior) * sum(row["rate"] * filled(at, to_date) for at, row in enumerate(rows))
    if method == "interpolated-amount":
        return sum((filled(at, to_date) - filled(at, prior)) * row["amount"] for at, row in enumerate(rows))
    assert method == "overage-multiplier"
    if quota is None or quota <= 0:
        return F(0)
    total = (min(to_date, quota) - min(prior, quota)) * tiers["rate"]
    above = max(to_date, quota) - max(prior, quota)
    at = reached(to_date if tiers["by"] == "attainment" else to_date - quota)
    return total + above * tiers["rate"] * (F(1) if at is None else rows[at]["rate"])


def formula(component, prior, to_date, quota, target):
    settings = component["settings"]
    if component["hurdle"]:
        own, height = component["hurdle"], None
        if "amount" in own:
            height = own["amount"]
        elif quota is not None and quota > 0:
            height = rounded(quota * own["share_of_quota"], ("half-even", F(1, 10000)))

        def above(value):
            if height is None:
                return F(0)
            if own.get("counts") == "all":
                return value if value >= height else F(0)
            return max(value - height, F(0))

        prior, to_date = above(prior), above(to_date)
    if component["formula"] == "comp-flat":
        return (to_date - prior) * settings["rate"]
    if component["formula"] == "comp-tiered":
        if settings.get("pay") == "target":
            if not target or quota is None or quota <= 0:
                return F(0)
            return between(settings, prior, to_date, quota) * target / quota
        return between(settings, prior, to_date, quota)
    if quota is None or quota <= 0:
        return F(0)
    threshold = settings["threshold"] * quota
    if settings["retroactive"]:
        passed = to_date > threshold or (to_date == threshold and to_date > 0 and settings["bound"] == "lower-inclusive")
        return (to_date - prior) * settings["accelerated_rate" if passed else "rate"]
    below = min(to_date, threshold) - min(prior, threshold)
    return below * settings["rate"] + (to_date - prior - below) * settings["accelerated_rate"]


class Payee:
    """Everything about one payee of a company."""

    def __init__(self, company, payee, months):
        self.plan, self.payee, self.company, self.months = payee["plan"], payee, company, months
        # Day, id, measures, amount; in order of time.
        self.credits = []
        for deal in company["deals"]:
            whole = deal["amount"]
            if deal["currency"] != "USD":
                known = max(month for currency, month in company["rates"] if currency == deal["currency"] and month <= deal["day"].month - 1)
                whole = rounded(whole * company["rates"][deal["currency"], known], ("half-even", CENT))
            parts = {deal["payee"]: whole}
            if "splits" in deal:
                names = [name for name, _ in deal["splits"]]
                parts = dict(zip(names, shared_out(whole, [share for _, share in deal["splits"]], CENT)))
            if payee["id"] in parts and deal["day"] >= payee["from"]:
                self.credits.append((deal["day"], deal["id"], deal["tag"], parts[payee["id"]]))
        self.credits.sort()
        self.first = payee["from"].month - 1

    def counted(self, measure):
        return [own for own in self.credits if measure == "sales" or own[2] == "services"]

    def value(self, measure, start, end):
        return sum((own[3] for own in self.counted(measure) if start <= own[0].month - 1 < end), F(0))

    def within(self, measure, start, end):
        """Of the days from `start` up to and with `end`."""
        return sum((own[3] for own in self.counted(measure) if start <= own[0] <= end), F(0))

    def quota(self, measure, component, over, month, days=None, since=None):
        """Against the result of a span. `days` are those of the slice of the month that is looked at, `since` the day on which results
        started again."""
        start, end = span(over, month)
        is_to_date = component.get("quota_basis") == "to-date"
        if is_to_date:
            end = month + 1
        known = []
        for at in range(start, end):
            value = self.company["quotas"].get((self.payee["id"], measure, at))
            first, last = first_day(at), last_day(at)
            if over in ("quarter", "year") and since:
                if last < since:
                    continue
                first = max(first, since)
            if at == month and days:
                if over not in ("quarter", "year"):
                    first, last = days
                elif is_to_date:
                    last = days[1]
            if value is not None:
                known.append(self.part_of(component, at, value, first, last))
        return sum(known, F(0)) if known else None

    def part_of(self, component, month, quota, first, last):
        """By the days of the month, from `first` to `last`, on which the payee is assigned."""
        if component["prorate_quota"] is None:
            return quota
        days = (last - max(self.payee["from"], first)).days + 1
        all_days = (last_day(month) - first_day(month)).days + 1
        return rounded(quota * max(days, 0) / all_days, ("half-even", F(1, 10000)))

    def raised(self, component, amount):
        """To the floor."""
        floor = component["floor"]
        if not floor:
            return amount
        if "amount" not in floor and self.payee["target"] is None:
            return amount
        least = rounded(floor["amount"] if "amount" in floor else self.payee["target"] * floor["rate"], component["rounding"])
        if floor.get("on") == "all" or amount > 0:
            return max(amount, least)
        return min(amount, -least) if amount < 0 else amount

    def first_only(self, rows):
        """What is paid once a year; a return takes it back, and the next is the first again."""
        paid = F(0)
        for at, (month, name, amount, result, quota) in enumerate(rows):
            if result < 0:
                result = max(result, -paid)
            elif paid != 0:
                result = F(0)
            paid += result
            rows[at] = (month, name, amount, result, quota)
        return rows

    def after(self, component, month, amount):
        """Multipliers and gates."""
        for own in component["multipliers"]:
            over = component["accumulate"]
            value, quota = self.value(own["measure"], span(over, month)[0], month + 1), self.quota(own["measure"], component, over, month)
            factor = own["below"]
            if quota is not None and quota > 0:
                for step in own["steps"]:
                    if step["from"] <= value / quota:
                        factor = step["factor"]
            amount = rounded(amount * factor, component["rounding"])
        for gate in component["gates"]:
            over = gate["over"] or component["accumulate"]
            value, quota = self.value(gate["measure"], span(over, month)[0], month + 1), self.quota(gate["measure"], component, over, month)
            if gate["by"] == "attainment":
                is_open = quota is not None and quota > 0 and value >= quota * gate["at_least"]
            else:
                is_open = value >= gate["at_least"]
            if not is_open:
                amount = rounded(amount * gate.get("rate", F(0)), component["rounding"])
        return amount

    def in_versions(self, component):
        """The same for a plan of two versions: each day by the version that holds on it."""
        new = self.plan["next"]
        other = next(own for own in new["components"] if own["id"] == component["id"])
        accumulate, measure, target = component["accumulate"], component["measure"], self.payee["target"]
        # A payee who comes later knows the new version only.
        cut = new["from"]
        rows = []
        since_of = lambda day: cut if new["on_start"] == "restart" and day >= cut else None
        if accumulate == "transaction" or component.get("stacked"):
            before, at = F(0), None
            for day, name, _, amount in self.counted(measure):
                month = day.month - 1
                own, since = (other, since_of(day)) if day >= cut else (component, None)
                if accumulate == "transaction" or (span(accumulate, month), since) != at:
                    before, at = F(0), (span(accumulate, month), since)
                days = first_day(month), last_day(month)
                if days[0] < cut <= days[1]:
                    days = (cut, days[1]) if day >= cut else (days[0], cut - datetime.timedelta(days=1))
                quota = self.quota("sales", component, accumulate, month, days, since) if component["quota"] else None
                rows.append((month, name, rounded(formula(own, before, before + amount, quota, target), own["rounding"]), None))
                before += amount
        else:
            for month in range(self.first, self.months):
                days = first_day(month), last_day(month)
                slices = [days]
                if max(days[0], self.payee["from"]) < cut <= days[1]:
                    slices = [(days[0], cut - datetime.timedelta(days=1)), (cut, days[1])]
                total = F(0)
                for first, last in slices:
                    own = other if last >= cut and max(first, self.payee["from"]) >= cut else component
                    since = since_of(max(first, self.payee["from"]))
                    start = first_day(span(accumulate, month)[0])
                    if accumulate == "period":
                        start = first
                    elif since:
                        start = max(start, since)
                    prior = self.within(measure, start, first - datetime.timedelta(days=1))
                    to_date = self.within(measure, start, last)
                    quota = self.quota("sales", component, accumulate, month, (first, last), since) if component["quota"] else None
                    total += rounded(formula(own, prior, to_date, quota, target), own["rounding"])
                rows.append((month, None, total, None))
        return [(month, name, amount, amount, quota) for month, name, amount, quota in rows]

    def results(self, component):
        """Month, transaction, formula amount and result, one row a period or credit."""
        if "next" in self.plan:
            return self.in_versions(component)
        rows = []
        accumulate, measure = component["accumulate"], component["measure"]
        if accumulate == "transaction" or component.get("stacked"):
            before, at = F(0), None
            for day, name, _, amount in self.counted(measure):
                month = day.month - 1
                if accumulate == "transaction" or span(accumulate, month) != at:
                    before, at = F(0), span(accumulate, month)
                quota = self.quota("sales", component, accumulate, month) if component["quota"] else None
                exact = formula(component, before, before + amount, quota, self.payee["target"])
                before += amount
                rows.append((month, name, rounded(exact, component["rounding"]), quota))
        else:
            for month in range(self.first, self.months):
                start = span(accumulate, month)[0]
                to_date = self.value(measure, start, month + 1)
                prior = F(0) if component.get("true_up") else self.value(measure, start, month)
                quota = self.quota("sales", component, accumulate, month) if component["quota"] else None
                rows.append((month, None, rounded(formula(component, prior, to_date, quota, self.payee["target"]), component["rounding"]), quota))
        rows = [(month, name, amount, self.raised(component, self.after(component, month, amount)), quota) for month, name, amount, quota in rows]
        return self.first_only(rows) if component["once"] else rows

    def limit(self, cap, quota, rounding):
        if "amount" in cap:
            return cap["amount"]
        of = self.payee["target"] if cap["of"] == "target" else quota
        return None if of is None else rounded(of * cap["rate"], rounding)

    def earned(self, component):
        """Month, transaction, formula amount, amount, and what a refundable cap withholds."""
        rows, cap = [], component["cap"]
        wanted = given = withheld = before = F(0)
        at = before_at = None
        for month, name, amount, result, quota in self.results(component):
            own = result
            if component.get("true_up"):
                if before_at == span(component["accumulate"], month):
                    own = result - before
                before, before_at = result, span(component["accumulate"], month)
            kept = F(0)
            if cap:
                limit = self.limit(cap, quota, component["rounding"])
                here = (month, name, len(rows)) if cap["per"] == "transaction" else span(cap["per"], month)
                if here != at:
                    wanted, given, at = F(0), F(0), here
                if cap.get("refundable"):
                    all_of_it = withheld + own
                    out = all_of_it if limit is None else min(all_of_it, limit - given)
                    given += out
                    withheld = all_of_it - out
                    kept = own - out
                else:
                    wanted += own
                    allowed = wanted if limit is None else min(wanted, limit)
                    own, given = allowed - given, allowed
            rows.append((month, name, amount, own, kept))
        return rows

    def settle(self):
        """The earnings, and a statement for each month."""
        lines = {component["id"]: self.earned(component) for component in self.plan["components"]}
        earned, released = [F(0)] * 12, [F(0)] * 12
        for component in self.plan["components"]:
            for month, _, _, amount, kept in lines[component["id"]]:
                earned[month] += amount
                if not component["pay"]:
                    released[month] += amount - kept
                    continue
                left = amount - kept
                for place, part in enumerate(component["pay"]):
                    own = left if place + 1 == len(component["pay"]) else rounded((amount - kept) * part["share"], component["rounding"])
                    left -= own
                    count = part.get("installments", 1)
                    each = rounded(own / count, component["rounding"])
                    for number in range(count):
                        due = month + part["after_periods"] + number
                        if due < 12:
                            released[due] += own - each * (count - 1) if number + 1 == count else each
        cap = self.plan["cap"]
        if cap:
            wanted = given = F(0)
            at = None
            has_rows = {month for rows in lines.values() for month, *_ in rows}
            quotas = {}
            for month in sorted(has_rows):
                if span(cap["per"], month) != at:
                    wanted, given, at = F(0), F(0), span(cap["per"], month)
                limit = self.limit(cap, quotas.get(month), self.plan["components"][0]["rounding"])
                wanted += earned[month]
                allowed = wanted if limit is None else min(wanted, limit)
                cut = earned[month] - (allowed - given)
                given = allowed
                earned[month] -= cut
                released[month] -= cut
        touched = {month for rows in lines.values() for month, *_ in rows}
        for own in self.company["adjustments"]:
            if own["payee"] == self.payee["id"]:
                earned[own["month"]] += own["amount"]
                released[own["month"]] += own["amount"]
                touched.add(own["month"])
        statements, extra = self.statements(earned, released, touched)
        return lines, extra, statements

    def statements(self, earned, released, touched):
        """A negative rest is carried on; draws are recovered; then draws and guarantees pay: floors before what comes on top, guarantees
        before draws, then by id. Answers what guarantees and forgiven draws add to the earnings too. Where nothing moves in a month in
        which no component was looked at there is no statement."""
        extra = []
        draws = sorted(self.plan["draws"], key=lambda own: (own["pays"] == "on-top", own["recoverable"], own["id"]))
        owed = [F(0)] * len(draws)
        carried = held_balance = F(0)
        statements = {}
        for month in range(self.months):
            got = earned[month]
            rest = carried + released[month]
            minus = min(rest, F(0))
            change, carried = minus - carried, minus
            rest -= minus
            drawn = F(0)
            for at, draw in enumerate(draws):
                start = self.first + draw.get("recover_after", 0)
                end = start + draw["recover_for"] if "recover_for" in draw else None
                if draw["recoverable"] and owed[at] > 0 and start <= month and (end is None or month < end):
                    most = rest if "recover_share" not in draw else rounded(rest * draw["recover_share"], ("down", F(1, 10000)))
                    taken = min(owed[at], most)
                    owed[at] -= taken
                    rest -= taken
                    drawn += taken
                    if draw.get("at_end") == "forgive" and month + 1 == end:
                        extra.append((month, draw["id"], "forgiven", owed[at]))
                        got += owed[at]
                        drawn += owed[at]
                        owed[at] = F(0)
            for at, draw in enumerate(draws):
                amount = draw.get("amount")
                if "rate" in draw:
                    amount = None if self.payee["target"] is None else rounded(self.payee["target"] * draw["rate"], ("half-even", CENT))
                if amount is None or month < self.first or ("periods" in draw and month - self.first >= draw["periods"]):
                    continue
                pays = amount if draw["pays"] == "on-top" else max(amount - rest, F(0))
                rest += pays
                if draw["recoverable"]:
                    owed[at] += pays
                    drawn -= pays
                else:
                    extra.append((month, draw["id"], "guarantee", pays))
                    got += pays
            held = earned[month] - released[month]
            held_balance += held
            assert got == rest + held + change + drawn
            if month not in touched and not any([got, held, change, drawn, rest]):
                continue
            statements[month] = {"earned": got, "held": held, "carried": change + drawn, "drawn": drawn, "paid": rest,
                                 "held_balance": held_balance, "carried_balance": carried - sum(owed)}
        return statements, extra


# ----------------------------------------------------------------------------------------------------------------------- folders


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, F):
        return f'"{text(value)}"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(toml(own) for own in value) + "]"
    return "{ " + ", ".join(f"{key} = {toml(own)}" for key, own in value.items() if own is not None) + " }"


def component_toml(own):
    lines = ["[[components]]"]
    for key, value in own.items():
        if value is None or value == [] or value is False:
            continue
        if key == "rounding":
            value = {"mode": value[0], "step": value[1]}
        lines.append(f"{key} = {toml(value)}")
    return "\n".join(lines)


def csv(names, rows):
    return "\n".join([",".join(names)] + [",".join("" if own is None else str(own) for own in row) for row in rows]) + "\n"


def write(folder, company):
    files = {
        "company.toml": 'format = 1\nname = "Random"\ncurrency = "USD"\n\n[calendar]\npattern = "months"\nfirst = "2026-01-01"\nyears = 1\n\n'
        '[crediting]\nrules = [{ extension = "credit-split" }, { extension = "credit-direct" }]\n\n[[measures]]\nid = "sales"\n\n'
        '[[measures]]\nid = "services"\nwhere = [{ field = "tag", in = ["services"] }]\n',
        "payees.csv": csv(["payee_id"], [[own["id"]] for own in company["payees"]]),
        "plan_assignments.csv": csv(["payee_id", "plan_id", "from_on", "target"],
                                    [[own["id"], own["plan"]["id"], own["from"], None if own["target"] is None else text(own["target"])] for own in company["payees"]]),
        "quotas.csv": csv(["payee_id", "measure_id", "period_id", "amount"],
                          [[payee, measure, MONTHS[month], text(own)] for (payee, measure, month), own in company["quotas"].items()]),
        "transactions.csv": csv(["transaction_id", "kind", "ordered_on", "payee_id", "amount", "currency", "tag"],
                                [[own["id"], "order", own["day"], own["payee"], text(own["amount"]), own["currency"], own["tag"]] for own in company["deals"]]),
        "fx_rates.csv": csv(["kind", "currency", "from_on", "rate"],
                            [["spot", currency, first_day(month), text(rate)] for (currency, month), rate in company["rates"].items()]),
        "adjustments.csv": csv(["adjustment_id", "payee_id", "period_id", "amount", "reason"],
                               [[own["id"], own["payee"], MONTHS[own["month"]], text(own["amount"]), "goodwill"] for own in company["adjustments"]]),
        "splits.csv": csv(["transaction_id", "payee_id", "share"],
                          [[own["id"], name, text(share)] for own in company["deals"] for name, share in own.get("splits", [])]),
    }
    for plan in company["plans"]:
        head = [f'id = "{plan["id"]}"'] + ([f"cap = {toml(plan['cap'])}"] if plan["cap"] else [])
        draws = ["[[draws]]\n" + "\n".join(f"{key} = {toml(value)}" for key, value in own.items()) for own in plan["draws"]]
        if "next" in plan:
            new = plan["next"]
            lines = [f'id = "{plan["id"]}"', f'from = "{new["from"]}"', f'on_start = "{new["on_start"]}"']
            files[f"plans/{plan['id']}-next.toml"] = "\n\n".join(["\n".join(lines)] + [component_toml(own) for own in new["components"]] + draws) + "\n"
        files[f"plans/{plan['id']}.toml"] = "\n\n".join(["\n".join(head)] + [component_toml(own) for own in plan["components"]] + draws) + "\n"
    months = max([own["day"].month for own in company["deals"]] + [own["month"] + 1 for own in company["adjustments"]])
    earnings, statements = [], []
    for payee in company["payees"]:
        lines, extra, own = Payee(company, payee, months).settle()
        head = lambda month: [payee["id"], MONTHS[month], payee["plan"]["id"]]
        for component, rows in lines.items():
            for month, name, amount, paid, _ in rows:
                earnings.append(head(month) + [component, name, "formula", text(amount)] + ([] if company["has_plan_caps"] else [text(paid)]))
        for month, draw, kind, amount in extra:
            earnings.append(head(month) + [draw, None, kind, "0"] + ([] if company["has_plan_caps"] else [text(amount)]))
        for adjustment in company["adjustments"]:
            if adjustment["payee"] == payee["id"]:
                paid = [] if company["has_plan_caps"] else [text(adjustment["amount"])]
                earnings.append([payee["id"], MONTHS[adjustment["month"]], None, "adjustment", None, "adjustment", "0"] + paid)
        for month, statement in own.items():
            statements.append([payee["id"], MONTHS[month]] + [text(value) for value in statement.values()])
    names = ["payee_id", "period_id", "plan_id", "component_id", "transaction_id", "kind", "formula_amount"]
    files["expected/statements.csv"] = csv(["payee_id", "period_id", "earned", "held", "carried", "drawn", "paid", "held_balance", "carried_balance"], statements)
    # How a cap on a whole plan is shared out is not the oracle's business.
    files["expected/earnings.csv"] = csv(names + ([] if company["has_plan_caps"] else ["amount"]), earnings)
    for path, content in files.items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    return {"statements": len(statements), "earnings": len(earnings), "payees": len(company["payees"])}


def main():
    attain = sys.argv[1]
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    keep = os.environ.get("ATTAIN_ORACLE_KEEP")
    count = collections.Counter()
    differing = []
    numbers = range((wanted + PLANS_IN_A_COMPANY - 1) // PLANS_IN_A_COMPANY)
    for start in range(0, len(numbers), FOLDERS_AT_ONCE):
        with tempfile.TemporaryDirectory() as scratch:
            root = keep or scratch
            folders = []
            for number in numbers[start : start + FOLDERS_AT_ONCE]:
                folder = os.path.join(root, f"{seed}-{number}")
                count.update(write(folder, Maker(f"{seed}-{number}").company()))
                count["plans"] += PLANS_IN_A_COMPANY
                folders.append(folder)
            run = subprocess.run([attain, "--json", "test", *folders], capture_output=True, text=True)
            try:
                cases = json.loads(run.stdout)["cases"]
            except (ValueError, KeyError):
                print(run.stdout[-2000:], run.stderr[-2000:], file=sys.stderr)
                return 1
            count["companies"] += len(cases)
            for case in cases:
                for problem in case["problems"]:
                    differing.append((case["folder"], problem))
                for own in case["differences"]:
                    differing.append((case["folder"], f"{own['table']} {own['key']}: {own['column']} is {own['actual']}, the oracle says {own['expected']}"))
    for folder, what in differing[:40]:
        print(f"{os.path.basename(folder)}: {what}", file=sys.stderr)
    print(f"oracle: {count['plans']} plans of {count['payees']} payees in {count['companies']} companies from seed {seed}: "
          f"{count['statements']} statements and {count['earnings']} earnings; {len(differing)} differences")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
