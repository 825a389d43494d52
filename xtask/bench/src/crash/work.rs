//! The month's work that a killed server must finish: every request, in order.

/// One request of the work. What is in brackets is taken from an earlier answer.
pub struct Step {
    pub name: &'static str,
    pub who: Who,
    pub method: &'static str,
    pub path: &'static str,
    pub kind: &'static str,
    pub body: Body,
    /// Fields of the answer to remember, under their names.
    pub keep: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub enum Who {
    Admin,
    Finance,
}

pub enum Body {
    None,
    Text(&'static str),
    /// Deals of a number, with a first day of January plus so many days.
    Deals(u32, u32),
}

pub const JSON: &str = "application/json";
pub const CSV: &str = "text/csv";

const fn step(
    name: &'static str,
    who: Who,
    method: &'static str,
    path: &'static str,
    kind: &'static str,
    body: Body,
    keep: &'static [&'static str],
) -> Step {
    Step { name, who, method, path, kind, body, keep }
}

/// The work of a month, in order.
pub const WORK: &[Step] = &[
    step("import", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(0, 0), &[]),
    step("run", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
    step(
        "adjust",
        Who::Admin,
        "POST",
        "/api/v1/imports?entity=adjustments",
        CSV,
        Body::Text("adjustment_id,payee_id,period_id,amount,reason\nA1,ana,2026-01,12.5,goodwill\n"),
        &["change_id"],
    ),
    step("read the change", Who::Finance, "GET", "/api/v1/changes/{change_id}", JSON, Body::None, &["content_hash"]),
    step(
        "approve the change",
        Who::Finance,
        "POST",
        "/api/v1/changes/{change_id}/approval",
        JSON,
        Body::Text("{\"content_hash\":\"{content_hash}\"}"),
        &["job_id"],
    ),
    step("import again", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(1, 20), &[]),
    step("run again", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
    step("review", Who::Admin, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"in-review\"}"), &[]),
    step("approve", Who::Finance, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"approved\"}"), &[]),
    step("close", Who::Finance, "POST", "/api/v1/periods/2026-01/state", JSON, Body::Text("{\"to\":\"closed\"}"), &[]),
    step(
        "draft a payout",
        Who::Admin,
        "POST",
        "/api/v1/payouts",
        JSON,
        Body::Text("{\"period_id\":\"2026-01\",\"pay_on\":\"2026-02-10\"}"),
        &["batch_id", "content_hash"],
    ),
    step("review the payout", Who::Admin, "POST", "/api/v1/payouts/{batch_id}/review", JSON, Body::Text("{}"), &[]),
    step(
        "approve the payout",
        Who::Finance,
        "POST",
        "/api/v1/payouts/{batch_id}/approval",
        JSON,
        Body::Text("{\"content_hash\":\"{content_hash}\"}"),
        &[],
    ),
    step("export the payout", Who::Finance, "POST", "/api/v1/payouts/{batch_id}/export", JSON, Body::Text("{}"), &[]),
    step(
        "confirm the payout",
        Who::Finance,
        "POST",
        "/api/v1/payouts/{batch_id}/confirmation",
        JSON,
        Body::Text("{\"reference\":\"bank 1\",\"paid_on\":\"2026-02-10\"}"),
        &[],
    ),
    step("import late", Who::Admin, "POST", "/api/v1/imports?entity=transactions", CSV, Body::Deals(2, 5), &[]),
    step("run at last", Who::Admin, "POST", "/api/v1/runs", JSON, Body::Text("{}"), &["job_id"]),
];

/// Thirty deals of three sellers.
pub fn deals(batch: u32, first_day: u32) -> String {
    let mut csv = "transaction_id,kind,ordered_on,payee_id,amount,currency\n".to_owned();
    for index in 0..30 {
        let day = 1 + (first_day + index * 2) % 28;
        let month = 1 + index % 3;
        let payee = ["ana", "ben", "cem"][(index % 3) as usize];
        csv.push_str(&format!(
            "T{batch}-{index:02},order,2026-{month:02}-{day:02},{payee},{}.{:02},USD\n",
            100 + index * 37 + batch,
            index
        ));
    }
    csv
}
