//! Files that are attached to disputes: few kinds, small, kept as they came, given out to be saved and never to be shown.

use super::{sees, stale, store, unknown};
use crate::access::{Action, Caller};
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_store::disputes::Attachment;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// Of one file.
pub const FILE_BYTES_MAX: usize = 2 << 20;
/// Of all files of a dispute.
const ALL_BYTES_MAX: i64 = 10 << 20;
const FILES_MAX: usize = 20;
const NAME_LENGTH_MAX: usize = 120;

/// Media type, the endings of its names, and how its bytes begin.
const KINDS: &[(&str, &[&str], &[u8])] = &[
    ("application/pdf", &["pdf"], b"%PDF-"),
    ("image/png", &["png"], b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", &["jpg", "jpeg"], b"\xff\xd8\xff"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["xlsx"], b"PK\x03\x04"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx"], b"PK\x03\x04"),
    ("text/csv", &["csv"], b""),
    ("text/plain", &["txt"], b""),
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentView {
    pub attachment_id: String,
    pub name: String,
    pub media_type: String,
    pub size: i64,
    pub sha256: String,
    pub added_by: String,
    pub added_at: String,
}

impl From<Attachment> for AttachmentView {
    fn from(own: Attachment) -> AttachmentView {
        AttachmentView {
            attachment_id: own.attachment_id,
            name: own.name,
            media_type: own.media_type,
            size: own.size,
            sha256: own.sha256,
            added_by: own.added_by,
            added_at: shown_ms(own.added_at),
        }
    }
}

/// A file to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFile {
    /// Of plain characters only.
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// The kind of a file by its name; its bytes must begin like one, and a text must be one.
fn kind_of(name: &str, bytes: &[u8]) -> Result<&'static str, Refusal> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let Some((media_type, _, begin)) = KINDS.iter().find(|(_, endings, _)| endings.contains(&ending.as_str())) else {
        let known: Vec<&str> = KINDS.iter().flat_map(|(_, endings, _)| endings.iter().copied()).collect();
        return Err(Refusal::invalid(format!("`{name}` is of no kind that can be attached; there are {}", known.join(", "))));
    };
    let is_text = media_type.starts_with("text/");
    let is_so = bytes.starts_with(begin) && (!is_text || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')));
    if is_so { Ok(*media_type) } else { Err(Refusal::invalid(format!("`{name}` is no {media_type}; its bytes say something else"))) }
}

/// A name as it is given out in a header: letters, digits and a few marks.
fn plain(name: &str) -> String {
    let legal = |own: char| if own.is_ascii_alphanumeric() || "._- ".contains(own) { own } else { '_' };
    name.chars().map(legal).collect()
}

impl Instance {
    /// Attaches a file to a dispute that is not over.
    pub async fn attach(&self, view: &View, caller: &Caller, dispute_id: &str, name: &str, bytes: &[u8]) -> Result<AttachmentView> {
        caller.require_one(&[Action::Ask, Action::AnswerQuestions])?;
        let name = name.trim();
        let is_name =
            (1..=NAME_LENGTH_MAX).contains(&name.chars().count()) && !name.chars().any(|own| own.is_control() || "/\\".contains(own));
        if !is_name {
            return Err(Refusal::invalid(format!("a file's name has 1 to {NAME_LENGTH_MAX} characters and no folder")).into());
        }
        if bytes.is_empty() || bytes.len() > FILE_BYTES_MAX {
            return Err(Refusal::invalid(format!("a file has 1 to {FILE_BYTES_MAX} bytes; this one has {}", bytes.len())).into());
        }
        let media_type = kind_of(name, bytes)?;
        let size = i64::try_from(bytes.len())?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let own = self.own_dispute(&mut tx, view, caller, dispute_id).await?;
        if matches!(own.state.as_str(), "closed" | "withdrawn") {
            return Err(Refusal::conflict(format!("this {} is {}", own.kind, own.state)).into());
        }
        let there = store::attachments(&mut tx, dispute_id).await?;
        if there.len() >= FILES_MAX || there.iter().map(|own| own.size).sum::<i64>() + size > ALL_BYTES_MAX {
            let message = format!("a dispute has at most {FILES_MAX} files of {ALL_BYTES_MAX} bytes together");
            return Err(Refusal::conflict(message).into());
        }
        let attachment = Attachment {
            attachment_id: new_id("attachment")?,
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size,
            sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            added_by: caller.user_id.clone(),
            added_at: now,
        };
        store::add_attachment(&mut tx, dispute_id, &attachment, bytes).await?;
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        let entry = Entry::new(&self.actor, "attach", &attachment.attachment_id).after(&attachment.sha256).reason(dispute_id);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(attachment.into())
    }

    pub async fn attachment(&self, view: &View, caller: &Caller, dispute_id: &str, attachment_id: &str) -> Result<AttachmentFile> {
        let mut read = self.database.read().await?;
        store::get(&mut read, dispute_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(dispute_id))?;
        let known = store::attachments(&mut read, dispute_id).await?.into_iter().find(|own| own.attachment_id == attachment_id);
        let body = store::attachment_body(&mut read, dispute_id, attachment_id).await?;
        let (own, bytes) = known.zip(body).ok_or_else(|| Refusal::not_found(format!("the dispute has no attachment `{attachment_id}`")))?;
        Ok(AttachmentFile { name: plain(&own.name), media_type: own.media_type, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says() {
        assert_eq!(kind_of("deal.PDF", b"%PDF-1.7 ...").expect("a kind"), "application/pdf");
        assert_eq!(kind_of("rows.csv", b"a,b\n1,2\n").expect("a kind"), "text/csv");
        for (name, bytes) in [
            ("page.html", b"<script>".as_slice()),
            ("deal.pdf", b"<html>"),
            ("picture.svg", b"<svg/>"),
            ("rows.csv", b"\xff\xfe"),
            ("rows.txt", b"a\0b"),
            ("pdf", b"%PDF-"),
        ] {
            assert!(kind_of(name, bytes).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_in_a_header_cannot_end_it() {
        assert_eq!(plain("a\"; x=\u{e9}.pdf"), "a__ x__.pdf");
    }
}
