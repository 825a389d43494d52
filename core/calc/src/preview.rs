//! Who would be credited for one transaction, and why: the stages `resolve` and `credit` on that transaction alone, with the paths
//! that lead to everybody.

use crate::book::{Book, NO_PERIOD};
use crate::credits::{Credits, NO_CHAIN};
use crate::hierarchy::days_of;
use crate::names::{numbers, texts};
use crate::{Inputs, Run, STAGES, house};
use attain_domain::plan::CreditKind;
use attain_domain::point::Extensions;
use attain_domain::{Finding, NULL_CODE};

/// The first stage that does not matter here.
const FIRST_AFTER: &str = "measure";

/// What leads to a payee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    Coverage {
        coverage_id: String,
        position_id: String,
        role: String,
    },
    Split,
    /// The transaction names her.
    Payee,
    Stage {
        stage: String,
    },
    Relationship {
        name: String,
        of_payee_id: String,
    },
    /// Payees from the one who is credited up to the one below her.
    Hierarchy {
        from: Vec<String>,
    },
    House,
    Manual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewCredit {
    pub payee_id: String,
    pub kind: CreditKind,
    pub rule: String,
    pub amount: i64,
    pub share: i64,
    pub origin_payee_id: String,
    pub via: Vec<Path>,
}

/// Why somebody who is near is not credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyNot {
    /// She has a claim, but no rule gives credit for it.
    NoRule,
    /// Another has a claim of the same role and is credited.
    AnotherCameFirst,
    NotYet,
    NoLonger,
    Vacant,
    OtherAccount,
    OtherTerritory,
    OtherFamily,
    /// The house keeps the transaction.
    House,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotCredited {
    /// `None` where the position is vacant.
    pub payee_id: Option<String>,
    pub via: Path,
    pub why: Vec<WhyNot>,
}

#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Whether the rules answered; otherwise the findings say why not.
    pub complete: bool,
    pub findings: Vec<Finding>,
    /// `None` where the transaction is set aside.
    pub period_id: Option<String>,
    pub territory_id: Option<String>,
    /// In company currency.
    pub amount: i64,
    pub is_house: bool,
    pub is_windfall: bool,
    pub credits: Vec<PreviewCredit>,
    pub not_credited: Vec<NotCredited>,
}

/// Looks at the only transaction of the inputs. Of rows of coverage that do not match those are told that lack one thing, or all of
/// the payee `about`.
pub fn preview(inputs: &Inputs, extensions: &dyn Extensions, about: Option<&str>) -> Preview {
    let mut run = Run::new(inputs, extensions);
    let end = STAGES.iter().position(|stage| stage.name == FIRST_AFTER).expect("the stage is in the list");
    run.pass(&STAGES[..end], &mut |_| {});
    let (book, credits) = (run.book.clone(), run.credits.clone());
    let complete = run.findings.complete();
    let mut preview = Preview { complete, findings: run.findings.finish(), ..Preview::default() };
    if book.transactions.len() != 1 || book.transactions.period[0] == NO_PERIOD {
        return preview;
    }
    let name = |names: &crate::names::Names, code: u32| (code != NULL_CODE).then(|| names.get(code).to_owned());
    preview.period_id = book.calendar.periods.get(usize::from(book.transactions.period[0])).map(|period| period.id.0.clone());
    preview.territory_id = name(&book.territories.names, book.transactions.territory[0]);
    preview.amount = book.transactions.amount[0];
    preview.is_house = book.house(0).is_some();
    preview.is_windfall = !credits.windfall.is_empty();
    let rows = coverage(inputs, &book);
    let paths = paths(&book, &rows);
    preview.credits = credited(&book, &credits, &paths);
    preview.not_credited = not_credited(&book, &credits, &paths, &rows, about);
    preview
}

/// One row of coverage as it stands to the transaction; matching rows lack nothing.
struct Row {
    path: Path,
    payee: u32,
    lacks: Vec<WhyNot>,
    /// Whether a condition on account or territory holds.
    is_placed: bool,
}

/// All rows of coverage, in order of their id.
fn coverage(inputs: &Inputs, book: &Book) -> Vec<Row> {
    let table = inputs.table("coverage");
    let column = |name: &str| texts(table, name);
    let (ids, positions, roles) = (column("coverage_id"), column("position_id"), column("role"));
    let (accounts, territories, families) = (column("account_id"), column("territory_id"), column("family_id"));
    let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
    let day = book.transactions.tested_on[0];
    let account = book.transactions.account.get(0);
    let territory = book.territories.lineage(book.transactions.territory[0]);
    let family = book.families.lineage(book.family(0));
    let mut order: Vec<usize> = (0..table.row_count()).collect();
    order.sort_by(|left, right| ids.get(*left).cmp(&ids.get(*right)));
    let mut rows = Vec::new();
    for row in order {
        let Some((from, until)) = days_of(from_on, until_on, row) else { continue };
        let mut lacks = Vec::new();
        if day < from {
            lacks.push(WhyNot::NotYet);
        } else if day >= until {
            lacks.push(WhyNot::NoLonger);
        }
        let mut is_placed = false;
        let mut test = |wanted: Option<bool>, lack: WhyNot, places: bool| match wanted {
            Some(false) => lacks.push(lack),
            Some(true) => is_placed |= places,
            None => {}
        };
        test(accounts.get(row).map(|id| book.accounts.code(id) == account), WhyNot::OtherAccount, true);
        test(territories.get(row).map(|id| territory.contains(&book.territories.names.code(id))), WhyNot::OtherTerritory, true);
        test(families.get(row).map(|id| family.contains(&book.families.names.code(id))), WhyNot::OtherFamily, false);
        let position = book.hierarchy.positions.code_of(positions.get(row));
        let payee = book.hierarchy.occupant(position, day);
        if payee == NULL_CODE {
            lacks.push(WhyNot::Vacant);
        }
        let text = |column: &attain_domain::TextColumn| column.get(row).unwrap_or_default().to_owned();
        let path = Path::Coverage { coverage_id: text(ids), position_id: text(positions), role: text(roles) };
        rows.push(Row { path, payee, lacks, is_placed });
    }
    rows
}

/// Role, payee and path of each claim, in their order.
fn paths(book: &Book, rows: &[Row]) -> Vec<(u16, u32, Path)> {
    let mut matching = rows.iter().filter(|row| row.lacks.is_empty());
    let details = &book.claims.details;
    book.claims
        .of(0)
        .map(|claim| {
            let (role, payee) = (book.claims.role[claim], book.claims.payee[claim]);
            let role_name = book.roles.get(u32::from(role));
            let detail = |column: &[u32]| column.get(claim).copied().unwrap_or(NULL_CODE);
            let of_payee = detail(&details.of_payee);
            let path = if of_payee != NULL_CODE {
                Path::Relationship { name: role_name.to_owned(), of_payee_id: book.payees.get(of_payee).to_owned() }
            } else if detail(&details.stage) != NULL_CODE {
                Path::Stage { stage: book.stages.get(detail(&details.stage)).to_owned() }
            } else if let Some(row) = matching.next() {
                row.path.clone()
            } else if role_name == "split" {
                Path::Split
            } else {
                Path::Payee
            };
            (role, payee, path)
        })
        .collect()
}

fn credited(book: &Book, credits: &Credits, paths: &[(u16, u32, Path)]) -> Vec<PreviewCredit> {
    let mut found = Vec::new();
    for payee in 0..book.payees.len() {
        for line in credits.of_payee(payee) {
            let (base, level) = (credits.lines[line] as usize, credits.levels[line]);
            let rule = credits.rules.get(u32::from(credits.base.rule[base])).to_owned();
            let origin = credits.base.payee[base];
            let via = if level > 0 {
                let chain = if credits.chain[base] == NO_CHAIN { &[] } else { credits.chains.get(credits.chain[base]) };
                let passed = chain.iter().take(usize::from(level) - 1);
                let from = std::iter::once(&origin).chain(passed).map(|payee| book.payees.get(*payee).to_owned()).collect();
                vec![Path::Hierarchy { from }]
            } else if rule == house::LABEL && book.house(0).is_some() {
                vec![Path::House]
            } else if rule.starts_with("manual:") {
                vec![Path::Manual]
            } else {
                paths.iter().filter(|(_, own, _)| *own as usize == payee).map(|(_, _, path)| path.clone()).collect()
            };
            found.push(PreviewCredit {
                payee_id: book.payees.get(payee as u32).to_owned(),
                kind: credits.kind(base, level),
                rule,
                amount: credits.amount(base, level),
                share: credits.share(base, level),
                origin_payee_id: book.payees.get(origin).to_owned(),
                via,
            });
        }
    }
    found
}

fn not_credited(book: &Book, credits: &Credits, paths: &[(u16, u32, Path)], rows: &[Row], about: Option<&str>) -> Vec<NotCredited> {
    let is_credited = |payee: u32| credits.base.payee.contains(&payee);
    let name = |payee: u32| (payee != NULL_CODE).then(|| book.payees.get(payee).to_owned());
    let mut found: Vec<NotCredited> = paths
        .iter()
        .filter(|(_, payee, _)| !is_credited(*payee))
        .map(|(role, payee, path)| {
            let taken = paths.iter().any(|(own, other, _)| own == role && is_credited(*other));
            let why = match (book.house(0), taken) {
                (Some(_), _) => WhyNot::House,
                (None, true) => WhyNot::AnotherCameFirst,
                (None, false) => WhyNot::NoRule,
            };
            NotCredited { payee_id: name(*payee), via: path.clone(), why: vec![why] }
        })
        .collect();
    for row in rows.iter().filter(|row| !row.lacks.is_empty()) {
        let is_meant = about.is_some_and(|about| name(row.payee).as_deref() == Some(about));
        let elsewhere = row.lacks.iter().any(|lack| matches!(lack, WhyNot::OtherAccount | WhyNot::OtherTerritory));
        if is_meant || (row.lacks.len() == 1 && !elsewhere && row.is_placed) {
            found.push(NotCredited { payee_id: name(row.payee), via: row.path.clone(), why: row.lacks.clone() });
        }
    }
    found.sort();
    found.dedup();
    found
}
