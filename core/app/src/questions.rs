//! Asking about a line of a statement: the question keeps the line's explanation as it was, the answer comes in a thread.

use crate::access::{Action, Caller};
use crate::explain::Node;
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_store::questions::{self, Question};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const SUBJECT_LENGTH_MAX: usize = 200;
const BODY_LENGTH_MAX: usize = 5_000;
const MESSAGES_MAX: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionState {
    Open,
    Answered,
    Closed,
}

impl QuestionState {
    fn name(self) -> &'static str {
        match self {
            QuestionState::Open => "open",
            QuestionState::Answered => "answered",
            QuestionState::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// Number of the line; `null` for the whole statement.
    #[serde(default)]
    pub line: Option<usize>,
    pub subject: String,
    pub body: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuestionHead {
    pub question_id: String,
    pub payee_id: String,
    pub payee_name: String,
    pub period_id: String,
    pub line: Option<i64>,
    pub subject: String,
    pub state: String,
    pub asked_by: String,
    pub asked_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageView {
    pub author: String,
    pub author_name: String,
    pub body: String,
    pub written_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuestionView {
    #[serde(flatten)]
    pub head: QuestionHead,
    /// The run that the question is about.
    pub run_id: String,
    /// The explanation as it was when it was asked.
    #[schema(value_type = Node)]
    pub trace: serde_json::Value,
    pub messages: Vec<MessageView>,
    pub version: i64,
}

fn within(what: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if (1..=max).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid(format!("{what} has 1 to {max} characters")))
    }
}

fn head(view: &View, question: &Question) -> QuestionHead {
    QuestionHead {
        question_id: question.question_id.clone(),
        payee_id: question.payee_id.clone(),
        payee_name: view.company.name(&question.payee_id).to_owned(),
        period_id: question.period_id.clone(),
        line: question.line,
        subject: question.subject.clone(),
        state: question.state.clone(),
        asked_by: question.asked_by.clone(),
        asked_at: shown_ms(question.asked_at),
    }
}

fn unknown(question_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no question `{question_id}`"))
}

/// A question is seen by who sees the statement that it is about.
fn sees(view: &View, caller: &Caller, question: &Question) -> bool {
    view.visible_period(caller, &question.payee_id, &question.period_id).is_ok()
}

impl Instance {
    pub async fn ask(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str, new: &NewQuestion) -> Result<QuestionView> {
        caller.require(Action::Ask)?;
        let (subject, body) =
            (within("the subject", &new.subject, SUBJECT_LENGTH_MAX)?, within("the question", &new.body, BODY_LENGTH_MAX)?);
        let trace = self.explanation(view, caller, payee_id, period_id, new.line).await?;
        let now = now_ms();
        let question = Question {
            question_id: new_id("question")?,
            payee_id: payee_id.to_owned(),
            period_id: period_id.to_owned(),
            line: new.line.map(i64::try_from).transpose()?,
            subject,
            trace: serde_json::to_string(&trace)?,
            run_id: view.run()?.run_id.clone(),
            state: QuestionState::Open.name().to_owned(),
            asked_by: caller.user_id.clone(),
            asked_at: now,
            version: 1,
        };
        let mut tx = self.database.begin().await?;
        questions::add(&mut tx, &question).await?;
        questions::add_message(&mut tx, &question.question_id, &caller.user_id, &body, now).await?;
        bump(&mut tx, Part::Work).await?;
        attain_audit::append(
            &mut tx,
            Entry::new(&self.actor, "ask", &question.question_id).reason(&format!("{payee_id}/{period_id}")),
            now,
        )
        .await?;
        tx.commit().await?;
        self.seal().await?;
        self.question(view, caller, &question.question_id).await
    }

    /// Those that the caller may see, newest first.
    pub async fn questions(
        &self,
        view: &View,
        caller: &Caller,
        state: Option<QuestionState>,
        payee_id: Option<&str>,
    ) -> Result<Vec<QuestionHead>> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions, Action::SeeAllPay])?;
        let mut connection = self.database.glance().await?;
        let all = questions::list(&mut connection).await?;
        Ok(all
            .iter()
            .filter(|own| state.is_none_or(|state| own.state == state.name()))
            .filter(|own| payee_id.is_none_or(|payee| own.payee_id == payee))
            .filter(|own| sees(view, caller, own))
            .map(|own| head(view, own))
            .collect())
    }

    pub async fn question(&self, view: &View, caller: &Caller, question_id: &str) -> Result<QuestionView> {
        let mut read = self.database.read().await?;
        let question =
            questions::get(&mut read, question_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(question_id))?;
        let messages = questions::messages(&mut read, question_id).await?;
        Ok(QuestionView {
            head: head(view, &question),
            run_id: question.run_id,
            trace: serde_json::from_str(&question.trace)?,
            messages: messages
                .into_iter()
                .map(|own| MessageView {
                    author: own.author,
                    author_name: own.author_name,
                    body: own.body,
                    written_at: shown_ms(own.written_at),
                })
                .collect(),
            version: question.version,
        })
    }

    /// An answer by who may answer makes the question `answered`; another word of the seller opens it again.
    pub async fn answer(&self, view: &View, caller: &Caller, question_id: &str, body: &str) -> Result<QuestionView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let body = within("the message", body, BODY_LENGTH_MAX)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let question =
            questions::get(&mut tx, question_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(question_id))?;
        if question.state == QuestionState::Closed.name() {
            return Err(Refusal::conflict("this question is closed; open it again or ask a new one").into());
        }
        if questions::messages(&mut tx, question_id).await?.len() >= MESSAGES_MAX {
            return Err(Refusal::conflict(format!("this question has {MESSAGES_MAX} messages; ask a new one")).into());
        }
        let state = if caller.may(Action::AnswerQuestions) { QuestionState::Answered } else { QuestionState::Open };
        questions::add_message(&mut tx, question_id, &caller.user_id, &body, now).await?;
        if !questions::set_state(&mut tx, question_id, state.name(), question.version).await? {
            return Err(Refusal::conflict("somebody else wrote at the same time; send it again").into());
        }
        bump(&mut tx, Part::Work).await?;
        attain_audit::append(&mut tx, Entry::new(&self.actor, "answer", question_id).before(&question.state).after(state.name()), now)
            .await?;
        tx.commit().await?;
        self.seal().await?;
        self.question(view, caller, question_id).await
    }

    pub async fn set_question_state(
        &self,
        view: &View,
        caller: &Caller,
        question_id: &str,
        version: i64,
        state: QuestionState,
    ) -> Result<QuestionView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let mut tx = self.database.begin().await?;
        let question =
            questions::get(&mut tx, question_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(question_id))?;
        if state == QuestionState::Answered {
            caller.require(Action::AnswerQuestions)?;
        }
        if !questions::set_state(&mut tx, question_id, state.name(), version).await? {
            return Err(Refusal::stale("the question was changed meanwhile; read it again").into());
        }
        bump(&mut tx, Part::Work).await?;
        let entry = Entry::new(&self.actor, "question-state", question_id).before(&question.state).after(state.name());
        attain_audit::append(&mut tx, entry, now_ms()).await?;
        tx.commit().await?;
        self.seal().await?;
        self.question(view, caller, question_id).await
    }
}
