//! What a script can write at a point, each name with its sentence: the columns of the contract, the settings, the functions, the
//! words of the language. An editor completes from it; a test keeps it whole.

use super::builtin::BUILTINS;
use super::header::Header;
use super::{entry_signature, plans};
use attain_domain::point::{ColumnKind, Fault, Point};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    Input,
    Function,
    Setting,
    Keyword,
}

impl NameKind {
    pub fn name(self) -> &'static str {
        match self {
            NameKind::Input => "input",
            NameKind::Function => "function",
            NameKind::Setting => "setting",
            NameKind::Keyword => "keyword",
        }
    }
}

/// A name that a script can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub name: String,
    pub kind: NameKind,
    pub signature: String,
    pub doc: String,
}

/// What the columns of the first input table mean, by point. A group is listed without its `.*`.
const INPUTS: &[(Point, &str, &str)] = &[
    (Point::Compensation, "payee_id", "Who is paid."),
    (Point::Compensation, "period_id", "The period that the row is for."),
    (
        Point::Compensation,
        "transaction_id",
        "The transaction that the row is for; no value unless the component pays each credit by itself.",
    ),
    (Point::Compensation, "credited", "What the measure came to in this row alone: `to_date - prior`."),
    (Point::Compensation, "prior", "What the measure came to before this row, since the component began to add up."),
    (Point::Compensation, "to_date", "What the measure came to with this row, since the component began to add up."),
    (Point::Compensation, "quota", "The quota against `to_date`; no value where there is none."),
    (Point::Compensation, "attainment", "`to_date ÷ quota`, 1 on quota; no value without a quota."),
    (Point::Compensation, "target", "The variable pay of the period at full attainment, from the plan's assignment."),
    (Point::Compensation, "inputs", "Other measures that the component names, `to_date` like the main one."),
    (Point::Compensation, "params", "Values of this payee from `parameters.csv`, else the component's own."),
    (Point::Compensation, "rate_label", "The table row or the rate rule that gave a looked-up rate; no value where none did."),
    (Point::Kpi, "payee_id", "Whose figure it is."),
    (Point::Kpi, "period_id", "The period that the row is for."),
    (Point::Kpi, "attained", "What the first measure with a quota came to."),
    (Point::Kpi, "quota", "The quota against `attained`; no value where there is none."),
    (Point::Kpi, "earned", "What was earned in the period."),
    (Point::Kpi, "won_count", "Opportunities won in the period."),
    (Point::Kpi, "won_amount", "Their amount in the company's currency."),
    (Point::Kpi, "won_days", "The days from creation to close of all of them together."),
    (Point::Kpi, "lost_count", "Opportunities lost in the period."),
    (Point::Kpi, "open_count", "Opportunities that are open."),
    (Point::Kpi, "open_amount", "Their amount in the company's currency."),
    (Point::Crediting, "transaction_id", "The transaction that the row is."),
    (Point::Crediting, "kind", "`order`, `invoice`, `payment`, `return` or `cancellation`."),
    (Point::Crediting, "tested_on", "The day that decides its period and its owner, counted from 1970-01-01."),
    (Point::Crediting, "account_id", "The customer; no value where there is none."),
    (Point::Crediting, "territory_id", "The territory of the account on that day."),
    (Point::Crediting, "product_id", "The product; no value where there is none."),
    (Point::Crediting, "family_id", "The family of the product."),
    (Point::Crediting, "tag", "The transaction's tag; no value where there is none."),
    (Point::Crediting, "amount", "The amount in the company's currency."),
    (Point::Crediting, "quantity", "The quantity; no value where there is none."),
    (Point::Crediting, "margin", "Amount less cost in the company's currency; no value without a cost."),
    (Point::Crediting, "discount", "The discount as a share of the price; no value where there is none."),
    (Point::Crediting, "claims_from", "The number of the transaction's first claim; `claim(…)` is easier."),
    (Point::Crediting, "claims_until", "The number after the transaction's last claim."),
];

const KEYWORDS: &[(&str, &str, &str)] = &[
    ("let", "let name = value;", "Gives a value a name."),
    ("const", "const name = value;", "Gives a value a name that cannot be given another."),
    ("if", "if condition { … } else { … }", "The value of one of two blocks; without `else` no value otherwise."),
    ("else", "if condition { … } else { … }", "The block that counts where the condition is false."),
    ("switch", "switch value { 1 => …, _ => … }", "The value that stands beside the matching one; the formula then runs row by row."),
    ("for", "for item in list { … }", "Goes through a list; the formula then runs row by row."),
    ("in", "item in list", "Whether a list, a map or a text contains it."),
    ("while", "while condition { … }", "Repeats a block; the formula then runs row by row."),
    ("loop", "loop { … }", "Repeats a block until `break`; the formula then runs row by row."),
    ("break", "break", "Leaves the loop."),
    ("continue", "continue", "Goes on with the next turn of the loop."),
    ("fn", "fn name(a, b) { … }", "A function of one's own."),
    ("return", "return value", "Ends the script or the function with a value."),
    ("true", "true", "A condition that holds."),
    ("false", "false", "A condition that does not hold."),
];

fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Integer => "integer",
        ColumnKind::Money => "amount",
        ColumnKind::Rate => "rate",
    }
}

/// All names at a point, inputs first.
pub fn language(point: Point) -> Vec<Name> {
    let mut names = Vec::new();
    let mut add = |name: &str, kind, signature: String, doc: &str| {
        names.push(Name { name: name.to_owned(), kind, signature, doc: doc.to_owned() });
    };
    if plans(point) {
        add("input", NameKind::Input, entry_signature(point).to_owned(), "The input tables of the point, each a list of rows.");
        for table in point.contract().input {
            let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            let doc = format!("A table with the columns {}.", columns.join(", "));
            add(&format!("input.{}", table.name), NameKind::Input, format!("input.{}[0].{}", table.name, columns[0]), &doc);
        }
    } else {
        for (column, kind) in point.contract().input[0].columns {
            let name = column.strip_suffix(".*").unwrap_or(column);
            let doc = INPUTS.iter().find(|(own, known, _)| *own == point && *known == name).map_or("", |(_, _, doc)| doc);
            let group = if name == *column { "" } else { ".name" };
            add(name, NameKind::Input, format!("{name}{group}: {}", kind_name(*kind)), doc);
        }
    }
    add("settings", NameKind::Input, "settings.name".to_owned(), "What the plan or `company.toml` sets for this use of the script.");
    for builtin in BUILTINS.iter().filter(|builtin| builtin.is_at(point)) {
        add(builtin.name, NameKind::Function, format!("{}({})", builtin.name, builtin.parameters.join(", ")), builtin.doc);
    }
    add("push", NameKind::Function, "list.push(x)".to_owned(), "Adds a value to a list; the formula then runs row by row.");
    for (name, signature, doc) in KEYWORDS {
        add(name, NameKind::Keyword, (*signature).to_owned(), doc);
    }
    names
}

/// The settings that a script's manifest declares, as `settings.<name>`.
pub fn settings(name: &str, source: &str) -> Result<Vec<Name>, Fault> {
    let header = Header::parse(name, source)?;
    let setting = |(name, property): (&String, &serde_json::Value)| {
        let text = |key: &str| match property.get(key) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let default = Some(text("default")).filter(|default| !default.is_empty());
        let doc = [text("description"), default.as_ref().map_or_else(String::new, |default| format!("{default} where it is not given."))];
        let doc: Vec<&str> = doc.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        Name {
            name: format!("settings.{name}"),
            kind: NameKind::Setting,
            signature: format!("settings.{name}"),
            doc: if doc.is_empty() { "A setting of this script.".to_owned() } else { doc.join(" ") },
        }
    };
    Ok(header.properties().into_iter().flatten().map(setting).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_script_can_use_has_its_sentence() {
        for point in Point::ALL {
            let names = language(point);
            for name in &names {
                assert!(name.doc.ends_with('.') && name.doc.len() > 5, "`{}` at `{point}` has no sentence", name.name);
                assert!(!name.signature.is_empty(), "`{}`", name.name);
            }
            for variable in super::super::variables(point) {
                assert!(names.iter().any(|name| name.name == variable), "`{variable}` at `{point}` is not listed");
            }
        }
        for (point, name, _) in INPUTS {
            let known = super::super::variables(*point);
            assert!(known.iter().any(|variable| variable == name), "`{name}` is no input at `{point}`");
        }
        for builtin in BUILTINS {
            assert!(builtin.doc.ends_with('.'), "{}", builtin.name);
            assert!(Point::ALL.into_iter().any(|point| language(point).iter().any(|name| name.doc == builtin.doc)), "{}", builtin.name);
        }
    }

    #[test]
    fn settings_are_those_of_the_manifest() {
        let source = "//! name = \"flat\"\n//! point = \"compensation\"\n//! [settings.properties.rate]\n//! default = \"0.1\"\n//! description = \"Paid on everything.\"\ncredited * settings.rate";
        let names = settings("flat", source).expect("settings");
        assert_eq!((names[0].name.as_str(), names[0].doc.as_str()), ("settings.rate", "Paid on everything. 0.1 where it is not given."));
    }
}
