//! Who occupied which position and who managed whom on a day. Chains are resolved once per payee and interval of days.

use crate::findings::Findings;
use crate::names::{Names, number, numbers, texts};
use attain_domain::{Day, NULL_CODE, Severity, Table};

/// A half-open span of days with what holds in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    from: i32,
    until: i32,
    code: u32,
}

impl Held {
    fn contains(&self, day: i32) -> bool {
        self.from <= day && day < self.until
    }
}

/// `from_on` and `until_on` of a row as a half-open span; no start is no span.
pub fn days_of(from_on: &[i64], until_on: &[i64], row: usize) -> Option<(i32, i32)> {
    let from = number(from_on, row)? as i32;
    Some((from, number(until_on, row).map_or(i32::MAX, |until| until as i32)))
}

/// Effective-dated values by code, in compressed rows: one array, a slice per code.
#[derive(Debug, Default)]
pub struct Dated {
    starts: Vec<u32>,
    held: Vec<Held>,
}

impl Dated {
    pub fn new(size: usize, rows: impl Iterator<Item = (u32, i32, i32, u32)>) -> Dated {
        let mut rows: Vec<(u32, Held)> = rows
            .filter(|(key, _, _, value)| *key != NULL_CODE && *value != NULL_CODE)
            .map(|(key, from, until, code)| (key, Held { from, until, code }))
            .collect();
        rows.sort_unstable();
        let mut starts = vec![0u32; size + 1];
        for (key, _) in &rows {
            starts[*key as usize + 1] += 1;
        }
        for index in 0..size {
            starts[index + 1] += starts[index];
        }
        Dated { starts, held: rows.into_iter().map(|(_, held)| held).collect() }
    }

    fn of(&self, code: u32) -> &[Held] {
        match (self.starts.get(code as usize), self.starts.get(code as usize + 1)) {
            (Some(start), Some(end)) => &self.held[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// What holds for `code` on `day`; `NULL_CODE` for nothing.
    pub fn on(&self, code: u32, day: i32) -> u32 {
        self.of(code).iter().find(|held| held.contains(day)).map_or(NULL_CODE, |held| held.code)
    }
}

/// Positions, their occupants and their managers.
#[derive(Debug, Default)]
pub struct Hierarchy {
    pub positions: Names,
    occupants: Dated,
    managers: Dated,
    /// For each payee the positions occupied, in order of position.
    seats: Vec<Vec<Held>>,
    /// Days on which anything changes, ascending.
    changes: Vec<i32>,
}

impl Hierarchy {
    pub fn new(
        payees: &Names,
        positions: &Table,
        occupancies: &Table,
        hierarchy: &Table,
        coverage: &Table,
        relationships: &Table,
    ) -> Hierarchy {
        let names = Names::union(&[
            texts(positions, "position_id"),
            texts(occupancies, "position_id"),
            texts(hierarchy, "position_id"),
            texts(hierarchy, "manager_position_id"),
            texts(coverage, "position_id"),
            texts(relationships, "position_id"),
        ]);
        let mut changes = Vec::new();
        let mut rows = |table: &Table, value_names: &Names, value: &str| -> Vec<(u32, i32, i32, u32)> {
            let (keys, values) = (texts(table, "position_id"), texts(table, value));
            let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
            let mut rows = Vec::new();
            for row in 0..table.row_count() {
                if let Some((from, until)) = days_of(from_on, until_on, row) {
                    changes.extend([from, until]);
                    rows.push((names.code_of(keys.get(row)), from, until, value_names.code_of(values.get(row))));
                }
            }
            rows
        };
        let occupied = rows(occupancies, payees, "payee_id");
        let managed = rows(hierarchy, &names, "manager_position_id");
        let mut seats: Vec<Vec<Held>> = vec![Vec::new(); payees.len()];
        for (position, from, until, payee) in &occupied {
            if let Some(seats) = seats.get_mut(*payee as usize) {
                seats.push(Held { from: *from, until: *until, code: *position });
            }
        }
        for seats in &mut seats {
            seats.sort_unstable_by_key(|held| (held.code, held.from));
        }
        changes.sort_unstable();
        changes.dedup();
        Hierarchy {
            occupants: Dated::new(names.len(), occupied.into_iter()),
            managers: Dated::new(names.len(), managed.into_iter()),
            positions: names,
            seats,
            changes,
        }
    }

    pub fn occupant(&self, position: u32, day: i32) -> u32 {
        self.occupants.on(position, day)
    }

    /// The positions that `payee` occupies on `day`, in their order.
    pub fn seats(&self, payee: u32, day: i32) -> impl Iterator<Item = u32> + '_ {
        self.seats.get(payee as usize).into_iter().flatten().filter(move |held| held.contains(day)).map(|held| held.code)
    }

    /// The position that a payee holds on a day, the first of several; empty for none.
    pub fn position(&self, payee: u32, day: i32) -> &str {
        let seat = self.seats.get(payee as usize).and_then(|seats| seats.iter().find(|held| held.contains(day)));
        seat.map_or("", |seat| self.positions.get(seat.code))
    }

    /// The interval of days without change that `day` lies in.
    pub fn interval(&self, day: i32) -> usize {
        self.changes.partition_point(|change| *change <= day)
    }

    pub fn interval_count(&self) -> usize {
        self.changes.len() + 1
    }

    /// The managers of `payee` on `day`, nearest first, each once, without the payee himself. Vacant positions are passed over.
    pub fn managers(&self, payee: u32, day: i32, payees: &Names, findings: &mut Findings) -> Vec<u32> {
        let mut chain = Vec::new();
        let seat = self.seats.get(payee as usize).and_then(|seats| seats.iter().find(|held| held.contains(day)));
        let Some(seat) = seat else { return chain };
        let mut visited = vec![seat.code];
        loop {
            let position = self.managers.on(visited[visited.len() - 1], day);
            if position == NULL_CODE {
                return chain;
            }
            if visited.contains(&position) {
                findings.add(
                    Severity::Error,
                    "hierarchy-cycle",
                    "hierarchy",
                    self.positions.get(position),
                    format!(
                        "position `{}` stands above itself, seen from payee `{}` on {}; end one of the rows",
                        self.positions.get(position),
                        payees.get(payee),
                        Day(day)
                    ),
                );
                return chain;
            }
            visited.push(position);
            let occupant = self.occupants.on(position, day);
            if occupant != NULL_CODE && occupant != payee && !chain.contains(&occupant) {
                chain.push(occupant);
            }
        }
    }
}

/// The manager chains that a set of payees needs, resolved once per interval and numbered as they are met.
#[derive(Debug, Default)]
pub struct Chains {
    /// Per interval, per payee: the number of the chain; `u32::MAX` where not resolved yet.
    numbers: Vec<Vec<u32>>,
    starts: Vec<u32>,
    managers: Vec<u32>,
    payee_count: usize,
}

impl Chains {
    pub fn new(hierarchy: &Hierarchy, payee_count: usize) -> Chains {
        Chains { numbers: vec![Vec::new(); hierarchy.interval_count()], starts: vec![0], managers: Vec::new(), payee_count }
    }

    /// The number of the chain of `payee` on `day`, which lies in `interval`.
    pub fn resolve(
        &mut self,
        hierarchy: &Hierarchy,
        interval: usize,
        payee: u32,
        day: i32,
        payees: &Names,
        findings: &mut Findings,
    ) -> u32 {
        let numbers = &mut self.numbers[interval];
        if numbers.is_empty() {
            numbers.resize(self.payee_count, u32::MAX);
        }
        let number = &mut numbers[payee as usize];
        if *number == u32::MAX {
            *number = self.starts.len() as u32 - 1;
            self.managers.extend(hierarchy.managers(payee, day, payees, findings));
            self.starts.push(self.managers.len() as u32);
        }
        *number
    }

    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn get(&self, number: u32) -> &[u32] {
        &self.managers[self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize]
    }
}
