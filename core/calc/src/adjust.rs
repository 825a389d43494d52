//! Stage 6: adjustments by hand, each with its reason, author and approver. No entity carries them yet, so nothing is changed.

use crate::Run;

pub fn stage(run: &mut Run<'_>) {
    run.row_count = run.earnings.rows.len();
}
