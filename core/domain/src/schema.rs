//! The list of entities of a company: one entry is one CSV file, one SQL table and one kind of record.
//!
//! To add an entity: add it to [`ENTITIES`] (referenced entities first), add its table to `migrations/`, and describe its
//! file in `docs/company-folder.md`. Loading, comparing, applying, exporting and pinning follow from the entry.

use crate::fixed::{MONEY_SCALE, RATE_SCALE};

/// What a field holds and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of 1 to 500 characters without control characters.
    Text,
    /// An identifier: 1 to 100 characters, no surrounding space, no control characters.
    Id,
    /// An identifier of a record of the named entity.
    Reference(&'static str),
    /// One of the words listed.
    Choice(&'static [&'static str]),
    /// A day, `YYYY-MM-DD`; stored as days since 1970-01-01.
    Day,
    /// An amount or a quantity with up to four digits after the point; stored as 10⁻⁴.
    Money,
    /// A rate, share or coordinate with up to eight digits after the point; stored as 10⁻⁸.
    Rate,
    /// `true` or `false`; stored as 1 or 0.
    Flag,
}

impl Kind {
    /// The scale of the number column that holds it; `None` for text.
    pub fn scale(self) -> Option<u8> {
        match self {
            Kind::Text | Kind::Id | Kind::Reference(_) | Kind::Choice(_) => None,
            Kind::Day | Kind::Flag => Some(0),
            Kind::Money => Some(MONEY_SCALE),
            Kind::Rate => Some(RATE_SCALE),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// How much of an entity a calculation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Pinned as an input of runs.
    Calculation,
    /// Personal data; never an input.
    Personal,
    /// Planning and pipeline; pinned by planning jobs.
    Planning,
}

/// One kind of record. The first `key_count` fields identify a record; the file is `<name>.csv`, the table `<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    pub name: &'static str,
    pub key_count: usize,
    pub fields: &'static [Field],
    pub used_by: Use,
    /// Where `from_on` and `until_on` exist: the leading key fields for which spans may not overlap. 0 for no such rule.
    pub exclusive_by: usize,
}

impl Entity {
    pub fn key(&self) -> &'static [Field] {
        &self.fields[..self.key_count]
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

pub fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

const fn need(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

use Kind::{Choice, Day, Flag, Id, Money, Rate, Reference, Text};

/// All entities; one that refers to another comes after it.
pub const ENTITIES: &[Entity] = &[
    Entity {
        name: "payees",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("payee_id", Id), may("kind", Choice(&["person", "partner"])), may("hired_on", Day), may("left_on", Day)],
    },
    Entity {
        name: "people",
        key_count: 1,
        used_by: Use::Personal,
        exclusive_by: 0,
        fields: &[need("payee_id", Reference("payees")), need("name", Text), may("email", Text)],
    },
    Entity {
        name: "positions",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("position_id", Id), may("title", Text), may("role", Text)],
    },
    Entity {
        name: "occupancies",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 1,
        fields: &[
            need("position_id", Reference("positions")),
            need("payee_id", Reference("payees")),
            need("from_on", Day),
            may("until_on", Day),
        ],
    },
    Entity {
        name: "hierarchy",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 1,
        fields: &[
            need("position_id", Reference("positions")),
            need("from_on", Day),
            need("manager_position_id", Reference("positions")),
            may("until_on", Day),
        ],
    },
    Entity {
        name: "families",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("family_id", Id), may("parent_id", Reference("families")), may("name", Text)],
    },
    Entity {
        name: "products",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("product_id", Id), may("name", Text), may("family_id", Reference("families"))],
    },
    Entity {
        name: "territories",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("territory_id", Id), may("parent_id", Reference("territories")), may("name", Text)],
    },
    Entity {
        name: "accounts",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("account_id", Id),
            may("name", Text),
            may("industry", Text),
            may("segment", Text),
            may("country", Text),
            may("state", Text),
            may("city", Text),
            may("postal_code", Text),
            may("latitude", Rate),
            may("longitude", Rate),
            may("potential", Money),
            may("workload", Money),
            may("locked", Flag),
        ],
    },
    Entity {
        name: "account_attributes",
        key_count: 2,
        used_by: Use::Planning,
        exclusive_by: 0,
        fields: &[need("account_id", Reference("accounts")), need("name", Id), need("value", Text)],
    },
    Entity {
        name: "account_territories",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 1,
        fields: &[
            need("account_id", Reference("accounts")),
            need("from_on", Day),
            need("territory_id", Reference("territories")),
            may("until_on", Day),
        ],
    },
    // Who covers what, in which role (`owner`, `overlay`, ...). Empty conditions match everything.
    Entity {
        name: "coverage",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("coverage_id", Id),
            need("position_id", Reference("positions")),
            need("role", Id),
            may("territory_id", Reference("territories")),
            may("account_id", Reference("accounts")),
            may("family_id", Reference("families")),
            need("from_on", Day),
            may("until_on", Day),
        ],
    },
    // `rate` is company currency for one unit of `currency`; it holds from `from_on` until the next row of its kind.
    Entity {
        name: "fx_rates",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("kind", Choice(&["spot", "average", "plan"])), need("currency", Id), need("from_on", Day), need("rate", Rate)],
    },
    Entity {
        name: "transactions",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("transaction_id", Id),
            need("kind", Choice(&["order", "invoice", "payment", "return", "cancellation"])),
            need("ordered_on", Day),
            may("booked_on", Day),
            may("invoiced_on", Day),
            may("paid_on", Day),
            may("received_on", Day),
            may("account_id", Reference("accounts")),
            may("product_id", Reference("products")),
            need("amount", Money),
            need("currency", Id),
            may("quantity", Money),
            may("cost", Money),
            may("discount", Rate),
            may("payee_id", Reference("payees")),
            may("tag", Id),
            may("reverses_id", Id),
        ],
    },
    // Explicit shares of a transaction; without rows the transaction is not split.
    Entity {
        name: "splits",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("transaction_id", Reference("transactions")), need("payee_id", Reference("payees")), need("share", Rate)],
    },
    Entity {
        name: "quotas",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("payee_id", Reference("payees")), need("measure_id", Id), need("period_id", Id), need("amount", Money)],
    },
    // `target` is the variable pay per period at 100 % attainment.
    Entity {
        name: "plan_assignments",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 2,
        fields: &[
            need("payee_id", Reference("payees")),
            need("plan_id", Id),
            need("from_on", Day),
            may("until_on", Day),
            may("target", Money),
        ],
    },
    // Values of one payee that a formula reads as `params.<name>`.
    Entity {
        name: "parameters",
        key_count: 4,
        used_by: Use::Calculation,
        exclusive_by: 3,
        fields: &[
            need("payee_id", Reference("payees")),
            need("plan_id", Id),
            need("name", Id),
            need("from_on", Day),
            may("until_on", Day),
            need("value", Rate),
        ],
    },
    // `receipts` are payments of the customer for a transaction, in the transaction's currency; parts of it where there are several.
    Entity {
        name: "receipts",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("receipt_id", Id),
            need("transaction_id", Reference("transactions")),
            need("received_on", Day),
            need("amount", Money),
        ],
    },
    // The state of a period of the calendar; one without a row is open.
    Entity {
        name: "periods",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("period_id", Id), need("state", Choice(&["open", "in-review", "approved", "closed"]))],
    },
    // Amounts by hand, earned in a period beside what the plans pay.
    Entity {
        name: "adjustments",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("adjustment_id", Id),
            need("payee_id", Reference("payees")),
            need("period_id", Id),
            need("amount", Money),
            need("reason", Id),
            may("note", Text),
            may("plan_id", Id),
            may("component_id", Id),
            may("transaction_id", Reference("transactions")),
            may("dispute_id", Id),
        ],
    },
    // What is earned but not paid yet: of a payee, a transaction, a plan or a component; at least one of them is named.
    Entity {
        name: "holds",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("hold_id", Id),
            may("payee_id", Reference("payees")),
            may("transaction_id", Reference("transactions")),
            may("plan_id", Id),
            may("component_id", Id),
            need("from_on", Day),
            may("until_on", Day),
            may("share", Rate),
            need("reason", Id),
        ],
    },
    // Credit given by hand: a share of a transaction, beside what rules give (`add`) or in place of it (`replace`).
    Entity {
        name: "manual_credits",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("credit_id", Id),
            need("transaction_id", Reference("transactions")),
            need("payee_id", Reference("payees")),
            need("kind", Choice(&["direct", "split", "overlay"])),
            need("mode", Choice(&["add", "replace"])),
            need("share", Rate),
            need("reason", Id),
            may("note", Text),
        ],
    },
    // Who stands beside a position under a name of the company's own: engineer, mentor, partner.
    Entity {
        name: "relationships",
        key_count: 4,
        used_by: Use::Calculation,
        exclusive_by: 3,
        fields: &[
            need("position_id", Reference("positions")),
            need("name", Id),
            need("payee_id", Reference("payees")),
            need("from_on", Day),
            may("until_on", Day),
            may("share", Rate),
        ],
    },
    // Who owned a deal in which of its stages; a stage lasts until the next one was entered.
    Entity {
        name: "transaction_stages",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("transaction_id", Reference("transactions")),
            need("stage", Id),
            need("entered_on", Day),
            need("payee_id", Reference("payees")),
        ],
    },
    Entity { name: "teams", key_count: 1, used_by: Use::Calculation, exclusive_by: 0, fields: &[need("team_id", Id), may("name", Text)] },
    Entity {
        name: "team_members",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 2,
        fields: &[
            need("team_id", Reference("teams")),
            need("payee_id", Reference("payees")),
            need("from_on", Day),
            may("until_on", Day),
            may("share", Rate),
        ],
    },
    // Objectives agreed with a payee (MBO, KSO): weight, and how far it was reached.
    Entity {
        name: "objectives",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("payee_id", Reference("payees")),
            need("period_id", Id),
            need("objective_id", Id),
            may("plan_id", Id),
            need("weight", Rate),
            may("score", Rate),
            may("text", Text),
        ],
    },
    Entity {
        name: "leaves",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 1,
        fields: &[
            need("payee_id", Reference("payees")),
            need("from_on", Day),
            may("until_on", Day),
            need("kind", Id),
            may("quota_relief", Rate),
            may("target_relief", Rate),
        ],
    },
    // Who is on a plan without being named: whoever holds a position, has a role or is in a team. A payee's own assignment goes first.
    Entity {
        name: "plan_rules",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("rule_id", Id),
            need("plan_id", Id),
            may("position_id", Reference("positions")),
            may("role", Id),
            may("team_id", Reference("teams")),
            need("from_on", Day),
            may("until_on", Day),
            may("target", Money),
        ],
    },
    // A value of a plan that is another one for one payee: `path` leads to it, for example `commission.settings.rate`.
    Entity {
        name: "plan_overrides",
        key_count: 4,
        used_by: Use::Calculation,
        exclusive_by: 3,
        fields: &[
            need("payee_id", Reference("payees")),
            need("plan_id", Id),
            need("path", Id),
            need("from_on", Day),
            may("until_on", Day),
            need("value", Text),
            may("reason", Text),
        ],
    },
    Entity {
        name: "pay_groups",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[need("pay_group_id", Id), may("name", Text), may("currency", Id)],
    },
    Entity {
        name: "pay_group_members",
        key_count: 2,
        used_by: Use::Calculation,
        exclusive_by: 1,
        fields: &[
            need("payee_id", Reference("payees")),
            need("from_on", Day),
            need("pay_group_id", Reference("pay_groups")),
            may("until_on", Day),
        ],
    },
    // Contracts whose cost to obtain is spread over their life (ASC 340-40).
    Entity {
        name: "contracts",
        key_count: 1,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("contract_id", Id),
            may("account_id", Reference("accounts")),
            may("transaction_id", Reference("transactions")),
            may("renews_id", Reference("contracts")),
            need("start_on", Day),
            need("life_months", Money),
            may("cost", Money),
        ],
    },
    Entity {
        name: "contract_events",
        key_count: 3,
        used_by: Use::Calculation,
        exclusive_by: 0,
        fields: &[
            need("contract_id", Reference("contracts")),
            need("happened_on", Day),
            need("kind", Choice(&["churn", "estimate"])),
            may("life_months", Money),
        ],
    },
    Entity {
        name: "opportunities",
        key_count: 1,
        used_by: Use::Planning,
        exclusive_by: 0,
        fields: &[
            need("opportunity_id", Id),
            may("account_id", Reference("accounts")),
            may("payee_id", Reference("payees")),
            may("product_id", Reference("products")),
            need("stage", Id),
            need("outcome", Choice(&["open", "won", "lost"])),
            need("amount", Money),
            need("currency", Id),
            need("created_on", Day),
            may("close_on", Day),
        ],
    },
    Entity {
        name: "stage_history",
        key_count: 3,
        used_by: Use::Planning,
        exclusive_by: 0,
        fields: &[need("opportunity_id", Reference("opportunities")), need("entered_on", Day), need("stage", Id)],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_refers_only_to_entities_before_it_or_itself() {
        for (index, entity) in ENTITIES.iter().enumerate() {
            for field in entity.fields {
                if let Kind::Reference(target) = field.kind {
                    assert!(ENTITIES[..=index].iter().any(|known| known.name == target), "{}.{}", entity.name, field.name);
                }
            }
            assert!(entity.key().iter().all(|field| field.required), "{}: key fields are required", entity.name);
        }
    }
}
