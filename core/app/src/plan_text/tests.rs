//! What a seller reads in her plan: sentences and figures as she would write them, for every condition that a component can have.

use super::*;
use std::collections::BTreeMap;

const SETTINGS: &str = r#"format = 1
name = "Small"
currency = "USD"

[calendar]
pattern = "months"
first = "2026-01-01"
years = 1

[crediting]
rules = [{ extension = "credit-direct" }]

[[measures]]
id = "bookings"
name = "Bookings"

[[measures]]
id = "logos"
name = "New customers"
value = "count"

[[measures]]
id = "units"
value = "units"
"#;

/// The text of a plan for Ana, who is on it from the first day.
fn text_of(plan: &str, more: &[(&str, &str)]) -> PlanText {
    let mut files = BTreeMap::from([
        ("company.toml".to_owned(), SETTINGS.to_owned()),
        ("plans/p.toml".to_owned(), plan.to_owned()),
        ("payees.csv".to_owned(), "payee_id\nana\n".to_owned()),
        ("plan_assignments.csv".to_owned(), "payee_id,plan_id,from_on,target\nana,p,2026-01-01,12500.5\n".to_owned()),
    ]);
    files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let company = crate::folder::from_files(&files).unwrap_or_else(|problems| panic!("{:?}", problems.lines()));
    let assignments = company.assignments();
    let from = "2026-01-01".parse().expect("a day");
    plan_text(&Subject {
        company: &company,
        assignments: &assignments,
        payee_id: "ana",
        payee_name: "Ana",
        plan: &company.plans[0].plan,
        from,
        until: None,
    })
}

fn component(rest: &str) -> String {
    format!("id = \"p\"\n\n[[components]]\nid = \"c\"\nname = \"Commission\"\nmeasure = \"bookings\"\nquota = \"bookings\"\n{rest}")
}

/// All paragraphs of the section with that heading.
fn said(text: &PlanText, heading: &str) -> Vec<String> {
    let section = text.sections.iter().find(|own| own.heading == heading).unwrap_or_else(|| panic!("no section {heading}: {text:?}"));
    section.paragraphs.clone()
}

fn has(paragraphs: &[String], wanted: &[&str]) {
    for words in wanted {
        assert!(paragraphs.iter().any(|own| own == words), "`{words}` is not in {paragraphs:#?}");
    }
}

#[test]
fn a_rate_of_what_is_counted_is_an_amount_for_each() {
    let logos = "id = \"p\"\n\n[cap]\nper = \"quarter\"\namount = \"60000\"\n\n[[components]]\nid = \"c\"\nmeasure = \"logos\"\nformula = \"comp-flat\"\n\
                 settings = { rate = \"1200\" }\ncap = { per = \"quarter\", amount = \"9600\" }\n";
    let text = text_of(logos, &[]);
    has(&said(&text, "c"), &["Rate: 1,200 USD for each credit.", "It pays at most 9,600 USD a quarter."]);
    has(&said(&text, "This plan"), &["All components together pay at most 60,000 USD a quarter."]);
    let bookings = text_of(&component("formula = \"comp-flat\"\nsettings = { rate = \"0.0425\" }\n"), &[]);
    has(&said(&bookings, "Commission"), &["Rate: 4.25 %.", "It is computed by the formula comp-flat."]);
}

#[test]
fn a_formula_of_several_ways_names_its_way_and_every_setting_is_read() {
    let rest = "formula = \"comp-tiers\"\n\n[components.settings]\nformula = \"accelerator\"\nrate = \"0.05\"\naccelerated_rate = \"0.1\"\n\
                threshold = \"0.8\"\nretroactive = true\n";
    let words = said(&text_of(&component(rest), &[]), "Commission");
    has(&words, &["Accelerated rate: 10 %.", "Rate: 5 %.", "Threshold: 80 %.", "Retroactive: yes."]);
    has(&words, &["It is computed by the formula comp-tiers (accelerator)."]);
    assert!(words.iter().all(|own| !own.starts_with("formula") && !own.starts_with("Formula")), "{words:#?}");
    let prizes = "formula = \"comp-rank\"\nrank = { by = \"value\" }\n\n[components.settings]\nprizes = { 1 = \"5000\", 2 = \"2500.5\" }\n";
    has(&said(&text_of(&component(prizes), &[]), "Commission"), &["Prizes: 1: 5,000 USD; 2: 2,500.50 USD."]);
}

#[test]
fn tiers_are_written_by_what_they_are_tiers_of() {
    let rows = |text: &PlanText, heading: &str| {
        let section = text.sections.iter().find(|own| own.heading == heading).expect("a section");
        let kinds: Vec<String> = section.columns.iter().map(|own| format!("{} {}", own.name, own.kind)).collect();
        let rows: Vec<Vec<String>> =
            section.rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect()).collect();
        (kinds, rows)
    };
    let by_amount = text_of(
        &component(
            "formula = \"comp-tiered\"\nsettings = { tiers = [{ from = \"0\", rate = \"0.05\" }, { from = \"150000\", rate = \"0.08\" }] }\n",
        ),
        &[],
    );
    let (kinds, cells) = rows(&by_amount, "Commission");
    assert_eq!(kinds, ["Tier text", "From amount", "Up to amount", "Rate rate"]);
    assert_eq!(cells, [["1", "0", "150000", "0.05"], ["2", "150000", "", "0.08"]]);
    let printed = by_amount.markdown().replace(['\u{a0}', '\u{202f}'], " ");
    assert!(printed.contains("| 1 | 0.00 | 150,000.00 | 5 % |"), "{printed}");

    let by_units = "id = \"p\"\n\n[[components]]\nid = \"c\"\nmeasure = \"units\"\nformula = \"comp-tiered\"\n\
                    settings = { tiers = [{ from = \"0\", rate = \"2.5\" }, { from = \"1000\", rate = \"4\" }] }\n";
    let (kinds, cells) = rows(&text_of(by_units, &[]), "c");
    assert_eq!(kinds, ["Tier text", "From text", "Up to text", "Rate text"]);
    assert_eq!(cells, [["1", "0", "1,000", "2.50 USD for each unit"], ["2", "1,000", "", "4 USD for each unit"]]);

    let over = "formula = \"comp-tiered\"\n\n[components.settings]\nmethod = \"overage-multiplier\"\nby = \"attainment\"\nrate = \"0.06\"\n\
                tiers = [{ from = \"0\", rate = \"1\" }, { from = \"1.2\", rate = \"1.5\" }]\n";
    let text = text_of(&component(over), &[]);
    let (kinds, cells) = rows(&text, "Commission");
    assert_eq!(kinds, ["Tier text", "From rate", "Up to rate", "Multiplier text"]);
    assert_eq!(cells[1], ["2", "1.2", "", "1.5 ×"]);
    has(&said(&text, "Commission"), &["Rate up to quota: 6 %."]);
}

#[test]
fn every_condition_has_its_sentence() {
    let rest = r#"formula = "comp-flat"
params = { bonus = "2500", factor = "1.25" }
lookups = { rate = "by-size" }
hurdle = { amount = "10000" }
requires = ["other"]
once = true
once_per = "year"
floor = { amount = "1500" }
pool = { rate = "0.02", among = "plan", share = "equal" }
rank = { by = "value", among = "team" }

[[components.multipliers]]
by = "attainment"
between = "linear"
below = "0.5"
steps = [{ from = "0.8", factor = "0.9" }, { from = "1.2", factor = "1.5" }]

[[components.gates]]
by = "value"
measure = "logos"
at_least = "1000"
otherwise = "rate"
rate = "0.5"

[[components.gates]]
by = "attainment"
at_least = "0.75"
over = "year"

[[components]]
id = "other"
measure = "bookings"
accumulate = "transaction"
formula = "comp-rules"

[components.rates]
choice = "narrowest"
rules = [
    { label = "large", where = [{ field = "amount", at_least = "250000" }, { field = "discount", below = "0.1" }], rate = "0.08" },
    { where = [{ field = "margin-rate", at_least = "0.4" }], amount_per_unit = "12.5" },
    { amount = "1000" },
]

[tables.by-size]
dimensions = [{ name = "amount", kind = "range" }]
rows = [
    { when = { amount = { until = "50000" } }, result = "0.04" },
    { when = { amount = { from = "50000" } }, result = "0.06" },
]
"#;
    let text = text_of(&component(rest), &[]);
    let words = said(&text, "Commission");
    has(
        &words,
        &[
            "Bonus: 2,500 USD, unless another value was agreed with you.",
            "Factor: 1.25, unless another value was agreed with you.",
            "Only what lies above 10,000 USD counts.",
            "Rate is looked up in the table by-size, unless another value was agreed with you.",
            "Table by-size (the first row that fits counts): amount up to 50,000: 4 %; amount from 50,000 on: 6 %.",
            "You are ranked among those in your team by the result of “Bookings”: the highest is first; after equals as many places are left out.",
            "A pool of 2 % of the result of “Bookings” of all of them is shared among all who are on this plan in equal parts.",
            "It is multiplied by a factor for the attainment of “Bookings”: 0.5 below, 0.9 from 80 % on and 1.5 from 120 % on, on a line between \
             these.",
            "Where the result of “New customers” (number of credits) is below 1,000, 50 % of it is paid.",
            "Where the attainment of “Bookings” over the year is below 75 %, nothing of it is paid.",
            "It is paid only where you earn something with other.",
            "Where it pays something, it pays at least 1,500 USD.",
            "It is paid once a year: the first time that it pays something.",
        ],
    );
    has(
        &said(&text, "other"),
        &[
            "The rate of a credit comes from rules (the rule that says most counts): large, amount at least 250,000 and discount below 10 %: 8 %; \
           margin rate at least 40 %: 12.50 USD a unit; everything: 1,000 USD.",
        ],
    );
}

#[test]
fn own_values_are_written_like_those_of_the_plan() {
    let plan = component(
        "formula = \"comp-tiered\"\nsettings = { tiers = [{ from = \"0\", rate = \"0.05\" }, { from = \"1000\", rate = \"0.08\" }] }\n",
    );
    let more = [
        ("parameters.csv", "payee_id,plan_id,name,from_on,value\nana,p,ote,2026-01-01,150000\nana,p,base_rate,2026-01-01,0.07\n"),
        ("plan_overrides.csv", "payee_id,plan_id,path,from_on,until_on,value\nana,p,c.settings.tiers.2.rate,2026-03-01,2026-06-01,0.095\n"),
    ];
    has(
        &said(&text_of(&plan, &more), "Your own figures"),
        &[
            "Target pay from 2026-01-01 on: 12,500.50 USD a period.",
            "Ote from 2026-01-01 on: 150,000 USD.",
            "Base rate from 2026-01-01 on: 7 %.",
            "Commission, tier 2, rate is 9.5 % in place of 8 %, from 2026-03-01 up to and with 2026-05-31.",
        ],
    );
}
