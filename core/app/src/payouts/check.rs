//! Whether payouts are those that the trail tells of: their lines and claims, their file, and how far they are.

use super::{Batch, content_hash, store};
use anyhow::Result;
use attain_database::Connection;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What the trail says was done with a payout, in order.
pub(crate) type Told = BTreeMap<String, Vec<Done>>;

pub(crate) struct Done {
    pub sequence: i64,
    pub action: String,
    /// The content hash afterwards.
    pub content_hash: String,
    pub reason: String,
}

/// A line for each payout that is not as the trail says.
pub(crate) async fn altered(connection: &mut Connection, told: &Told) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let all = store::list(connection, None, None, i64::MAX).await?;
    for id in told.keys().filter(|id| !all.iter().any(|batch| batch.batch_id == **id)) {
        faults.push(format!("payout {id} is gone"));
    }
    for batch in &all {
        let Some(done) = told.get(&batch.batch_id) else {
            faults.push(format!("payout {}: no entry of the trail tells of it", batch.batch_id));
            continue;
        };
        if let Some(what) = fault(connection, batch, done).await? {
            let sequence = done.last().map_or(0, |own| own.sequence);
            faults.push(format!("entry {sequence}: payout {}: {what}", batch.batch_id));
        }
    }
    Ok(faults)
}

async fn fault(connection: &mut Connection, batch: &Batch, done: &[Done]) -> Result<Option<String>> {
    let was = |action: &str| done.iter().rfind(|own| own.action == action);
    let answer = |what: &str| Ok(Some(what.to_owned()));
    if done.last().is_some_and(|own| own.content_hash != batch.content_hash) {
        return answer("its content hash is not that of the trail");
    }
    let is_exported = matches!(batch.state.as_str(), "exported" | "paid");
    if (batch.state == "cancelled") != was("cancel-payout").is_some()
        || (batch.state == "paid") != was("confirm-payout").is_some()
        || is_exported != was("export-payout").is_some()
    {
        return Ok(Some(format!("it is {}, which is not what the trail says was done", batch.state)));
    }
    if (is_exported || batch.state == "approved") && was("approve-payout").is_none_or(|own| own.content_hash != batch.content_hash) {
        return answer("nobody approved what it holds");
    }
    // What a cancelled one held is in another one by now.
    if batch.state == "cancelled" {
        return Ok(None);
    }
    let (lines, claims) = (store::lines(connection, &batch.batch_id).await?, store::claims(connection, &batch.batch_id).await?);
    if content_hash(batch, &lines, &claims) != batch.content_hash {
        return answer("its lines, or the postings that it pays, are not those of its content hash");
    }
    let file = store::file(connection, &batch.batch_id).await?;
    let sha256 = file.map(|own| Sha256::digest(&own.body).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    if sha256.as_ref().map(|own| format!("sha256 {own}")) != was("export-payout").map(|own| own.reason.clone()) {
        return answer("its file is not the one that was exported");
    }
    let returned = done.iter().filter(|own| own.action == "return-payout").count();
    if store::returns(connection, &batch.batch_id).await?.len() != returned {
        return answer("what came back from the bank is not what the trail says");
    }
    Ok(None)
}
