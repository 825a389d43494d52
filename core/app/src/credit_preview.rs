//! Who would be credited for a deal, and why others would not: the real rules on one transaction that is supposed. Nothing is stored.

use crate::Instance;
use crate::access::{Action, Caller, Visible};
use crate::company::refused;
use crate::folder::{Company, read_rows};
use crate::impact::{FindingView, finding_view, in_turn};
use crate::refusal::Refusal;
use crate::view::View;
use anyhow::Result;
use attain_calc::{Inputs, NotCredited, Path, Preview, PreviewCredit, WhyNot};
use attain_domain::fixed::{self, MONEY_SCALE, RATE_SCALE};
use attain_domain::schema::{self, ENTITIES, Use};
use attain_domain::{Day, Table};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const ROWS_MAX: usize = 200;
/// How the deal is called where a finding names it.
const DEAL: &str = "deal";
/// Findings about a transaction whose words name no payee.
const NAMELESS: [&str; 7] =
    ["amount-too-large", "no-tested-date", "outside-calendar", "split-not-100", "uncredited", "unknown-rate", "windfall"];

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewSplit {
    pub payee_id: String,
    /// `0.6` is 60 %.
    pub share: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewStage {
    pub stage: String,
    pub payee_id: String,
    pub entered_on: String,
}

/// A deal that is supposed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditPreviewRequest {
    /// Stands for every date of the transaction.
    pub on: String,
    pub amount: String,
    /// The company's where it is left out.
    #[serde(default)]
    pub currency: Option<String>,
    /// `order` where it is left out.
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub account_id: Option<String>,
    #[serde(default)]
    pub product_id: Option<String>,
    #[serde(default)]
    pub payee_id: Option<String>,
    #[serde(default)]
    pub tag: Option<String>,
    #[serde(default)]
    pub quantity: Option<String>,
    #[serde(default)]
    pub discount: Option<String>,
    #[serde(default)]
    pub splits: Vec<PreviewSplit>,
    #[serde(default)]
    pub stages: Vec<PreviewStage>,
    /// A payee of whom all rows of coverage are told that do not match.
    #[serde(default)]
    pub about: Option<String>,
}

/// What leads to a payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreditPath {
    /// `coverage`, `split`, `payee`, `stage`, `relationship`, `hierarchy`, `house` or `manual`.
    pub kind: String,
    pub coverage_id: Option<String>,
    pub position_id: Option<String>,
    /// The role of coverage, the name of a relationship or of a stage.
    pub name: Option<String>,
    /// Beside whom she stands, or from whom it rolls up, nearest to the deal first; `null` for whom one may not know of.
    pub from: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreditView {
    /// `null` for somebody of whom one may not know.
    pub payee_id: Option<String>,
    pub payee_name: String,
    pub kind: String,
    pub rule: String,
    pub amount: String,
    pub share: String,
    /// Empty for somebody of whom one may not know.
    pub via: Vec<CreditPath>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotCreditedView {
    /// `null` where a position is vacant.
    pub payee_id: Option<String>,
    pub payee_name: String,
    pub via: CreditPath,
    /// `no-rule`, `another-came-first`, `not-yet`, `no-longer`, `vacant`, `other-account`, `other-territory`, `other-family`, `house`.
    pub why: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreditPreview {
    /// Whether the rules answered; otherwise `findings` say why not.
    pub complete: bool,
    /// `null` where the deal would be set aside.
    pub period_id: Option<String>,
    pub territory_id: Option<String>,
    /// In company currency.
    pub amount: String,
    pub currency: String,
    /// The house keeps it.
    pub house: bool,
    /// Somebody would look at it before it is paid.
    pub windfall: bool,
    pub credits: Vec<CreditView>,
    pub not_credited: Vec<NotCreditedView>,
    pub findings: Vec<FindingView>,
}

/// Rows of an entity, read as its file is read.
fn rows(entity: &str, header: &[&str], lines: &[Vec<String>]) -> Result<Table> {
    let entity = schema::entity(entity).ok_or_else(|| anyhow::anyhow!("`{entity}` is an entity"))?;
    Ok(read_rows(entity, entity.name, csv_of(header, lines)?.as_bytes())
        .map_err(|problems| refused("the deal that is supposed", &problems))?)
}

/// Text as a CSV file.
pub(crate) fn csv_of(header: &[&str], lines: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for line in lines {
        writer.write_record(line)?;
    }
    Ok(String::from_utf8(writer.into_inner().map_err(|error| anyhow::anyhow!("writing to memory: {error}"))?)?)
}

/// The record with the supposed deal as its only transaction.
fn inputs(company: &Company, request: &CreditPreviewRequest) -> Result<Inputs> {
    let known: Day = request.on.parse().map_err(|()| Refusal::invalid(format!("`{}` is no day; write YYYY-MM-DD", request.on)))?;
    let day = known.to_string();
    let mut fields = vec![
        ("transaction_id", DEAL.to_owned()),
        ("kind", request.kind.clone().unwrap_or_else(|| "order".to_owned())),
        ("amount", request.amount.clone()),
        ("currency", request.currency.clone().unwrap_or_else(|| company.settings.currency.clone())),
    ];
    fields.extend(["ordered_on", "booked_on", "invoiced_on", "paid_on"].map(|name| (name, day.clone())));
    let optional = [
        ("account_id", &request.account_id),
        ("product_id", &request.product_id),
        ("payee_id", &request.payee_id),
        ("tag", &request.tag),
        ("quantity", &request.quantity),
        ("discount", &request.discount),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    for (entity, key, id) in [("accounts", "account_id", &request.account_id), ("products", "product_id", &request.product_id)] {
        let exists = |id: &String| company.tables[entity].texts(key).is_some_and(|ids| ids.dictionary.contains(id));
        if let Some(id) = id.as_ref().filter(|id| !exists(id)) {
            return Err(Refusal::not_found(format!("there is no `{id}` among `{entity}`")).into());
        }
    }
    let (header, line): (Vec<&str>, Vec<String>) = fields.into_iter().unzip();
    let splits: Vec<Vec<String>> =
        request.splits.iter().map(|own| vec![DEAL.to_owned(), own.payee_id.clone(), own.share.clone()]).collect();
    let stages: Vec<Vec<String>> =
        request.stages.iter().map(|own| vec![DEAL.to_owned(), own.stage.clone(), own.entered_on.clone(), own.payee_id.clone()]).collect();
    let supposed = [
        rows("transactions", &header, &[line])?,
        rows("splits", &["transaction_id", "payee_id", "share"], &splits)?,
        rows("transaction_stages", &["transaction_id", "stage", "entered_on", "payee_id"], &stages)?,
    ];
    // Neither what is known of other transactions nor how they are paid matters, and it may be much.
    let matters = |entity: &schema::Entity| {
        let own: &[schema::Field] = entity.fields;
        entity.used_by == Use::Calculation && entity.name != "transactions" && own.iter().all(|field| field.name != "transaction_id")
    };
    let tables = ENTITIES
        .iter()
        .filter(|entity| matters(entity))
        .filter_map(|entity| Some((entity.name.to_owned(), Arc::new(company.tables.get(entity.name)?.clone()))))
        .chain(supposed.into_iter().map(|table| (table.name.clone(), Arc::new(table))))
        .collect();
    Ok(Inputs { settings: company.settings.clone(), plans: Vec::new(), tables, posted: Table::new("posted"), periods: None })
}

/// What the caller may see of an answer.
struct Reader<'a> {
    view: &'a View,
    visible: &'a Visible,
}

impl Reader<'_> {
    fn payee(&self, payee_id: &str) -> Option<String> {
        self.visible.knows(payee_id).then(|| payee_id.to_owned())
    }

    fn name(&self, payee_id: Option<&str>) -> String {
        payee_id.map_or_else(String::new, |payee_id| self.view.company.name(payee_id).to_owned())
    }

    fn path(&self, path: &Path) -> CreditPath {
        let mut shown = CreditPath { kind: String::new(), coverage_id: None, position_id: None, name: None, from: Vec::new() };
        let kind = match path {
            Path::Coverage { coverage_id, position_id, role } => {
                shown.coverage_id = Some(coverage_id.clone());
                shown.position_id = Some(position_id.clone());
                shown.name = Some(role.clone());
                "coverage"
            }
            Path::Split => "split",
            Path::Payee => "payee",
            Path::Stage { stage } => {
                shown.name = Some(stage.clone());
                "stage"
            }
            Path::Relationship { name, of_payee_id } => {
                shown.name = Some(name.clone());
                shown.from = vec![self.payee(of_payee_id)];
                "relationship"
            }
            Path::Hierarchy { from } => {
                shown.from = from.iter().map(|payee| self.payee(payee)).collect();
                "hierarchy"
            }
            Path::House => "house",
            Path::Manual => "manual",
        };
        shown.kind = kind.to_owned();
        shown
    }

    fn credit(&self, credit: &PreviewCredit) -> CreditView {
        let payee_id = self.payee(&credit.payee_id);
        CreditView {
            payee_name: self.name(payee_id.as_deref()),
            kind: credit.kind.name().to_owned(),
            rule: credit.rule.clone(),
            amount: fixed::format(credit.amount, MONEY_SCALE),
            share: fixed::format(credit.share, RATE_SCALE),
            via: if payee_id.is_some() { credit.via.iter().map(|path| self.path(path)).collect() } else { Vec::new() },
            payee_id,
        }
    }

    /// `None` for somebody of whom the caller may not know.
    fn not_credited(&self, own: &NotCredited) -> Option<NotCreditedView> {
        let is_known = own.payee_id.as_deref().map_or(self.visible.is_all(), |payee| self.visible.knows(payee));
        is_known.then(|| NotCreditedView {
            payee_id: own.payee_id.clone(),
            payee_name: self.name(own.payee_id.as_deref()),
            via: self.path(&own.via),
            why: own.why.iter().map(|why| why_name(*why).to_owned()).collect(),
        })
    }

    fn answer(&self, preview: &Preview) -> CreditPreview {
        let tells = |code: &str| self.visible.is_all() || NAMELESS.contains(&code);
        CreditPreview {
            complete: preview.complete,
            period_id: preview.period_id.clone(),
            territory_id: preview.territory_id.clone(),
            amount: fixed::format(preview.amount, MONEY_SCALE),
            currency: self.view.company.company.settings.currency.clone(),
            house: preview.is_house,
            windfall: preview.is_windfall,
            credits: preview.credits.iter().map(|credit| self.credit(credit)).collect(),
            not_credited: preview.not_credited.iter().filter_map(|own| self.not_credited(own)).take(ROWS_MAX).collect(),
            findings: preview.findings.iter().filter(|finding| tells(&finding.code)).map(finding_view).take(ROWS_MAX).collect(),
        }
    }
}

fn why_name(why: WhyNot) -> &'static str {
    match why {
        WhyNot::NoRule => "no-rule",
        WhyNot::AnotherCameFirst => "another-came-first",
        WhyNot::NotYet => "not-yet",
        WhyNot::NoLonger => "no-longer",
        WhyNot::Vacant => "vacant",
        WhyNot::OtherAccount => "other-account",
        WhyNot::OtherTerritory => "other-territory",
        WhyNot::OtherFamily => "other-family",
        WhyNot::House => "house",
    }
}

impl Instance {
    /// Who would get credit for a deal. Sellers and managers see themselves and whom they may know of; of others that there is somebody.
    pub async fn who_is_credited(&self, caller: &Caller, request: &CreditPreviewRequest) -> Result<CreditPreview> {
        caller.require_one(&[Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay])?;
        let view = self.view().await?;
        let count = request.splits.len() + request.stages.len();
        if count > ROWS_MAX {
            return Err(Refusal::invalid(format!("{count} splits and stages; {ROWS_MAX} are allowed")).into());
        }
        let named = request.splits.iter().map(|own| &own.payee_id).chain(request.stages.iter().map(|own| &own.payee_id));
        for payee_id in named.chain(&request.payee_id).chain(&request.about) {
            view.known_payee(caller, payee_id)?;
        }
        let company = &view.company.company;
        let inputs = inputs(company, request)?;
        let set = self.extensions_for(company)?;
        let preview = in_turn(|| attain_calc::preview(&inputs, &set, request.about.as_deref())).await?;
        Ok(Reader { view: &view, visible: &view.company.visible_to(caller) }.answer(&preview))
    }
}
