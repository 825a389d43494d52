//! Rhai scripts as extensions: formulas, crediting rules and figures that are written as if for one row and evaluated once over
//! whole columns, and functions that plan. `docs/formula-language.md` is the page for those who write them.

mod answer;
mod builtin;
mod column;
mod columnar;
mod header;
mod host;
pub mod language;
mod rows;
mod value;

use attain_domain::Table;
use attain_domain::ids::ExtensionDigest;
use attain_domain::point::{Answer, Call, Extension, Fault, FaultKind, Identity, Origin, Point, check_answer};
use column::{Builder, Column, Value};
use columnar::{Budget, Evaluation, Program};
use header::Header;
use host::{Host, Record, Trouble};
use rhai::{AST, Array, Dynamic, Map, Scope};
use rows::{Shared, TableView, cell};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a script may use. Time and operations grow with the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptLimits {
    pub source_bytes: usize,
    pub operations: u64,
    pub operations_per_row: u64,
    pub wall_ms: u64,
    pub wall_per_row_us: u64,
    pub call_levels: usize,
    pub expression_depth: usize,
    pub variables: usize,
    pub functions: usize,
    pub text_bytes: usize,
    pub list_items: usize,
    pub map_items: usize,
    /// Over all lists of a run, since a list within a list is not seen by `list_items`.
    pub pushed_items: u64,
    /// Of all columns made in one evaluation; per row and on top.
    pub column_bytes: usize,
    pub column_bytes_per_row: usize,
    pub answer_rows: usize,
    pub answer_rows_per_row: usize,
}

impl ScriptLimits {
    /// For formulas: compensation, crediting, figures.
    pub const FORMULA: ScriptLimits = ScriptLimits {
        source_bytes: 64 * 1_024,
        operations: 1_000_000,
        operations_per_row: 10_000,
        wall_ms: 200,
        wall_per_row_us: 50,
        call_levels: 16,
        expression_depth: 64,
        variables: 100,
        functions: 50,
        text_bytes: 4_096,
        list_items: 1_000,
        map_items: 200,
        pushed_items: 20_000,
        column_bytes: 4 * 1_024 * 1_024,
        column_bytes_per_row: 4_096,
        answer_rows: 1_000,
        answer_rows_per_row: 64,
    };

    /// For scripts that see a whole planning problem at once.
    pub const PLANNING: ScriptLimits = ScriptLimits {
        operations: 20_000_000,
        wall_ms: 5_000,
        text_bytes: 1_024 * 1_024,
        list_items: 20_000,
        map_items: 60_000,
        pushed_items: 1_000_000,
        answer_rows: 100_000,
        ..ScriptLimits::FORMULA
    };

    /// For the file of a payout batch: a line a payee.
    pub const PAYOUT: ScriptLimits = ScriptLimits { list_items: 200_000, answer_rows: 200_000, ..ScriptLimits::PLANNING };

    pub fn of(point: Point) -> ScriptLimits {
        match point {
            Point::Crediting | Point::Compensation | Point::Kpi => ScriptLimits::FORMULA,
            Point::Payout => ScriptLimits::PAYOUT,
            _ => ScriptLimits::PLANNING,
        }
    }
}

/// How a script is evaluated. All ways give the same answer; the latter two are for comparing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluate {
    /// Over columns where they can express the script, else row by row.
    Columns,
    /// Over columns or not at all.
    ColumnsOnly,
    Rows,
}

/// A script that parses and whose names are known.
pub struct Script {
    identity: Identity,
    header: Header,
    limits: ScriptLimits,
    ast: AST,
    program: Option<Program>,
    /// Names of the variables it uses.
    used: BTreeSet<String>,
}

/// Compiles a script. `name` is what its file is called and must be what its manifest says, where it says so.
pub fn compile(name: &str, source: &str) -> Result<Script, Fault> {
    let header = Header::parse(name, source)?;
    let limits = ScriptLimits::of(header.point);
    compile_with(name, source, limits)
}

pub fn compile_with(name: &str, source: &str, limits: ScriptLimits) -> Result<Script, Fault> {
    if source.len() > limits.source_bytes {
        let message = format!("the script has {} bytes; {} are allowed", source.len(), limits.source_bytes);
        return Err(Fault::new(FaultKind::NotAnExtension, message));
    }
    let header = Header::parse(name, source)?;
    let known = variables(header.point);
    let mut scope = Scope::new();
    for name in &known {
        scope.push_dynamic(name.as_str(), Dynamic::UNIT);
    }
    let engine = rows::parser(&limits);
    let ast = engine.compile_with_scope(&scope, source).map_err(|error| rows::fault_of_parse(&error, &known))?;
    let used = check(&header, &ast)?;
    let is_formula = !plans(header.point);
    if !is_formula && !ast.iter_functions().any(|function| function.name == entry(header.point)) {
        let message = format!("a script for point `{}` needs a function `{}`", header.point, entry_signature(header.point));
        return Err(Fault::new(FaultKind::NotAnExtension, message));
    }
    let program = if is_formula { Program::new(&ast) } else { None };
    let identity = Identity {
        name: header.name.clone(),
        version: header.version.clone(),
        point: header.point,
        origin: Origin::Rhai,
        digest: ExtensionDigest(blake3::hash(source.as_bytes()).to_hex().to_string()),
    };
    Ok(Script { identity, header, limits, ast, program, used })
}

/// Whether a script for that point is a function over whole tables and not a formula for one row.
fn plans(point: Point) -> bool {
    !matches!(point, Point::Crediting | Point::Compensation | Point::Kpi)
}

fn entry(point: Point) -> &'static str {
    if point == Point::Connector { "map" } else { "run" }
}

fn entry_signature(point: Point) -> &'static str {
    if point == Point::Connector { "map(record)" } else { "run(input, settings)" }
}

/// The names that a script of that point sees.
fn variables(point: Point) -> Vec<String> {
    if plans(point) {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::new();
    for (name, _) in point.contract().input[0].columns {
        names.push(name.strip_suffix(".*").unwrap_or(name).to_owned());
    }
    names.push("settings".to_owned());
    names
}

/// Functions that the engine has beside the builtins.
const NATIVE: [&str; 2] = ["push", "range"];

/// Names the settings that the manifest does not declare, the functions that there are not, and what formulas must not do. Gives the variables used.
fn check(header: &Header, ast: &AST) -> Result<BTreeSet<String>, Fault> {
    use rhai::{ASTNode, Expr, Stmt};
    let mut used = BTreeSet::new();
    let mut fault = None;
    let is_formula = !plans(header.point);
    let settings = header.setting_names();
    let own: BTreeSet<(String, usize)> = ast.iter_functions().map(|own| (own.name.to_owned(), own.params.len())).collect();
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(name, _, _))) => _ = used.insert(name.1.to_string()),
            Some(ASTNode::Expr(Expr::Dot(sides, ..))) => {
                if let (Expr::Variable(base, ..), Expr::Property(property, position)) = (&sides.lhs, &sides.rhs)
                    && base.1.as_str() == "settings"
                    && let Some(known) = &settings
                    && !known.iter().any(|known| known == property.2.as_str())
                {
                    let message = rows::unknown_name("setting", &property.2, known);
                    fault = Some(rows::at(Fault::new(FaultKind::NotAnExtension, message), *position));
                }
            }
            Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                let is_word = call.name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
                let count = call.args.len();
                if is_word
                    && !NATIVE.contains(&call.name.as_str())
                    && !own.contains(&(call.name.to_string(), count))
                    && !builtin::Builtin::find(&call.name, count).is_some_and(|builtin| builtin.is_at(header.point))
                {
                    let message = rows::unknown_function(&format!("{} ({})", call.name, vec!["_"; count].join(", ")));
                    fault = Some(rows::at(Fault::new(FaultKind::NotAnExtension, message), *position));
                }
            }
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => {
                let (operator, sides) = &**assignment;
                if is_formula && !matches!(sides.lhs, Expr::Variable(..)) {
                    let message = "a formula cannot change what is inside of a list or a map; make a new one".to_owned();
                    fault = Some(rows::at(Fault::new(FaultKind::NotAnExtension, message), operator.position()));
                }
            }
            _ => {}
        }
        fault.is_none()
    });
    fault.map_or(Ok(used), Err)
}

impl Script {
    pub fn description(&self) -> &str {
        &self.header.description
    }

    /// Whether it is evaluated over columns; otherwise row by row.
    pub fn is_columnar(&self) -> bool {
        self.program.is_some()
    }

    pub fn run_as(&self, call: &Call<'_>, evaluate: Evaluate) -> Result<Answer, Fault> {
        let started = Instant::now();
        let declares_tables = self.header.setting_names().is_some_and(|names| names.iter().any(|name| name == "tables"));
        let takes_tables = self.header.point == Point::Compensation && !declares_tables;
        let (given, tables) = if takes_tables && call.settings.get("tables").is_some() {
            let (given, tables) = host::take_tables(call.settings).map_err(fault)?;
            (Cow::Owned(given), tables)
        } else {
            (Cow::Borrowed(call.settings), BTreeMap::new())
        };
        let settings = self.header.settings(&given).map_err(fault)?;
        let Some(rows) = call.input.first() else {
            return Err(Fault::new(FaultKind::InvalidAnswer, "the input has no table"));
        };
        for table in call.input {
            if let Some(defect) = table.defect() {
                return Err(Fault::new(FaultKind::Refused, defect));
            }
        }
        let count = rows.row_count();
        let answer_rows = self.limits.answer_rows + self.limits.answer_rows_per_row * count;
        let settings = Record::from_json(&settings);
        let mut host = Host::new(self.header.point, settings, call, answer_rows).map_err(fault)?;
        host.tables = tables;
        let wall = Duration::from_millis(self.limits.wall_ms) + Duration::from_micros(self.limits.wall_per_row_us * count as u64);
        let budget = Budget {
            operations: self.limits.operations + self.limits.operations_per_row * count as u64,
            until: started + wall,
            bytes: self.limits.column_bytes + self.limits.column_bytes_per_row * count,
            call_levels: self.limits.call_levels,
            variables: self.limits.variables,
        };
        if plans(self.header.point) {
            return self.plan(call, host, budget, answer_rows);
        }
        let mut fuel_used = 0;
        let mut whole = None;
        if let (Some(program), true) = (&self.program, evaluate != Evaluate::Rows) {
            let variables = self.columns(rows, &host.settings);
            let (result, used) = Evaluation::run(program, &mut host, budget, variables, count);
            fuel_used = used;
            match result {
                Ok(value) => whole = Some(value),
                // The rows do it, or say what is wrong and where.
                Err(_) => host.reset(),
            }
        }
        let value = match whole {
            Some(value) => value,
            None if evaluate == Evaluate::ColumnsOnly => {
                return Err(Fault::new(FaultKind::Trap, "columns cannot express it"));
            }
            None => {
                let shared = Shared { host: Arc::new(Mutex::new(host)), used: Arc::new(AtomicU64::new(0)) };
                let value = self.row_by_row(rows, &shared, budget)?;
                fuel_used += shared.used.load(Ordering::Relaxed);
                host = take(shared);
                value
            }
        };
        let tables = self.tables(&value, &mut host, rows).map_err(fault)?;
        Ok(Answer { tables, log: host.log, fuel_used })
    }

    fn tables(&self, value: &Value, host: &mut Host, rows: &Table) -> Result<Vec<Table>, Trouble> {
        match self.header.point {
            Point::Compensation => {
                let amounts = answer::amounts(value, host, rows)?;
                let slices = answer::slices(std::mem::take(&mut host.slices), &amounts)?;
                Ok(vec![answer::earnings(amounts), slices])
            }
            Point::Crediting => Ok(vec![answer::credits(std::mem::take(&mut host.credits))]),
            _ => Ok(vec![answer::values(value, rows.row_count())?]),
        }
    }

    /// The variables that the script uses, as columns.
    fn columns(&self, rows: &Table, settings: &Record) -> Vec<(&str, Value)> {
        let mut variables = Vec::with_capacity(self.used.len());
        for name in variables_of(self.header.point, &self.used) {
            let value = match name {
                "settings" => Value::One(Dynamic::from(settings.clone())),
                "params" | "inputs" => {
                    Value::Group(Arc::new(group(rows, name).map(|(name, column)| (name.to_owned(), Column::from_table(column))).collect()))
                }
                name => rows.column(name).map_or(Value::One(Dynamic::UNIT), |column| Value::Column(Column::from_table(column))),
            };
            variables.push((name, value));
        }
        variables
    }

    fn row_by_row(&self, rows: &Table, shared: &Shared, budget: Budget) -> Result<Value, Fault> {
        let engine = rows::runner(&self.limits, self.header.point, shared, budget.operations, budget.until);
        let settings = Dynamic::from(shared.lock().settings.clone());
        let names: Vec<&str> = variables_of(self.header.point, &self.used).collect();
        let count = rows.row_count();
        let mut builder = Builder::new(count);
        let is_figure = self.header.point != Point::Crediting;
        let mut scope = Scope::new();
        for row in 0..count {
            shared.lock().row = row;
            scope.clear();
            for name in &names {
                let value = match *name {
                    "settings" => settings.clone(),
                    "params" | "inputs" => {
                        let values = group(rows, name).map(|(name, column)| (name.to_owned(), cell(column, row))).collect();
                        Dynamic::from(Record::from_values(values))
                    }
                    name => rows.column(name).map_or(Dynamic::UNIT, |column| cell(column, row)),
                };
                scope.push_dynamic(*name, value);
            }
            let value = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast).map_err(|error| {
                let mut fault = rows::fault_of(&error, &variables(self.header.point));
                if fault.kind == FaultKind::Trap || fault.kind == FaultKind::Refused {
                    fault.message.push_str(&answer::of_row(rows, row));
                }
                fault
            })?;
            if is_figure {
                let number = value::number(&value).map_err(|message| {
                    let message = format!("{message}; a formula ends in a number{}", answer::of_row(rows, row));
                    Fault::new(FaultKind::InvalidAnswer, message)
                })?;
                builder
                    .push(row, &value::of_number(number))
                    .map_err(|_| Fault::new(FaultKind::Trap, "numbers and other values are mixed"))?;
            }
        }
        Ok(builder.finish())
    }

    /// A call of `run(input, settings)`, or of `map(record)` for each record of a connector.
    fn plan(&self, call: &Call<'_>, host: Host, budget: Budget, answer_rows: usize) -> Result<Answer, Fault> {
        let settings = Dynamic::from(host.settings.clone());
        let contract = self.header.point.contract();
        let shared = Shared { host: Arc::new(Mutex::new(host)), used: Arc::new(AtomicU64::new(0)) };
        let engine = rows::runner(&self.limits, self.header.point, &shared, budget.operations, budget.until);
        let call_entry = |first: Dynamic| {
            let takes_two =
                self.ast.iter_functions().any(|function| function.name == entry(self.header.point) && function.params.len() == 2);
            let options = rhai::CallFnOptions::new().eval_ast(false);
            let name = entry(self.header.point);
            let mut scope = Scope::new();
            if takes_two {
                engine.call_fn_with_options::<Dynamic>(options, &mut scope, &self.ast, name, (first, settings.clone()))
            } else {
                engine.call_fn_with_options::<Dynamic>(options, &mut scope, &self.ast, name, (first,))
            }
            .map_err(|error| rows::fault_of(&error, &[]))
        };
        let tables = if self.header.point == Point::Connector {
            let Some(pages) = call.input.iter().find(|table| table.name == "records") else {
                let message = "a script cannot fetch records, it only maps those of a table `records`; use a connector plugin to fetch";
                return Err(Fault::new(FaultKind::Refused, message));
            };
            let mut records = Array::new();
            for record in TableView(Arc::new(pages.clone())) {
                let mapped = call_entry(record)?;
                match mapped.read_lock::<Array>() {
                    Some(several) => records.extend(several.iter().cloned()),
                    None if mapped.is_unit() => {}
                    None => records.push(mapped.clone()),
                }
            }
            let next = Table::new("next").with("cursor", attain_domain::Column::text(&[Some("")]));
            answer::table(&contract.answer[0], &records, answer_rows).map(|records| vec![records, next])
        } else {
            let input: Map =
                call.input.iter().map(|table| (table.name.as_str().into(), Dynamic::from(TableView(Arc::new(table.clone()))))).collect();
            answer::tables(contract, &call_entry(Dynamic::from_map(input))?, answer_rows)
        }
        .map_err(fault)?;
        drop(engine);
        let fuel_used = shared.used.load(Ordering::Relaxed);
        Ok(Answer { tables, log: take(shared).log, fuel_used })
    }
}

/// Those variables of the point that are used, in the order of the contract.
fn variables_of(point: Point, used: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let known: BTreeMap<String, usize> = variables(point).into_iter().enumerate().map(|(index, name)| (name, index)).collect();
    let mut names: Vec<(usize, &str)> = used.iter().filter_map(|name| Some((*known.get(name)?, name.as_str()))).collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name)
}

/// The columns `<group>.<name>`, by name.
fn group<'a>(rows: &'a Table, group: &'a str) -> impl Iterator<Item = (&'a str, &'a attain_domain::Column)> {
    rows.columns.iter().filter_map(move |(name, column)| Some((name.strip_prefix(group)?.strip_prefix('.')?, column)))
}

fn take(shared: Shared) -> Host {
    match Arc::try_unwrap(shared.host) {
        Ok(host) => host.into_inner().unwrap_or_else(PoisonError::into_inner),
        Err(_) => unreachable!("the engine that shared it is gone"),
    }
}

fn fault(trouble: Trouble) -> Fault {
    Fault::new(trouble.kind, trouble.message)
}

impl Extension for Script {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let answer = self.run_as(call, Evaluate::Columns)?;
        check_answer(self.identity.point.contract(), &answer.tables)?;
        Ok(answer)
    }
}
