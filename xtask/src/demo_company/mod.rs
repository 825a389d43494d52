//! Writes the rows of the demo company in `examples/meridian` from a seed. Its settings, plans and scripts are written by hand.

mod company;
mod random;
mod sales;
mod sheet;
mod world;

use anyhow::Result;
use std::path::Path;

const SEED: u64 = 20_241_001;

/// Transactions in all, returns and cancellations included.
const TRANSACTION_COUNT: usize = 20_000;

pub fn write(folder: &Path) -> Result<()> {
    let mut random = random::Random::new(SEED);
    let company = company::Company::new(&mut random);
    let sales = sales::Sales::new(&company, TRANSACTION_COUNT, &mut random);
    let mut sheets = company.sheets(&mut random);
    sheets.extend(sales.sheets(&company, &mut random));
    for sheet in sheets {
        crate::say(&sheet.write(folder)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_in_the_repository_is_what_the_seed_gives() {
        let folder = std::env::temp_dir().join(format!("attain-demo-company-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        write(&folder).expect("rows");
        let committed = crate::root().join("examples/meridian");
        let mut count = 0;
        let mut changed = Vec::new();
        for entry in std::fs::read_dir(&folder).expect("the folder").flatten() {
            count += 1;
            let same = std::fs::read(entry.path()).ok() == std::fs::read(committed.join(entry.file_name())).ok();
            changed.extend((!same).then(|| entry.file_name()));
        }
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(count, 20);
        assert!(changed.is_empty(), "run `cargo xtask demo-company`: {changed:?}");
    }
}
