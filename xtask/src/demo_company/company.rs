//! Who works there and who covers what: people, positions, hierarchy, territories, accounts, products, rates.

use super::random::Random;
use super::sheet::{Sheet, civil, day, iso, number};
use super::world::{CITIES, City, FAMILIES, FIRM_NAMES, FIRST_NAMES, INDUSTRIES, LAST_NAMES, PRODUCTS};
use std::collections::{BTreeMap, BTreeSet};

pub const MONTHS: usize = 24;
const ACCOUNTS: usize = 1500;
const SEATS_PER_REGION: usize = 14;
const REGIONS: [(&str, &str); 3] = [("east", "East"), ("central", "Central"), ("west", "West")];
/// Families that have a specialist in each region.
pub const SPECIALTIES: [&str; 2] = ["spectroscopy", "automation"];
/// The company's first day on record.
pub const START: &str = "2024-10-01";

/// First day of the `index`-th month from October 2024.
pub fn month_start(index: usize) -> i64 {
    let months = 2024 * 12 + 9 + index as i64;
    day(months.div_euclid(12), months.rem_euclid(12) + 1, 1)
}

pub fn month_of(on: i64) -> usize {
    let (year, month, _) = civil(on);
    (year * 12 + month - 1 - (2024 * 12 + 9)) as usize
}

/// Who sits in a seat from a day until a day.
pub struct Stay {
    pub payee: String,
    pub from: i64,
    pub until: Option<i64>,
}

/// A seller's position with the territory it covers.
pub struct Seat {
    pub position: String,
    pub territory: String,
    pub city: &'static City,
    pub region: usize,
    pub stays: Vec<Stay>,
    /// Manager positions and the days from which they manage it.
    pub managers: Vec<(i64, usize)>,
}

pub struct Account {
    pub id: String,
    pub row: Vec<String>,
    /// Seats that cover it, by the day from which; none for a house account.
    pub seats: Vec<(i64, usize)>,
    pub activity: i64,
    pub customer_from: i64,
    pub is_new: bool,
    pub currency: &'static str,
}

/// One payee, for the plan he is on.
pub struct Member {
    pub payee: String,
    pub plan: &'static str,
    pub measure: &'static str,
    pub from: i64,
    pub until: Option<i64>,
    /// Variable pay of a month at 100 %, in whole dollars.
    pub target: i64,
}

pub struct Company {
    pub seats: Vec<Seat>,
    /// Index, position and payee of each first-line manager.
    pub managers: Vec<(String, String, usize)>,
    pub accounts: Vec<Account>,
    pub members: Vec<Member>,
    pub products: Vec<(String, &'static super::world::Product)>,
    payees: BTreeMap<String, (i64, Option<i64>)>,
    /// Position, title, role.
    positions: Vec<(String, String, &'static str)>,
    /// Position, payee, from, until.
    occupancies: Vec<(String, String, i64, Option<i64>)>,
    hierarchy: Vec<(String, i64, String, Option<i64>)>,
    territories: Vec<(String, String, String)>,
}

fn region_of(city: &City) -> usize {
    match city.longitude {
        east if east > -820_000 => 0,
        central if central > -1_000_000 => 1,
        _ => 2,
    }
}

fn kebab(text: &str) -> String {
    text.to_lowercase().replace(['.', ','], "").replace(' ', "-")
}

pub fn until_text(until: Option<i64>) -> String {
    until.map(iso).unwrap_or_default()
}

impl Seat {
    /// Index of its manager on a day.
    pub fn manager(&self, on: i64) -> usize {
        self.managers.iter().rev().find(|(from, _)| *from <= on).map_or(self.managers[0].1, |(_, manager)| *manager)
    }

    pub fn occupant(&self, on: i64) -> Option<&str> {
        self.stays.iter().find(|stay| stay.from <= on && stay.until.is_none_or(|until| on < until)).map(|stay| stay.payee.as_str())
    }

    /// Spans on which nobody sits there.
    fn vacancies(&self, start: i64) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut free_from = start;
        for stay in &self.stays {
            if stay.from > free_from {
                gaps.push((free_from, stay.from));
            }
            match stay.until {
                Some(until) => free_from = until,
                None => return gaps,
            }
        }
        gaps
    }
}

impl Account {
    pub fn seat(&self, on: i64) -> Option<usize> {
        self.seats.iter().rev().find(|(from, _)| *from <= on).map(|(_, seat)| *seat)
    }
}

impl Company {
    pub fn new(random: &mut Random) -> Company {
        let start = month_start(0);
        let mut company = Company {
            seats: Vec::new(),
            managers: Vec::new(),
            accounts: Vec::new(),
            members: Vec::new(),
            products: Vec::new(),
            payees: BTreeMap::new(),
            positions: Vec::new(),
            occupancies: Vec::new(),
            hierarchy: Vec::new(),
            territories: vec![("us".to_owned(), String::new(), "United States".to_owned())],
        };
        company.leaders(start);
        for region in 0..REGIONS.len() {
            company.region(region, start);
        }
        company.changes(start);
        company.sellers();
        company.specialists(start);
        let mut ordinal: BTreeMap<&str, usize> = BTreeMap::new();
        for product in PRODUCTS {
            let number = ordinal.entry(product.family).or_default();
            *number += 1;
            company.products.push((format!("{}-{number:02}", product.family), product));
        }
        company.find_accounts(random, start);
        company
    }

    fn employ(&mut self, payee: &str, position: &str, from: i64, until: Option<i64>) {
        self.occupancies.push((position.to_owned(), payee.to_owned(), from, until));
        // Whoever was there on the first day was hired before it.
        let number: i64 = payee[1..].parse().unwrap_or(0);
        let hired = if from == month_start(0) { from - 200 - number * 37 % 2600 } else { from };
        self.payees.entry(payee.to_owned()).or_insert((hired, None)).1 = until;
    }

    fn leaders(&mut self, start: i64) {
        self.positions.push(("vp-sales".to_owned(), "Vice President Sales".to_owned(), "vice-president"));
        self.employ("E1001", "vp-sales", start, None);
        self.members.push(member("E1001", "vice-president", "team-bookings", start, 16_000));
        for (index, (region, name)) in REGIONS.iter().enumerate() {
            let (position, payee) = (format!("director-{region}"), format!("E{}", 1002 + index));
            self.positions.push((position.clone(), format!("Regional Director {name}"), "director"));
            self.hierarchy.push((position.clone(), start, "vp-sales".to_owned(), None));
            self.employ(&payee, &position, start, None);
            self.members.push(member(&payee, "regional-director", "team-bookings", start, 10_000));
            self.territories.push((format!("us-{region}"), "us".to_owned(), format!("{name} Region")));
        }
        self.positions.push(("lead-specialists".to_owned(), "Lead of Product Specialists".to_owned(), "director"));
        self.hierarchy.push(("lead-specialists".to_owned(), start, "vp-sales".to_owned(), None));
        self.employ("E1005", "lead-specialists", start, None);
        self.members.push(member("E1005", "specialist-lead", "specialist-bookings", start, 7_500));
    }

    fn region(&mut self, region: usize, start: i64) {
        let name = REGIONS[region].0;
        let mut homes: Vec<&'static City> = CITIES.iter().filter(|city| region_of(city) == region).collect();
        homes.sort_by_key(|city| (-city.weight, city.name));
        homes.truncate(SEATS_PER_REGION);
        homes.sort_by_key(|city| (-city.latitude, city.name));
        for (district, homes) in homes.chunks(5).enumerate() {
            let manager = self.managers.len();
            let (position, payee) = (format!("manager-{name}-{}", district + 1), format!("E{}", 1011 + manager));
            let district_id = format!("us-{name}-{}", district + 1);
            self.positions.push((position.clone(), format!("Sales Manager {} {}", REGIONS[region].1, district + 1), "manager"));
            self.hierarchy.push((position.clone(), start, format!("director-{name}"), None));
            self.employ(&payee, &position, start, None);
            self.members.push(member(&payee, "sales-manager", "team-bookings", start, 7_000));
            self.territories.push((district_id.clone(), format!("us-{name}"), format!("{} District {}", REGIONS[region].1, district + 1)));
            self.managers.push((position, payee, region));
            for city in homes {
                let number = self.seats.len();
                let territory = format!("{district_id}-{}", kebab(city.name));
                self.territories.push((territory.clone(), district_id.clone(), format!("{} Patch", city.name)));
                let position = format!("seller-{:03}", 101 + number);
                let stays = vec![Stay { payee: format!("E{}", 1101 + number), from: start, until: None }];
                self.seats.push(Seat { position, territory, city, region, stays, managers: vec![(start, manager)] });
            }
        }
    }

    /// What happens to people in the two years: a seat added, a seller leaves, one moves over, one is hired, a seat changes manager.
    fn changes(&mut self, start: i64) {
        let (hired, left, moved, refilled) = (day(2025, 5, 19), day(2026, 1, 31), day(2026, 2, 16), day(2026, 3, 9));
        self.seats[30].stays[0].from = hired;
        let mover = self.seats[5].stays[0].payee.clone();
        self.seats[5].stays[0].until = Some(moved);
        self.seats[5].stays.push(Stay { payee: "E1143".to_owned(), from: refilled, until: None });
        self.seats[24].stays[0].until = Some(left);
        self.seats[24].stays.push(Stay { payee: mover, from: moved, until: None });
        let next = self.seats[22].managers[0].1 + 1;
        self.seats[22].managers.push((day(2025, 11, 10), next));
        for index in 0..self.seats.len() {
            let seat = &self.seats[index];
            let (position, title) = (seat.position.clone(), format!("Account Executive {}", seat.city.name));
            let managers = seat.managers.clone();
            for (number, (from, manager)) in managers.iter().enumerate() {
                let until = managers.get(number + 1).map(|(next, _)| *next);
                self.hierarchy.push((position.clone(), *from, self.managers[*manager].0.clone(), until));
            }
            self.positions.push((position.clone(), title, "seller"));
            let stays: Vec<(String, i64, Option<i64>)> =
                seat.stays.iter().map(|stay| (stay.payee.clone(), stay.from, stay.until)).collect();
            for (payee, from, until) in stays {
                self.employ(&payee, &position, from.max(start), until);
            }
        }
        // The mover occupies two seats one after the other; only the last one can say that he left.
        if let Some(own) = self.payees.get_mut("E1106") {
            own.1 = None;
        }
    }

    fn sellers(&mut self) {
        let mut spans: BTreeMap<String, (i64, Option<i64>, usize)> = BTreeMap::new();
        for (index, seat) in self.seats.iter().enumerate() {
            for stay in &seat.stays {
                let span = spans.entry(stay.payee.clone()).or_insert((stay.from, stay.until, index));
                if stay.from > span.0 {
                    span.1 = stay.until;
                }
                span.0 = span.0.min(stay.from);
            }
        }
        for (payee, (from, until, seat)) in spans {
            let (plan, target) = if seat % 7 == 0 { ("strategic-executive", 9_000) } else { ("account-executive", 6_500) };
            self.members.push(Member { payee, plan, measure: "bookings", from, until, target });
        }
    }

    fn specialists(&mut self, start: i64) {
        for (region, (name, title)) in REGIONS.iter().enumerate() {
            for (index, family) in SPECIALTIES.iter().enumerate() {
                let (position, payee) = (format!("specialist-{name}-{family}"), format!("E{}", 1201 + region * SPECIALTIES.len() + index));
                let family_name = FAMILIES.iter().find(|own| own.0 == *family).map_or(*family, |own| own.2);
                self.positions.push((position.clone(), format!("Product Specialist {family_name} {title}"), "specialist"));
                self.hierarchy.push((position.clone(), start, "lead-specialists".to_owned(), None));
                self.employ(&payee, &position, start, None);
                self.members.push(member(&payee, "product-specialist", "specialty-bookings", start, 5_500));
            }
        }
    }

    /// The specialist of a family in a region.
    pub fn specialist(&self, region: usize, family: &str) -> Option<String> {
        let index = SPECIALTIES.iter().position(|own| *own == family)?;
        Some(format!("E{}", 1201 + region * SPECIALTIES.len() + index))
    }

    fn find_accounts(&mut self, random: &mut Random, start: i64) {
        let weights: Vec<i64> = CITIES.iter().map(|city| city.weight).collect();
        let industry_weights: Vec<i64> = INDUSTRIES.iter().map(|industry| industry.2).collect();
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut filled = vec![0usize; self.seats.len()];
        for number in 0..ACCOUNTS {
            let city = &CITIES[random.weighted(&weights)];
            let industry = &INDUSTRIES[random.weighted(&industry_weights)];
            let mut name = format!("{} {}", random.pick(FIRM_NAMES), random.pick(&industry.1));
            if names.contains(&name) {
                name = format!("{name} of {}", city.name);
            }
            while !names.insert(name.clone()) {
                name = format!("{} {} of {}", random.pick(FIRM_NAMES), random.pick(&industry.1), city.name);
            }
            let size = random.weighted(&[62, 28, 10]);
            let segment = if industry.0 == "Research" { "academic" } else { ["growth", "mid-market", "enterprise"][size] };
            // Potential in whole dollars a year: a few customers are very large.
            let potential = [random.between(8, 45), random.between(40, 160), random.between(150, 700)][size] * 1000;
            let workload = [random.between(4, 12), random.between(10, 24), random.between(20, 60)][size];
            let latitude = city.latitude + random.between(-1800, 1800);
            let longitude = city.longitude + random.between(-2200, 2200);
            let is_house = number % 250 == 97;
            let seat = self.nearest_seat(city, &filled);
            let mut seats = Vec::new();
            if !is_house {
                filled[seat] += 1;
                seats.push((start, seat));
                // Some customers were handed to the neighbour at the turn of the fiscal year.
                let neighbour =
                    if seat + 1 < self.seats.len() && self.seats[seat + 1].region == self.seats[seat].region { seat + 1 } else { seat };
                if number % 60 == 11 && neighbour != seat {
                    seats.push((month_start(12), neighbour));
                }
            }
            let is_new = random.per_mille(200);
            let customer_from = if is_new { start + random.between(20, 690) } else { start };
            let currency = ["USD", "EUR", "GBP"][random.weighted(&[88, 8, 4])];
            let locked = size == 2 && random.per_mille(250);
            let id = format!("A{:04}", number + 1);
            let row: [&str; 13] = [
                &id,
                &name,
                industry.0,
                segment,
                "US",
                city.state,
                city.name,
                city.postal_code,
                &number_of(latitude),
                &number_of(longitude),
                &potential.to_string(),
                &workload.to_string(),
                if locked { "true" } else { "false" },
            ];
            let row = row.iter().map(|cell| (*cell).to_owned()).collect();
            self.accounts.push(Account { id, row, seats, activity: potential / 2000 + 30, customer_from, is_new, currency });
        }
    }

    /// The nearest seat that is not full, as patches grow in practice: near, but not even.
    fn nearest_seat(&self, city: &City, filled: &[usize]) -> usize {
        const FULL: usize = 42;
        let distance = |seat: &Seat| {
            let (north, east) = (seat.city.latitude - city.latitude, (seat.city.longitude - city.longitude) * 4 / 5);
            north * north + east * east
        };
        (0..self.seats.len()).filter(|seat| filled[*seat] < FULL).min_by_key(|seat| distance(&self.seats[*seat])).unwrap_or(0)
    }

    pub fn sheets(&self, random: &mut Random) -> Vec<Sheet> {
        let mut payees = Sheet::new("payees", 1, "payee_id,kind,hired_on,left_on");
        let mut people = Sheet::new("people", 1, "payee_id,name,email");
        for (index, (payee, (hired, left))) in self.payees.iter().enumerate() {
            payees.add(&[payee, "person", &iso(*hired), &until_text(*left)]);
            let (first, last) = (FIRST_NAMES[index % FIRST_NAMES.len()], LAST_NAMES[(index * 7 + index / 30) % LAST_NAMES.len()]);
            let email = format!("{}.{}@meridian-instruments.example", first.to_lowercase(), last.to_lowercase());
            people.add(&[payee, &format!("{first} {last}"), &email]);
        }
        let mut positions = Sheet::new("positions", 1, "position_id,title,role");
        for (position, title, role) in &self.positions {
            positions.add(&[position, title, role]);
        }
        let mut occupancies = Sheet::new("occupancies", 3, "position_id,payee_id,from_on,until_on");
        for (position, payee, from, until) in &self.occupancies {
            occupancies.add(&[position, payee, &iso(*from), &until_text(*until)]);
        }
        let mut hierarchy = Sheet::new("hierarchy", 2, "position_id,from_on,manager_position_id,until_on");
        for (position, from, manager, until) in &self.hierarchy {
            hierarchy.add(&[position, &iso(*from), manager, &until_text(*until)]);
        }
        let mut families = Sheet::new("families", 1, "family_id,parent_id,name");
        for (family, parent, name) in FAMILIES {
            families.add(&[family, parent, name]);
        }
        let mut products = Sheet::new("products", 1, "product_id,name,family_id");
        for (id, product) in &self.products {
            products.add(&[id, product.name, product.family]);
        }
        let mut territories = Sheet::new("territories", 1, "territory_id,parent_id,name");
        for (territory, parent, name) in &self.territories {
            territories.add(&[territory, parent, name]);
        }
        let mut sheets = vec![payees, people, positions, occupancies, hierarchy, families, products, territories];
        sheets.extend(self.account_sheets(random));
        sheets.extend([self.coverage(), self.assignments(), self.parameters()]);
        sheets
    }

    fn account_sheets(&self, random: &mut Random) -> Vec<Sheet> {
        let header = "account_id,name,industry,segment,country,state,city,postal_code,latitude,longitude,potential,workload,locked";
        let mut accounts = Sheet::new("accounts", 1, header);
        let mut links = Sheet::new("account_territories", 2, "account_id,from_on,territory_id,until_on");
        let mut attributes = Sheet::new("account_attributes", 2, "account_id,name,value");
        for account in &self.accounts {
            accounts.add(&account.row.iter().map(String::as_str).collect::<Vec<_>>());
            for (index, (from, seat)) in account.seats.iter().enumerate() {
                let until = account.seats.get(index + 1).map(|(next, _)| *next);
                links.add(&[&account.id, &iso(*from), &self.seats[*seat].territory, &until_text(until)]);
            }
            if random.per_mille(300) {
                attributes.add(&[&account.id, "installed-systems", &random.between(1, 24).to_string()]);
            }
            if account.currency != "USD" {
                attributes.add(&[&account.id, "billing-currency", account.currency]);
            }
        }
        vec![accounts, links, attributes]
    }

    fn coverage(&self) -> Sheet {
        let header = "coverage_id,position_id,role,territory_id,family_id,from_on,until_on";
        let mut coverage = Sheet::new("coverage", 1, header);
        for seat in &self.seats {
            let from = seat.stays.first().map_or_else(|| START.to_owned(), |stay| iso(stay.from));
            coverage.add(&[&format!("own-{}", seat.territory), &seat.position, "owner", &seat.territory, "", &from, ""]);
            // A patch without a seller is covered by the manager.
            for (number, (from, until)) in seat.vacancies(month_start(0)).into_iter().enumerate() {
                let manager = &self.managers[seat.manager(from)].0;
                let id = format!("cover-{}-{}", seat.territory, number + 1);
                coverage.add(&[&id, manager, "owner", &seat.territory, "", &iso(from), &iso(until)]);
            }
        }
        for (region, _) in &REGIONS {
            for family in SPECIALTIES {
                let (id, position) = (format!("specialty-{region}-{family}"), format!("specialist-{region}-{family}"));
                coverage.add(&[&id, &position, "overlay", &format!("us-{region}"), family, START, ""]);
            }
        }
        coverage
    }

    fn assignments(&self) -> Sheet {
        let mut assignments = Sheet::new("plan_assignments", 3, "payee_id,plan_id,from_on,until_on,target");
        for own in &self.members {
            assignments.add(&[&own.payee, own.plan, &iso(own.from), &until_text(own.until), &own.target.to_string()]);
        }
        assignments
    }

    /// The director of the largest region has an override of her own.
    fn parameters(&self) -> Sheet {
        let mut parameters = Sheet::new("parameters", 4, "payee_id,plan_id,name,from_on,until_on,value");
        parameters.add(&["E1004", "regional-director", "rate", START, "2025-10-01", "0.004"]);
        parameters.add(&["E1004", "regional-director", "rate", "2025-10-01", "", "0.0038"]);
        parameters
    }
}

fn member(payee: &str, plan: &'static str, measure: &'static str, from: i64, target: i64) -> Member {
    Member { payee: payee.to_owned(), plan, measure, from, until: None, target }
}

fn number_of(degrees: i64) -> String {
    number(degrees, 4)
}
