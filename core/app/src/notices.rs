//! What people are told: in the console, by mail, and other programs by webhook. Everything is written in the transaction of what it
//! tells of; a job sends what leaves the house. No notice holds pay.

use crate::access::{Action, Caller, Role};
use crate::outbox::{Letter, Posted};
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::{Connection, Tx};
use attain_store::notices::{self as store, MailPreference, Notice};
use attain_store::outbox;
use attain_store::users::User;
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What can be told. To add one: add it here with its name and its sentence for a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    DisputeRaised,
    DisputeAnswered,
    DisputeAssigned,
    DisputeResolved,
    DisputeOverdue,
    ChangeWaiting,
    ChangeDecided,
    ApprovalOverdue,
    StatementPublished,
    StatementToAcknowledge,
    PeriodState,
}

impl NoticeKind {
    pub const ALL: [NoticeKind; 11] = [
        NoticeKind::DisputeRaised,
        NoticeKind::DisputeAnswered,
        NoticeKind::DisputeAssigned,
        NoticeKind::DisputeResolved,
        NoticeKind::DisputeOverdue,
        NoticeKind::ChangeWaiting,
        NoticeKind::ChangeDecided,
        NoticeKind::ApprovalOverdue,
        NoticeKind::StatementPublished,
        NoticeKind::StatementToAcknowledge,
        NoticeKind::PeriodState,
    ];

    pub fn name(self) -> &'static str {
        match self {
            NoticeKind::DisputeRaised => "dispute-raised",
            NoticeKind::DisputeAnswered => "dispute-answered",
            NoticeKind::DisputeAssigned => "dispute-assigned",
            NoticeKind::DisputeResolved => "dispute-resolved",
            NoticeKind::DisputeOverdue => "dispute-overdue",
            NoticeKind::ChangeWaiting => "change-waiting",
            NoticeKind::ChangeDecided => "change-decided",
            NoticeKind::ApprovalOverdue => "approval-overdue",
            NoticeKind::StatementPublished => "statement-published",
            NoticeKind::StatementToAcknowledge => "statement-to-acknowledge",
            NoticeKind::PeriodState => "period-state",
        }
    }

    pub fn from_name(name: &str) -> Option<NoticeKind> {
        NoticeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a mail says of it: no name, no subject, no figure.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            NoticeKind::DisputeRaised => "A statement is asked about or disputed",
            NoticeKind::DisputeAnswered => "A question or dispute was answered",
            NoticeKind::DisputeAssigned => "A question or dispute was assigned to you",
            NoticeKind::DisputeResolved => "A dispute was decided",
            NoticeKind::DisputeOverdue => "A question or dispute is overdue",
            NoticeKind::ChangeWaiting => "A change waits for your decision",
            NoticeKind::ChangeDecided => "Your change was decided",
            NoticeKind::ApprovalOverdue => "A change has been waiting for a decision for too long",
            NoticeKind::StatementPublished => "Your statement was published",
            NoticeKind::StatementToAcknowledge => "Your statement waits for your acknowledgement",
            NoticeKind::PeriodState => "A period has a new state",
        }
    }
}

/// Something that people are told of.
pub(crate) struct Happening<'a> {
    pub kind: NoticeKind,
    /// What it is about.
    pub object: &'a str,
    /// A sentence for the console.
    pub body: String,
    /// Where the console shows it.
    pub link: String,
    /// Nobody is told twice of the same.
    pub once_key: Option<String>,
    pub payee_id: Option<&'a str>,
    pub period_id: Option<&'a str>,
    /// What programs are told of its state, an object; no pay, and no word that somebody wrote.
    pub state: serde_json::Value,
}

/// Everybody who can sign in, with what each may do by the roles that she has now.
pub(crate) struct Everybody(Vec<User>);

impl Everybody {
    pub async fn read(connection: &mut Connection) -> Result<Everybody> {
        Ok(Everybody(attain_store::users::list(connection).await?.into_iter().filter(|user| !user.disabled).collect()))
    }

    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }

    pub fn get(&self, user_id: &str) -> Option<&User> {
        self.0.iter().find(|user| user.user_id == user_id)
    }

    pub fn who_may(&self, action: Action) -> BTreeSet<String> {
        self.0.iter().filter(|user| caller_of(user).may(action)).map(|user| user.user_id.clone()).collect()
    }

    /// The name under which people know her.
    pub fn name<'a>(&'a self, user_id: &'a str) -> &'a str {
        self.get(user_id).map_or(user_id, |user| user.name.as_str())
    }
}

/// A user as somebody who asks, with all that her roles give.
pub(crate) fn caller_of(user: &User) -> Caller {
    let roles = user.roles.iter().filter_map(|name| Role::from_name(name));
    Caller::new(&user.user_id, &user.name, user.payee_id.as_deref(), roles, None)
}

/// A notice as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeView {
    pub notice_id: String,
    pub kind: String,
    /// What it is about: a dispute, a change, a statement.
    pub object: String,
    pub text: String,
    /// Where the console shows it.
    pub link: String,
    pub created_at: String,
    pub read_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeCount {
    pub unread: i64,
}

/// Where a user gets mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailView {
    /// Her own, else the one of her payee.
    pub address: Option<String>,
    pub opted_out: bool,
    /// Whether this server sends mail at all.
    pub sends_mail: bool,
    pub version: i64,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailEdit {
    /// Empty for the one of her payee; left out, it stays.
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub opted_out: Option<bool>,
}

impl Instance {
    /// Tells users, each once; those who are no users are passed over. Answers how many were told.
    pub(crate) async fn tell_users(&self, tx: &mut Tx, happening: &Happening<'_>, users: &BTreeSet<String>, now: i64) -> Result<usize> {
        // The first lock, before what sends is asked for.
        bump(tx, Part::Work).await?;
        let everybody = Everybody::read(tx).await?;
        self.tell_known(tx, &everybody, happening, users, now).await
    }

    /// As [`Instance::tell_users`], where everybody is known already and the part is counted.
    pub(crate) async fn tell_known(
        &self,
        tx: &mut Tx,
        everybody: &Everybody,
        happening: &Happening<'_>,
        users: &BTreeSet<String>,
        now: i64,
    ) -> Result<usize> {
        let mut told = 0;
        for user in everybody.iter().filter(|user| users.contains(&user.user_id)) {
            let notice = Notice {
                notice_id: new_id("notice")?,
                user_id: user.user_id.clone(),
                kind: happening.kind.name().to_owned(),
                object: happening.object.to_owned(),
                body: happening.body.clone(),
                link: happening.link.clone(),
                once_key: happening.once_key.clone(),
                created_at: now,
                read_at: None,
            };
            if !store::add(tx, &notice).await? {
                continue;
            }
            told += 1;
            if self.outward.sends_mail() {
                let letter = Letter { kind: happening.kind, link: happening.link.clone() };
                self.send_later(tx, Posted::Mail { user_id: &user.user_id, letter: &letter }, now).await?;
            }
        }
        Ok(told)
    }

    /// Tells the programs that listen.
    pub(crate) async fn tell_programs(&self, tx: &mut Tx, happening: &Happening<'_>, now: i64) -> Result<()> {
        let listening = |own: &&outbox::Webhook| {
            own.state == "active" && (own.events.is_empty() || own.events.split(',').any(|name| name == happening.kind.name()))
        };
        let webhooks = outbox::webhooks(tx).await?;
        for webhook in webhooks.iter().filter(listening) {
            self.send_later(tx, Posted::Webhook { webhook_id: &webhook.webhook_id, happening }, now).await?;
        }
        Ok(())
    }

    /// Tells users and programs; programs only where a user was told, or where nobody is kept from hearing it twice.
    pub(crate) async fn announce(&self, tx: &mut Tx, happening: &Happening<'_>, users: &BTreeSet<String>, now: i64) -> Result<usize> {
        let told = self.tell_users(tx, happening, users, now).await?;
        if told > 0 || happening.once_key.is_none() {
            self.tell_programs(tx, happening, now).await?;
        }
        Ok(told)
    }

    /// Tells who sees everybody's pay, but for `by`, and programs, that a period came into another state. For the transaction that
    /// brings it there, before its entry in the trail.
    pub async fn period_moved(&self, tx: &mut Tx, period_id: &str, state: &str, by: &str, now: i64) -> Result<()> {
        bump(tx, Part::Work).await?;
        let everybody = Everybody::read(tx).await?;
        let mut told = everybody.who_may(Action::SeeAllPay);
        told.remove(by);
        let happening = Happening {
            kind: NoticeKind::PeriodState,
            object: period_id,
            body: format!("{} made {period_id} {state}", everybody.name(by)),
            link: format!("/periods/{period_id}"),
            once_key: None,
            payee_id: None,
            period_id: Some(period_id),
            state: serde_json::json!({ "state": state, "by": by }),
        };
        self.tell_known(tx, &everybody, &happening, &told, now).await?;
        self.tell_programs(tx, &happening, now).await
    }

    /// What the caller was told, newest first, after the one with the id `after`.
    pub async fn notices(&self, caller: &Caller, is_unread: bool, after: &str, limit: usize) -> Result<Vec<NoticeView>> {
        let mut connection = self.database.glance().await?;
        let found = store::list(&mut connection, &caller.user_id, is_unread, after, i64::try_from(limit)?).await?;
        Ok(found
            .into_iter()
            .map(|own| NoticeView {
                notice_id: own.notice_id,
                kind: own.kind,
                object: own.object,
                text: own.body,
                link: own.link,
                created_at: shown_ms(own.created_at),
                read_at: own.read_at.map(shown_ms),
            })
            .collect())
    }

    pub async fn notice_count(&self, caller: &Caller) -> Result<NoticeCount> {
        let mut connection = self.database.glance().await?;
        Ok(NoticeCount { unread: store::unread_count(&mut connection, &caller.user_id).await? })
    }

    /// Marks notices of the caller as read; all of them where none is named. Answers how many are unread then.
    pub async fn read_notices(&self, caller: &Caller, notice_ids: Option<&[String]>) -> Result<NoticeCount> {
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        match notice_ids {
            None => _ = store::mark_all_read(&mut tx, &caller.user_id, now).await?,
            Some(ids) => {
                for id in ids {
                    store::mark_read(&mut tx, &caller.user_id, id, now).await?;
                }
            }
        }
        let unread = store::unread_count(&mut tx, &caller.user_id).await?;
        tx.commit().await?;
        Ok(NoticeCount { unread })
    }

    pub async fn mail_preference(&self, caller: &Caller) -> Result<MailView> {
        let mut connection = self.database.glance().await?;
        let own = store::mail_preference(&mut connection, &caller.user_id).await?;
        let address = match (&own.address, &caller.payee_id) {
            (Some(address), _) => Some(address.clone()),
            (None, Some(payee_id)) => store::address_of_payee(&mut connection, payee_id).await?,
            (None, None) => None,
        };
        Ok(MailView { address, opted_out: own.opted_out, sends_mail: self.outward.sends_mail(), version: own.version })
    }

    pub async fn edit_mail_preference(&self, caller: &Caller, version: i64, edit: &MailEdit) -> Result<MailView> {
        let mut tx = self.database.begin().await?;
        if attain_store::users::by_id(&mut tx, &caller.user_id).await?.is_none() {
            return Err(Refusal::forbidden("only somebody who signs in gets mail; sign in").into());
        }
        bump(&mut tx, Part::Work).await?;
        let before = store::mail_preference(&mut tx, &caller.user_id).await?;
        if before.version != version {
            return Err(Refusal::stale("this was changed meanwhile; read it again").into());
        }
        let address = match edit.address.as_deref().map(str::trim) {
            None => before.address.clone(),
            Some("") => None,
            Some(address) => Some(crate::mail::address_of(address)?),
        };
        let own = MailPreference { address, opted_out: edit.opted_out.unwrap_or(before.opted_out), version };
        if !store::set_mail_preference(&mut tx, &caller.user_id, &own).await? {
            return Err(Refusal::stale("this was changed meanwhile; read it again").into());
        }
        // The address is personal data and stays out of the trail.
        let entry = Entry::new(&self.actor, "mail-preference", &caller.user_id);
        let entry = entry.after(if own.opted_out { "no mail" } else { "mail" });
        attain_audit::append(&mut tx, entry, now_ms()).await?;
        tx.commit().await?;
        self.seal().await?;
        self.mail_preference(caller).await
    }
}
