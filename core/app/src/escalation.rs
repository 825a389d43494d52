//! What waits for too long is told to more people: changes without a decision, disputes past their day. Once a day each, however often
//! the job runs.

use crate::Instance;
use crate::changes::{deciders, told_of};
use crate::delegations::day_of;
use crate::notices::{Everybody, Happening, NoticeKind};
use crate::work_policy::in_force;
use anyhow::Result;
use attain_jobs::Lease;
use attain_store::versions::{Part, bump};
use serde_json::json;

const DAY_MS: i64 = 24 * 3_600_000;

impl Instance {
    /// Within a job. First the role that the policy names was asked alone; now everybody is who may decide, and the author is told.
    pub(crate) async fn escalate(&self, lease: &Lease) -> Result<()> {
        let now = self.job_now().await?;
        let mut tx = self.database.begin().await?;
        attain_jobs::fence(&mut tx, lease).await?;
        bump(&mut tx, Part::Work).await?;
        let policy = in_force(&mut tx).await?;
        let everybody = Everybody::read(&mut tx).await?;
        let mut told = 0;
        for change_id in attain_store::teamwork::waiting_since(&mut tx, now - policy.escalate_after_days * DAY_MS).await? {
            let Some(change) = attain_store::changes::get(&mut tx, &change_id).await? else { continue };
            let mut asked = deciders(&mut tx, &everybody, &policy, &change, false).await?;
            asked.insert(change.author.clone());
            let happening = Happening {
                kind: NoticeKind::ApprovalOverdue,
                object: &change_id,
                body: format!("a change of {} by {} still waits for a decision", change.object, everybody.name(&change.author)),
                link: format!("/changes/{change_id}"),
                once_key: Some(format!("approval-overdue/{change_id}/{}", day_of(now))),
                payee_id: None,
                period_id: None,
                state: told_of(&change),
            };
            told += self.announce(&mut tx, &happening, &asked, now).await?;
        }
        told += self.remind_of_disputes(&mut tx, now).await?;
        attain_jobs::finish(&mut tx, lease, &json!({ "told": told }), now).await?;
        tx.commit().await
    }
}
