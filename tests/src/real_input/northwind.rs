//! Northwind: nine employees in two levels below the vice president, 2,155 order lines with discounts, rolled up the hierarchy.

use super::{Result, Source, cents, scaled, write_csv, write_text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const COMPANY: &str = r#"format = 1
name = "Northwind"
currency = "USD"

[calendar]
pattern = "quarters"
first = "1996-01-01"
years = 3

[crediting]
rollup = { mode = "gross" }

[[crediting.rules]]
extension = "credit-direct"

[[measures]]
id = "direct"
name = "Own net sales"
credits = ["direct"]

[[measures]]
id = "team"
name = "Net sales of all below"
credits = ["rollup"]
"#;

/// Before the first order and after the last person was hired.
const START: &str = "1996-01-01";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub lines: usize,
    /// Sum of all lines, in cents.
    pub net_cents: i128,
    /// Rows of `expected/measures.csv`.
    pub measures: usize,
}

/// Writes the company folder `out` from the data set in `data`: a transaction for each order line, net of its discount and rounded
/// half-up to cents. `expected/measures.csv` holds the quarters of the reference as `direct` and their sums over all below as `team`.
pub fn write_company(data: &Path, out: &Path) -> Result<Written> {
    let employees = Source::open(data, "employees.csv")?;
    let employees = employees.select(["employee_id", "title", "reports_to"])?;
    write_text(&out.join("company.toml"), COMPANY)?;
    write_csv(&out.join("payees.csv"), &["payee_id"], employees.iter().map(|[id, ..]| [*id]))?;
    let seat = |id: &str| format!("seat-{id}");
    let positions = employees.iter().map(|[id, title, _]| [seat(id), (*title).to_owned()]);
    write_csv(&out.join("positions.csv"), &["position_id", "title"], positions)?;
    let occupancies = employees.iter().map(|[id, ..]| [seat(id), (*id).to_owned(), START.to_owned()]);
    write_csv(&out.join("occupancies.csv"), &["position_id", "payee_id", "from_on"], occupancies)?;
    let managed = employees.iter().filter(|[_, _, manager]| !manager.is_empty());
    let hierarchy = managed.map(|[id, _, manager]| [seat(id), START.to_owned(), seat(manager)]);
    write_csv(&out.join("hierarchy.csv"), &["position_id", "from_on", "manager_position_id"], hierarchy)?;

    let products = Source::open(data, "products.csv")?;
    let products = products.select(["product_id", "name", "category_id"])?;
    let families: BTreeSet<String> = products.iter().map(|[.., category]| family(category)).collect();
    write_csv(&out.join("families.csv"), &["family_id"], families.iter().map(|id| [id]))?;
    let rows = products.iter().map(|[id, name, category]| [(*id).to_owned(), (*name).to_owned(), family(category)]);
    write_csv(&out.join("products.csv"), &["product_id", "name", "family_id"], rows)?;
    let customers = Source::open(data, "customers.csv")?;
    write_csv(
        &out.join("accounts.csv"),
        &["account_id", "name", "city", "country"],
        customers.select(["customer_id", "company", "city", "country"])?,
    )?;

    let (lines, net_cents) = write_transactions(data, out)?;
    let measures = write_expected(data, out, &employees)?;
    Ok(Written { lines, net_cents, measures })
}

fn family(category: &str) -> String {
    format!("category-{category}")
}

fn write_transactions(data: &Path, out: &Path) -> Result<(usize, i128)> {
    let orders = Source::open(data, "orders.csv")?;
    let orders: BTreeMap<&str, [&str; 3]> = orders
        .select(["order_id", "customer_id", "employee_id", "order_date"])?
        .into_iter()
        .map(|[id, customer, employee, on]| (id, [customer, employee, on]))
        .collect();
    let lines = Source::open(data, "order_lines.csv")?;
    let mut rows = Vec::new();
    let mut net_cents = 0;
    for [order, product, price, quantity, discount] in lines.select(["order_id", "product_id", "unit_price", "quantity", "discount"])? {
        let [customer, employee, on] = orders.get(order).ok_or_else(|| format!("order `{order}` has lines but no order"))?;
        let net = net_of_line(price, quantity, discount)?;
        net_cents += net;
        let id = format!("{order}-{product}");
        rows.push([&id, "order", on, customer, product, &cents(net), "USD", quantity, discount, employee].map(str::to_owned));
    }
    let headers =
        ["transaction_id", "kind", "ordered_on", "account_id", "product_id", "amount", "currency", "quantity", "discount", "payee_id"];
    write_csv(&out.join("transactions.csv"), &headers, &rows)?;
    Ok((rows.len(), net_cents))
}

/// unit price × quantity × (1 − discount) in cents, half-up. Nothing of it is negative.
fn net_of_line(price: &str, quantity: &str, discount: &str) -> Result<i128> {
    let exact = scaled(price, 4)? * scaled(quantity, 0)? * (10_000 - scaled(discount, 4)?);
    Ok((exact + 500_000) / 1_000_000)
}

/// The reference as it is, and for each manager the sum of it over everybody below.
fn write_expected(data: &Path, out: &Path, employees: &[[&str; 3]]) -> Result<usize> {
    let reference = Source::open(data, "reference_sales_by_employee_quarter.csv")?;
    let reference = reference.select(["employee_id", "quarter", "net_sales"])?;
    let manager_of: BTreeMap<&str, &str> = employees.iter().map(|[id, _, manager]| (*id, *manager)).collect();
    let mut team: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    for [employee, quarter, net] in &reference {
        let mut above = manager_of.get(employee).copied().unwrap_or("");
        while !above.is_empty() {
            *team.entry((above, quarter)).or_default() += scaled(net, 2)?;
            above = manager_of.get(above).copied().unwrap_or("");
        }
    }
    let period = |quarter: &str| quarter.replace('Q', "-Q");
    let direct = reference.iter().map(|[id, quarter, net]| [(*id).to_owned(), "direct".to_owned(), period(quarter), (*net).to_owned()]);
    let team = team.iter().map(|((id, quarter), net)| [(*id).to_owned(), "team".to_owned(), period(quarter), cents(*net)]);
    let rows: Vec<[String; 4]> = direct.chain(team).collect();
    write_csv(&out.join("expected/measures.csv"), &["payee_id", "measure_id", "period_id", "value"], &rows)?;
    Ok(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_rounded_half_up_after_its_discount() -> Result<()> {
        assert_eq!((net_of_line("14", "12", "0")?, net_of_line("7.45", "1", "0.15")?, net_of_line("0.1", "1", "0.05")?), (16_800, 633, 10));
        Ok(())
    }

    #[test]
    fn the_folder_holds_every_line_and_the_rolled_up_reference() -> Result<()> {
        let Some(data) = crate::real_input::data_folder("northwind") else { return Ok(()) };
        let out = tempfile::tempdir()?;
        let written = write_company(&data, out.path())?;
        assert_eq!(written, Written { lines: 2_155, net_cents: 126_579_329, measures: 72 + 16 });
        let measures = Source::open(out.path(), "expected/measures.csv")?;
        let mut of_team = BTreeMap::new();
        for [id, measure, _, value] in measures.select(["payee_id", "measure_id", "period_id", "value"])? {
            if measure == "team" {
                *of_team.entry(id.to_owned()).or_insert(0) += scaled(value, 2)?;
            }
        }
        // Everybody but the vice president reports to him in the end.
        let own: i128 = measures
            .select(["payee_id", "measure_id", "value"])?
            .iter()
            .filter(|[id, measure, _]| *id == "2" && *measure == "direct")
            .map(|[.., value]| scaled(value, 2))
            .sum::<Result<i128>>()?;
        assert_eq!(of_team.get("2"), Some(&(126_579_329 - own)));
        assert_eq!(of_team.len(), 2);
        Ok(())
    }
}
