//! Who may do what to whom. A role gives the action, the effective-dated hierarchy gives whom; both are needed.
//!
//! To add an action: add it to [`Action`] and to the roles that have it in [`GIVEN`], then correct the golden table of routes.

use crate::refusal::Refusal;
use attain_domain::table::{NULL_NUMBER, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Seller,
    Manager,
    CompAdmin,
    Finance,
    Auditor,
    /// Runs the server; sees no pay.
    Platform,
}

impl Role {
    pub const ALL: [Role; 6] = [Role::Seller, Role::Manager, Role::CompAdmin, Role::Finance, Role::Auditor, Role::Platform];

    pub fn name(self) -> &'static str {
        match self {
            Role::Seller => "seller",
            Role::Manager => "manager",
            Role::CompAdmin => "comp-admin",
            Role::Finance => "finance",
            Role::Auditor => "auditor",
            Role::Platform => "platform",
        }
    }

    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What a person can do. A token may be limited to some of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    SeeOwnPay,
    SeeTeamPay,
    SeeAllPay,
    /// Ask about a line of a statement that one may see.
    Ask,
    AnswerQuestions,
    SeeRules,
    /// Draft and submit changes of formulas, plans and other objects that move money.
    DraftChanges,
    /// Approve what somebody else submitted.
    ApproveChanges,
    SeeRuns,
    Calculate,
    SeeData,
    Import,
    Plan,
    SeeExtensions,
    ManageExtensions,
    SeeAudit,
    SeeJobs,
    ManageJobs,
    ManageUsers,
    SeePayouts,
    /// Draft, review, approve, export and confirm payouts.
    ManagePayouts,
}

impl Action {
    pub const ALL: [Action; 21] = [
        Action::SeeOwnPay,
        Action::SeeTeamPay,
        Action::SeeAllPay,
        Action::Ask,
        Action::AnswerQuestions,
        Action::SeeRules,
        Action::DraftChanges,
        Action::ApproveChanges,
        Action::SeeRuns,
        Action::Calculate,
        Action::SeeData,
        Action::Import,
        Action::Plan,
        Action::SeeExtensions,
        Action::ManageExtensions,
        Action::SeeAudit,
        Action::SeeJobs,
        Action::ManageJobs,
        Action::ManageUsers,
        Action::SeePayouts,
        Action::ManagePayouts,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Action::SeeOwnPay => "see-own-pay",
            Action::SeeTeamPay => "see-team-pay",
            Action::SeeAllPay => "see-all-pay",
            Action::Ask => "ask",
            Action::AnswerQuestions => "answer-questions",
            Action::SeeRules => "see-rules",
            Action::DraftChanges => "draft-changes",
            Action::ApproveChanges => "approve-changes",
            Action::SeeRuns => "see-runs",
            Action::Calculate => "calculate",
            Action::SeeData => "see-data",
            Action::Import => "import",
            Action::Plan => "plan",
            Action::SeeExtensions => "see-extensions",
            Action::ManageExtensions => "manage-extensions",
            Action::SeeAudit => "see-audit",
            Action::SeeJobs => "see-jobs",
            Action::ManageJobs => "manage-jobs",
            Action::ManageUsers => "manage-users",
            Action::SeePayouts => "see-payouts",
            Action::ManagePayouts => "manage-payouts",
        }
    }

    pub fn from_name(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// What each role may do.
const GIVEN: &[(Role, &[Action])] = &[
    (Role::Seller, &[Action::SeeOwnPay, Action::Ask]),
    (Role::Manager, &[Action::SeeOwnPay, Action::SeeTeamPay, Action::Ask]),
    (
        Role::CompAdmin,
        &[
            Action::SeeAllPay,
            Action::Ask,
            Action::AnswerQuestions,
            Action::SeeRules,
            Action::DraftChanges,
            Action::ApproveChanges,
            Action::SeeRuns,
            Action::Calculate,
            Action::SeeData,
            Action::Import,
            Action::Plan,
            Action::SeeExtensions,
            Action::ManageExtensions,
            Action::SeeAudit,
            Action::SeeJobs,
            Action::ManageJobs,
            Action::SeePayouts,
            Action::ManagePayouts,
        ],
    ),
    (
        Role::Finance,
        &[
            Action::SeeAllPay,
            Action::Ask,
            Action::AnswerQuestions,
            Action::SeeRules,
            Action::ApproveChanges,
            Action::SeeRuns,
            Action::Calculate,
            Action::SeeData,
            Action::SeeExtensions,
            Action::SeeAudit,
            Action::SeeJobs,
            Action::SeePayouts,
            Action::ManagePayouts,
        ],
    ),
    (
        Role::Auditor,
        &[
            Action::SeeAllPay,
            Action::SeeRules,
            Action::SeeRuns,
            Action::SeeData,
            Action::SeeExtensions,
            Action::SeeAudit,
            Action::SeeJobs,
            Action::SeePayouts,
        ],
    ),
    (Role::Platform, &[Action::SeeExtensions, Action::ManageExtensions, Action::SeeJobs, Action::ManageJobs, Action::ManageUsers]),
];

/// A person, or a token of hers, who asks for something. Everything that is done is done as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: String,
    pub name: String,
    /// The payee that this person is; most admins are none.
    pub payee_id: Option<String>,
    pub roles: BTreeSet<Role>,
    actions: BTreeSet<Action>,
}

impl Caller {
    /// `scopes` are the actions that a token is limited to; `None` for all that the roles give.
    pub fn new(
        user_id: &str,
        name: &str,
        payee_id: Option<&str>,
        roles: impl IntoIterator<Item = Role>,
        scopes: Option<&[Action]>,
    ) -> Caller {
        let roles: BTreeSet<Role> = roles.into_iter().collect();
        let given = GIVEN.iter().filter(|(role, _)| roles.contains(role)).flat_map(|(_, actions)| actions.iter().copied());
        let actions = given.filter(|action| scopes.is_none_or(|scopes| scopes.contains(action))).collect();
        Caller { user_id: user_id.to_owned(), name: name.to_owned(), payee_id: payee_id.map(str::to_owned), roles, actions }
    }

    /// Whoever can start the program on the machine of the record.
    pub fn operator(name: &str) -> Caller {
        Caller {
            user_id: name.to_owned(),
            name: name.to_owned(),
            payee_id: None,
            roles: Role::ALL.into_iter().collect(),
            actions: Action::ALL.into_iter().collect(),
        }
    }

    pub fn may(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.actions.iter().copied()
    }

    /// Refuses where the caller may not do that.
    pub fn require(&self, action: Action) -> Result<(), Refusal> {
        if self.may(action) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("this needs the permission `{}`; ask an administrator for a role that has it", action.name())))
    }

    /// Refuses where the caller may do none of these.
    pub fn require_one(&self, actions: &[Action]) -> Result<(), Refusal> {
        if actions.iter().any(|action| self.may(*action)) {
            return Ok(());
        }
        let names: Vec<&str> = actions.iter().map(|action| action.name()).collect();
        Err(Refusal::forbidden(format!("this needs one of the permissions {}", names.join(", "))))
    }
}

/// A half-open span of days, `until` excluded.
type Span = (i64, i64);

/// Whose pay a caller may see, and of which days. Made by [`Hierarchy::visible_to`] alone, so that no pay is read without one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visible {
    all: bool,
    /// By payee; the spans may overlap.
    spans: BTreeMap<String, Vec<Span>>,
}

impl Visible {
    /// Whether the payee's pay of the days from `from` up to `until` is visible: a manager sees a period in which the payee
    /// reported to her, directly or not, on at least one day.
    pub fn sees(&self, payee_id: &str, from: attain_domain::Day, until: attain_domain::Day) -> bool {
        self.all
            || self
                .spans
                .get(payee_id)
                .is_some_and(|spans| spans.iter().any(|(start, end)| *start < i64::from(until.0) && i64::from(from.0) < *end))
    }

    /// Whether anything of the payee is visible; what is not must look as if it did not exist.
    pub fn knows(&self, payee_id: &str) -> bool {
        self.all || self.spans.contains_key(payee_id)
    }

    pub fn is_all(&self) -> bool {
        self.all
    }

    /// The payees of whom something is visible; `None` for all.
    pub fn payees(&self) -> Option<impl Iterator<Item = &str>> {
        (!self.all).then(|| self.spans.keys().map(String::as_str))
    }
}

/// Who sat where and who reported to whom, for walking down.
#[derive(Debug, Default)]
pub struct Hierarchy {
    /// Position to the positions that report to it, with the days on which they do.
    below: BTreeMap<String, Vec<(String, Span)>>,
    /// Position to those it reports to.
    above: BTreeMap<String, Vec<(String, Span)>>,
    /// Position to its payees.
    occupants: BTreeMap<String, Vec<(String, Span)>>,
    /// Payee to her positions.
    seats: BTreeMap<String, Vec<(String, Span)>>,
}

fn holds(span: Span, day: attain_domain::Day) -> bool {
    span.0 <= i64::from(day.0) && i64::from(day.0) < span.1
}

fn meet(left: Span, right: Span) -> Option<Span> {
    let both = (left.0.max(right.0), left.1.min(right.1));
    (both.0 < both.1).then_some(both)
}

fn spans_of(table: &Table, key: &str, value: &str) -> Vec<(String, String, Span)> {
    let (Some(keys), Some(values), Some(from)) = (table.texts(key), table.texts(value), table.numbers("from_on")) else {
        return Vec::new();
    };
    let until = table.numbers("until_on");
    (0..table.row_count())
        .filter_map(|row| {
            let end = until.map_or(NULL_NUMBER, |until| until[row]);
            let end = if end == NULL_NUMBER { i64::MAX } else { end };
            Some((keys.get(row)?.to_owned(), values.get(row)?.to_owned(), (from[row], end)))
        })
        .collect()
}

impl Hierarchy {
    /// From the entities `hierarchy` and `occupancies`.
    pub fn new(hierarchy: &Table, occupancies: &Table) -> Hierarchy {
        let mut known = Hierarchy::default();
        for (position, manager, span) in spans_of(hierarchy, "position_id", "manager_position_id") {
            known.above.entry(position.clone()).or_default().push((manager.clone(), span));
            known.below.entry(manager).or_default().push((position, span));
        }
        for (position, payee, span) in spans_of(occupancies, "position_id", "payee_id") {
            known.seats.entry(payee.clone()).or_default().push((position.clone(), span));
            known.occupants.entry(position).or_default().push((payee, span));
        }
        known
    }

    /// What the caller may see: all with `see-all-pay`, her own with `see-own-pay`, her reports' days with `see-team-pay`.
    pub fn visible_to(&self, caller: &Caller) -> Visible {
        let mut visible = Visible { all: caller.may(Action::SeeAllPay), spans: BTreeMap::new() };
        let Some(payee) = caller.payee_id.as_deref().filter(|_| !visible.all) else { return visible };
        if caller.may(Action::SeeOwnPay) {
            visible.spans.entry(payee.to_owned()).or_default().push((i64::MIN, i64::MAX));
        }
        if caller.may(Action::SeeTeamPay) {
            for (position, span) in self.seats.get(payee).into_iter().flatten() {
                self.descend(position, *span, &mut vec![position.as_str()], &mut visible.spans);
            }
        }
        visible
    }

    /// The position of a payee on a day; the first by name where she has several.
    pub fn seat_on(&self, payee_id: &str, day: attain_domain::Day) -> Option<&str> {
        let seats = self.seats.get(payee_id)?.iter().filter(|(_, span)| holds(*span, day));
        seats.map(|(position, _)| position.as_str()).min()
    }

    /// Whom a payee reports to on a day; the first by name where there are several.
    pub fn boss_on(&self, payee_id: &str, day: attain_domain::Day) -> Option<&str> {
        let managers = self.above.get(self.seat_on(payee_id, day)?)?.iter().filter(|(_, span)| holds(*span, day));
        managers
            .flat_map(|(position, _)| self.occupants.get(position).into_iter().flatten())
            .filter(|(_, span)| holds(*span, day))
            .map(|(payee, _)| payee.as_str())
            .min()
    }

    /// The payees who report to `payee_id` directly on a day, without herself.
    pub fn direct_reports(&self, payee_id: &str, day: attain_domain::Day) -> BTreeSet<String> {
        let on = |span: &Span| holds(*span, day);
        let mut reports = BTreeSet::new();
        for (seat, _) in self.seats.get(payee_id).into_iter().flatten().filter(|(_, span)| on(span)) {
            for (position, _) in self.below.get(seat).into_iter().flatten().filter(|(_, span)| on(span)) {
                reports.extend(
                    self.occupants.get(position).into_iter().flatten().filter(|(_, span)| on(span)).map(|(payee, _)| payee.clone()),
                );
            }
        }
        reports.remove(payee_id);
        reports
    }

    fn descend<'a>(&'a self, position: &str, span: Span, path: &mut Vec<&'a str>, found: &mut BTreeMap<String, Vec<Span>>) {
        for (below, own) in self.below.get(position).into_iter().flatten() {
            // A circle cannot be loaded, but must not hang the server either.
            let Some(both) = meet(span, *own).filter(|_| !path.contains(&below.as_str())) else { continue };
            for (payee, seated) in self.occupants.get(below).into_iter().flatten() {
                if let Some(days) = meet(both, *seated) {
                    found.entry(payee.clone()).or_default().push(days);
                }
            }
            path.push(below);
            self.descend(below, both, path, found);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests;
