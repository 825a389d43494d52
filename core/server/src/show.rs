//! How results look on a terminal: tables and trees, or one JSON document.

mod people;

use anyhow::Result;
use attain_app::accounting::{AccrualReport, Amortization, JournalLine};
use attain_app::check::Report;
use attain_app::company::Receipt;
use attain_app::credit_preview::{CreditPath, CreditPreview};
use attain_app::explain::Node;
use attain_app::extensions::{CaseReport, InstalledExtension};
use attain_app::payouts::{PayoutHead, PayoutView};
use attain_app::periods::PeriodView;
use attain_app::planning::{Forecast, QuotaProposal, TerritoryProposal};
use attain_app::runs::{RunHead, RunReport, Verdict};
use attain_app::summary::Summary;
use attain_domain::fixed::{self, MONEY_SCALE};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::Write;

#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
}

/// Two decimals and separators between thousands, as people read amounts.
pub fn amount(value: i64) -> String {
    let rounded = fixed::to_decimal(value, MONEY_SCALE).round_dp(2);
    let text = format!("{:.2}", rounded.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{grouped}.{cents}", if rounded.is_sign_negative() && !rounded.is_zero() { "-" } else { "" })
}

/// How somebody is shown of whom one may not know, or a seat without anybody.
fn shown_payee(payee_id: Option<&String>, name: &str) -> String {
    match payee_id {
        None => "-".to_owned(),
        Some(id) if name.is_empty() => id.clone(),
        Some(id) => format!("{id} {name}"),
    }
}

fn shown_path(path: &CreditPath) -> String {
    let mut words = vec![path.kind.clone()];
    words.extend(path.coverage_id.clone());
    words.extend(path.name.as_ref().map(|name| format!("as {name}")));
    words.extend(path.position_id.as_ref().map(|position| format!("at {position}")));
    if !path.from.is_empty() {
        let from: Vec<&str> = path.from.iter().map(|payee| payee.as_deref().unwrap_or("-")).collect();
        words.push(format!("from {}", from.join(" → ")));
    }
    words.join(" ")
}

/// A line under the header and none between rows.
const LINES: TableStyle = presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(LINES).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(Cell::new));
    table
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// As much as fits a terminal beside the other columns.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 110;
    if text.chars().count() <= CHARACTERS { text.to_owned() } else { format!("{}…", text.chars().take(CHARACTERS).collect::<String>()) }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

impl Output {
    fn write(self, text: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        // A closed pipe (`attain … | head`) is not a failure of the command.
        match writeln!(out, "{text}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    fn either(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        if self.json { self.write(&serde_json::to_string_pretty(value)?) } else { self.write(&text()) }
    }

    pub fn line(self, text: &str) -> Result<()> {
        self.either(&serde_json::json!({ "message": text }), || text.to_owned())
    }

    pub fn credit_preview(self, preview: &CreditPreview) -> Result<()> {
        self.either(preview, || {
            let mut credits = table(&["payee", "kind", "rule", "share", "amount", "via"]);
            for own in &preview.credits {
                let via: Vec<String> = own.via.iter().map(shown_path).collect();
                credits.add_row([
                    Cell::new(shown_payee(own.payee_id.as_ref(), &own.payee_name)),
                    Cell::new(&own.kind),
                    Cell::new(&own.rule),
                    right(&own.share),
                    right(&own.amount),
                    Cell::new(via.join(", ")),
                ]);
            }
            let mut others = table(&["not credited", "via", "why"]);
            for own in &preview.not_credited {
                let payee = shown_payee(own.payee_id.as_ref(), &own.payee_name);
                others.add_row([Cell::new(payee), Cell::new(shown_path(&own.via)), Cell::new(own.why.join(", "))]);
            }
            let mut text = format!(
                "{} {} in {}, territory {}",
                preview.amount,
                preview.currency,
                preview.period_id.as_deref().unwrap_or("no period"),
                preview.territory_id.as_deref().unwrap_or("-")
            );
            for (holds, words) in [(preview.house, "the house keeps it"), (preview.windfall, "somebody would look at it first")] {
                if holds {
                    text = format!("{text}; {words}");
                }
            }
            text = format!("{text}\n{credits}");
            if !preview.not_credited.is_empty() {
                text = format!("{text}\n\n{others}");
            }
            for finding in &preview.findings {
                text = format!("{text}\n{} {}: {}", finding.severity, finding.code, finding.message);
            }
            text
        })
    }

    pub fn amortization(self, report: &Amortization) -> Result<()> {
        self.either(report, || {
            let mut table = table(&["contract", "opening", "correction", "addition", "amortized", "impaired", "closing"]);
            let all = report.contracts.iter().map(|own| (own.contract_id.as_str(), &own.amounts));
            for (name, own) in all.chain([("all", &report.totals)]) {
                let amounts = [&own.opening, &own.correction, &own.addition, &own.amortized, &own.impaired, &own.closing];
                table.add_row(std::iter::once(Cell::new(name)).chain(amounts.map(right)));
            }
            format!("{} of run {}, in {}\n{table}", report.head.period_id, short(&report.head.run_id), report.head.currency)
        })
    }

    pub fn accruals(self, report: &AccrualReport) -> Result<()> {
        self.either(report, || {
            let mut table = table(&[
                "payee",
                "plan",
                "component",
                "earned",
                "accrual",
                "reversal",
                "expected",
                "at",
                "result",
                "pays by the end",
                "elapsed",
            ]);
            for own in &report.lines {
                let names = [&own.payee_id, &own.plan_id, &own.component_id].map(Cell::new);
                let amounts = [&own.earned, &own.accrual, &own.reversal, &own.expected].map(right);
                let details = [&own.basis, &own.result, &own.by_the_end, &own.elapsed];
                table.add_row(names.into_iter().chain(amounts).chain(details.map(|own| right(own.as_deref().unwrap_or_default()))));
            }
            let all = &report.totals;
            let names = ["all", "", ""].map(Cell::new);
            table.add_row(names.into_iter().chain([&all.earned, &all.accrual, &all.reversal, &all.expected].map(right)));
            format!("{} of run {}, in {}\n{table}", report.head.period_id, short(&report.head.run_id), report.head.currency)
        })
    }

    pub fn journal(self, lines: &[JournalLine]) -> Result<()> {
        self.either(&lines, || {
            let mut table = table(&["day", "account", "debit", "credit", "text"]);
            for own in lines {
                let side = |amount: &Option<String>| right(amount.as_deref().unwrap_or_default());
                let (day, account, text) = (Cell::new(&own.dated_on), Cell::new(&own.account), Cell::new(&own.text));
                table.add_row([day, account, side(&own.debit), side(&own.credit), text]);
            }
            table.to_string()
        })
    }

    pub fn bundle(self, verdict: &attain_verify::Verdict) -> Result<()> {
        self.either(verdict, || verdict.text())
    }

    /// Those that apply, with their other values, then those that do not and why.
    pub fn plan_reasons(self, reasons: &attain_app::plan_versions::PlanReasons) -> Result<()> {
        self.either(reasons, || {
            let mut lines = vec![format!("{} on {}", reasons.payee_id, reasons.on)];
            for own in &reasons.plans {
                let how = own.rule_id.as_ref().map_or_else(|| "own assignment".to_owned(), |rule| format!("rule {rule} ({})", own.level));
                let file = own.plan_file.as_ref().map_or(String::new(), |file| format!(", plans/{file}"));
                match &own.why_not {
                    None => lines.push(format!("  on {} by {how}{file}", own.plan_id)),
                    Some(why) => lines.push(format!("  not on {} by {how}: {why}", own.plan_id)),
                }
                let other = |own: &attain_app::plan_versions::OverrideView| {
                    format!("    {} is {} in place of {}", own.path, own.value, own.otherwise.as_deref().unwrap_or("nothing"))
                };
                lines.extend(own.overrides.iter().map(other));
            }
            if reasons.plans.is_empty() {
                lines.push("  on no plan: there is no assignment and no rule".to_owned());
            }
            lines.join("\n")
        })
    }

    /// A remark that is not part of the result.
    pub fn note(self, text: &str) -> Result<()> {
        if !self.json && !self.quiet {
            eprintln!("{text}");
        }
        Ok(())
    }

    pub fn json_or_text(self, value: &serde_json::Value) -> Result<()> {
        self.write(&serde_json::to_string_pretty(value)?)
    }

    pub fn progress(self, what: &'static str, count: u64) -> ProgressBar {
        let target = if self.quiet || self.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(count), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        bar
    }

    pub fn receipt(self, receipt: &Receipt) -> Result<()> {
        self.either(receipt, || {
            let mut table = table(&["entity", "new", "changed", "removed"]);
            for change in receipt.changes.iter().filter(|change| change.inserted + change.changed + change.removed > 0) {
                table.add_row([Cell::new(&change.entity), right(change.inserted), right(change.changed), right(change.removed)]);
            }
            let documents = if receipt.documents.is_empty() { "none".to_owned() } else { receipt.documents.join(", ") };
            let done = if receipt.is_empty() { "nothing changed".to_owned() } else { format!("{table}\ndocuments: {documents}") };
            receipt.lints.iter().fold(done, |text, lint| format!("{text}\n{lint}"))
        })
    }

    pub fn payouts(self, all: &[PayoutHead]) -> Result<()> {
        self.either(&all, || {
            let mut table = table(&["payout", "group", "period", "pay on", "state", "payees", "amount", "currency"]);
            for own in all {
                table.add_row([
                    Cell::new(&own.batch_id),
                    Cell::new(&own.pay_group_id),
                    Cell::new(&own.period_id),
                    Cell::new(&own.pay_on),
                    Cell::new(&own.state),
                    right(own.payee_count),
                    right(&own.amount),
                    Cell::new(&own.currency),
                ]);
            }
            table.to_string()
        })
    }

    pub fn payout(self, own: &PayoutView) -> Result<()> {
        self.either(own, || {
            let mut table = table(&["payee", "state", "amount", "company amount", "left", "flags", "reference"]);
            for line in &own.lines {
                table.add_row([
                    Cell::new(&line.payee_id),
                    Cell::new(&line.state),
                    right(&line.amount),
                    right(&line.company_amount),
                    right(&line.left_amount),
                    Cell::new(line.flags.join(" ")),
                    Cell::new(&line.reference),
                ]);
            }
            let head = &own.head;
            format!(
                "{table}\n{} is {}: {} {} to {} payees\ncontent hash {}",
                head.batch_id, head.state, head.amount, head.currency, head.payee_count, head.content_hash
            )
        })
    }

    pub fn changes(self, changes: &[String]) -> Result<()> {
        self.either(&changes, || if changes.is_empty() { "no difference".to_owned() } else { changes.join("\n") })
    }

    pub fn test(self, report: &Report) -> Result<()> {
        self.either(report, || {
            let mut text = String::new();
            for case in &report.cases {
                if case.passed() {
                    text.push_str(&format!("ok    {}\n", case.folder));
                    continue;
                }
                text.push_str(&format!("FAIL  {}\n", case.folder));
                for problem in &case.problems {
                    text.push_str(&format!("      {problem}\n"));
                }
                if !case.differences.is_empty() {
                    let mut table = table(&["table", "key", "column", "expected", "actual"]);
                    for row in &case.differences {
                        table.add_row([
                            Cell::new(&row.table),
                            Cell::new(&row.key),
                            Cell::new(&row.column),
                            right(&row.expected),
                            right(&row.actual),
                        ]);
                    }
                    text.push_str(&format!("{table}\n"));
                }
            }
            format!("{text}{} passed, {} failed", report.passed(), report.failed())
        })
    }

    pub fn run(self, report: &RunReport) -> Result<()> {
        self.either(report, || {
            let mut text =
                format!("run {}  {}\n", report.run_id, if report.complete { "complete" } else { "INCOMPLETE: nothing was posted" });
            if report.repeated {
                text.push_str("the same inputs were calculated before; nothing new to store\n");
            }
            let stages = report.stages.iter().map(|(name, ms)| format!("{name} {ms} ms")).collect::<Vec<_>>().join(" · ");
            text.push_str(&format!("stages: {stages}\n"));
            text.push_str(&format!("rows: {} read and made, {} of them stored anew\n", report.row_count, report.written_row_count));
            let mut totals = table(&["control total", "value"]);
            for (name, value) in &report.totals {
                totals.add_row([Cell::new(name), right(value)]);
            }
            text.push_str(&format!("{totals}\n"));
            text.push_str(&format!("postings: {} lines, {} {}\n", report.posted_count, report.posted_amount, report.currency));
            text.push_str(&findings(&report.findings));
            text
        })
    }

    pub fn runs(self, runs: &[RunHead]) -> Result<()> {
        self.either(&runs, || {
            let mut table = table(&["run", "state", "recorded"]);
            for run in runs {
                let state = if run.complete { "complete" } else { "incomplete" };
                table.add_row([Cell::new(&run.run_id), Cell::new(state), Cell::new(&run.recorded_at)]);
            }
            table.to_string()
        })
    }

    pub fn periods(self, periods: &[PeriodView]) -> Result<()> {
        self.either(&periods, || {
            let mut table = table(&["period", "from", "until", "state", "since"]);
            for period in periods {
                let since = period.steps.last().map_or("", |step| step.recorded_at.as_str());
                table.add_row([&period.period_id, &period.from, &period.until, period.state.name(), since].map(Cell::new));
            }
            table.to_string()
        })
    }

    pub fn verdict(self, verdict: &Verdict) -> Result<()> {
        self.either(verdict, || {
            let word = if verdict.equal { "equal: the run was computed again to the same byte" } else { "DIFFERENT" };
            let mut text = format!("recorded   {}\nrecomputed {}\n{word}", verdict.run_id, verdict.recomputed);
            for difference in &verdict.differences {
                text.push_str(&format!("\n  {difference}"));
            }
            text
        })
    }

    pub fn explanation(self, node: &Node) -> Result<()> {
        self.either(node, || tree(node))
    }

    pub fn summary(self, summary: &Summary) -> Result<()> {
        self.either(summary, || {
            let mut text = format!(
                "{} · {} payees · {} periods · pay in {}\n",
                summary.company, summary.payee_count, summary.period_count, summary.currency
            );
            let mut payees = table(&["payee", "name", "plan", "attainment", "earned", "paid"]);
            for payee in &summary.payees {
                let attainment = payee.attainment.clone().map_or_else(|| "-".to_owned(), |rate| format!("{rate} %"));
                payees.add_row([
                    Cell::new(&payee.payee_id),
                    Cell::new(&payee.name),
                    Cell::new(&payee.plans),
                    right(attainment),
                    right(amount(payee.earned_scaled)),
                    right(amount(payee.paid_scaled)),
                ]);
            }
            text.push_str(&format!("\nWho earned what (largest first, {} of {})\n{payees}\n", summary.payees.len(), summary.payee_count));
            text.push_str(&format!(
                "all payees: earned {} {}, paid {} {}\n",
                amount(summary.earned_scaled),
                summary.currency,
                amount(summary.paid_scaled),
                summary.currency
            ));
            if !summary.kpis.is_empty() {
                let line = summary.kpis.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" · ");
                text.push_str(&format!("median key figures of the last period: {line}\n"));
            }
            if let Some(example) = &summary.example {
                text.push_str(&format!("\nOne payout, line by line\n{}\n", tree(example)));
            }
            text.push_str(&format!("\n{}", findings(&summary.findings)));
            text.push_str(&format!("run {} ({})", summary.run_id, if summary.complete { "complete" } else { "incomplete" }));
            text
        })
    }

    pub fn territories(self, proposal: &TerritoryProposal) -> Result<()> {
        let imbalance = proposal.imbalance();
        let value = serde_json::json!({
            "from": proposal.from, "by": proposal.by, "moves": proposal.moves.len(),
            "imbalance_per_mille": imbalance.iter().map(|(name, before, after)| serde_json::json!({"measure": name, "before": before, "after": after})).collect::<Vec<_>>(),
        });
        self.either(&value, || {
            let mut table = table(&["measure", "largest ÷ mean before", "after"]);
            let ratio = |per_mille: i64| format!("{:.3}", rust_decimal::Decimal::new(per_mille, 3));
            for (name, before, after) in &imbalance {
                table.add_row([Cell::new(name), right(ratio(*before)), right(ratio(*after))]);
            }
            format!(
                "territories from {}: {} of {} accounts move ({} {})\n{table}",
                proposal.from,
                proposal.moves.len(),
                proposal.loads.iter().map(|load| load.accounts_after).sum::<usize>(),
                proposal.by.name,
                short(proposal.by.digest.as_str())
            )
        })
    }

    pub fn quotas(self, proposal: &QuotaProposal) -> Result<()> {
        let value = serde_json::json!({
            "measure": proposal.measure_id, "year": proposal.year, "by": proposal.by,
            "total": fixed::format(proposal.total, MONEY_SCALE), "base_total": fixed::format(proposal.base_total, MONEY_SCALE),
            "payees": proposal.payees.iter().map(|(payee, base, quota)| serde_json::json!({
                "payee_id": payee, "result": fixed::format(*base, MONEY_SCALE), "quota": fixed::format(*quota, MONEY_SCALE)})).collect::<Vec<_>>(),
        });
        self.either(&value, || {
            let mut table = table(&["payee", "result of the base year", "quota"]);
            let mut payees: Vec<_> = proposal.payees.iter().collect();
            payees.sort_by(|left, right| right.2.cmp(&left.2).then_with(|| left.0.cmp(&right.0)));
            for (payee, base, quota) in payees.iter().take(8) {
                table.add_row([Cell::new(payee), right(amount(*base)), right(amount(*quota))]);
            }
            format!(
                "quotas for {} in {}: {} over {} payees, from {} ({} {}); the largest:\n{table}",
                proposal.measure_id,
                proposal.year,
                amount(proposal.total),
                proposal.payees.len(),
                amount(proposal.base_total),
                proposal.by.name,
                short(proposal.by.digest.as_str())
            )
        })
    }

    pub fn forecast(self, forecast: &Forecast) -> Result<()> {
        let value = serde_json::json!({
            "measure": forecast.measure_id, "last_period": forecast.last_period, "by": forecast.by,
            "steps": forecast.steps.iter().map(|step| serde_json::json!({
                "series": step.series_id, "period": step.period, "value": fixed::format(step.value, MONEY_SCALE),
                "low": fixed::format(step.low, MONEY_SCALE), "high": fixed::format(step.high, MONEY_SCALE)})).collect::<Vec<_>>(),
        });
        self.either(&value, || {
            let mut table = table(&["period", "forecast", "low (80 %)", "high (80 %)"]);
            for step in forecast.steps.iter().filter(|step| step.series_id == attain_app::planning::COMPANY_SERIES) {
                table.add_row([Cell::new(&step.period), right(amount(step.value)), right(amount(step.low)), right(amount(step.high))]);
            }
            format!("forecast of {} after {}, whole company ({})\n{table}", forecast.measure_id, forecast.last_period, forecast.by.name)
        })
    }

    pub fn cases(self, report: &CaseReport) -> Result<()> {
        self.either(report, || {
            let mut text = format!("{} {} ({})\n", report.name, report.version, report.digest);
            for failure in &report.failures {
                text.push_str(&format!("FAIL  {failure}\n"));
            }
            format!("{text}{} passed, {} failed", report.passed, report.failed)
        })
    }

    pub fn extensions(self, installed: &[InstalledExtension]) -> Result<()> {
        self.either(&installed, || {
            let mut table = table(&["point", "name", "version", "kind", "from", "active", "signed", "digest"]);
            for own in installed {
                let active = if own.active { "yes" } else { "no" };
                table.add_row([&own.point, &own.name, &own.version, &own.origin, &own.source, active, "unsigned", short(&own.digest)]);
            }
            table.to_string()
        })
    }

    pub fn audit(self, report: &attain_app::AuditReport) -> Result<()> {
        self.either(report, || {
            let mut text = format!("{} entries, {} checkpoints, {} rows of the record", report.entries, report.checkpoints, report.rows);
            if report.faults.is_empty() {
                text.push_str(": the chain holds, the rows are those that it tells of");
            }
            for fault in &report.faults {
                text.push_str(&format!("\nFAULT {fault}"));
            }
            text
        })
    }
}

fn findings(findings: &[attain_app::runs::FindingGroup]) -> String {
    if findings.is_empty() {
        return "findings: none\n".to_owned();
    }
    let mut table = table(&["severity", "finding", "count", "for example"]);
    for group in findings {
        table.add_row([Cell::new(&group.severity), Cell::new(&group.code), right(group.count), Cell::new(shortened(&group.example))]);
    }
    format!("findings\n{table}\n")
}

fn tree(node: &Node) -> String {
    fn walk(node: &Node, prefix: &str, own: &str, text: &mut String) {
        text.push_str(&format!("{prefix}{own}{}\n", node.text));
        let below = match own {
            "" => prefix.to_owned(),
            "└─ " => format!("{prefix}   "),
            _ => format!("{prefix}│  "),
        };
        for (index, child) in node.children.iter().enumerate() {
            walk(child, &below, if index + 1 == node.children.len() { "└─ " } else { "├─ " }, text);
        }
    }
    let mut text = String::new();
    walk(node, "", "", &mut text);
    text.trim_end().to_owned()
}
