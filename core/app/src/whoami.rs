//! What a console has to know about who is signed in: her permissions, the company, the periods.

use crate::access::Caller;
use crate::periods::{PeriodState, states};
use crate::refusal::{Refusal, RefusalKind};
use crate::{Instance, Versions};
use anyhow::Result;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CompanyHead {
    pub name: String,
    /// ISO 4217.
    pub currency: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeriodHead {
    pub period_id: String,
    pub from: String,
    /// The first day after it.
    pub until: String,
    pub quarter: String,
    pub year: String,
    /// `planned`, or `calculated` where the last run has statements of it.
    pub state: &'static str,
    /// How far its close is: an approved or closed one takes nothing more.
    pub close: PeriodState,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    pub user_id: String,
    pub name: String,
    pub payee_id: Option<String>,
    pub payee_name: Option<String>,
    pub roles: Vec<String>,
    pub actions: Vec<String>,
    /// `null` before a company was loaded.
    pub company: Option<CompanyHead>,
    pub today: String,
    pub periods: Vec<PeriodHead>,
    /// The period that screens open with: the last one with statements.
    pub current_period: Option<String>,
    #[schema(value_type = Object)]
    pub versions: Versions,
}

impl Instance {
    pub async fn session_view(&self, caller: &Caller, versions: Versions) -> Result<SessionView> {
        let view = match self.view_at(versions).await {
            Ok(view) => Some(view),
            // Nothing is loaded yet: there is a session, but no company.
            Err(error) if error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.kind == RefusalKind::NotFound) => None,
            Err(error) => return Err(error),
        };
        let settled: Vec<&str> = view
            .as_ref()
            .and_then(|view| view.run.as_ref()?.table("statements")?.texts("period_id"))
            .map(|column| column.dictionary.iter().map(String::as_str).collect())
            .unwrap_or_default();
        let closes = view.as_ref().map(|view| states(&view.company.company)).unwrap_or_default();
        let periods = view.iter().flat_map(|view| &view.company.calendar.periods).map(|period| PeriodHead {
            period_id: period.id.0.clone(),
            from: period.from.to_string(),
            until: period.until.to_string(),
            quarter: period.quarter.clone(),
            year: period.year.clone(),
            state: if settled.contains(&period.id.as_str()) { "calculated" } else { "planned" },
            close: closes.get(period.id.as_str()).copied().unwrap_or(PeriodState::Open),
        });
        let periods: Vec<PeriodHead> = periods.collect();
        Ok(SessionView {
            user_id: caller.user_id.clone(),
            name: caller.name.clone(),
            payee_id: caller.payee_id.clone(),
            payee_name: caller.payee_id.as_ref().zip(view.as_ref()).map(|(payee, view)| view.company.name(payee).to_owned()),
            roles: caller.roles.iter().map(|role| role.name().to_owned()).collect(),
            actions: caller.actions().map(|action| action.name().to_owned()).collect(),
            company: view.as_ref().map(|view| CompanyHead {
                name: view.company.company.settings.name.clone(),
                currency: view.company.company.settings.currency.clone(),
            }),
            today: today(),
            current_period: periods.iter().rfind(|period| period.state == "calculated").map(|period| period.period_id.clone()),
            periods,
            versions,
        })
    }
}

/// The day at the server, in UTC. For showing, never for calculating.
pub(crate) fn today() -> String {
    chrono::Utc::now().date_naive().to_string()
}
