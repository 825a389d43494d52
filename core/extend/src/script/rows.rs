//! The Rhai engine as scripts meet it: its grammar with our own operators and functions and nothing else, and its limits.
//!
//! None of Rhai's packages but the iterators is loaded: they bring `sleep`, `timestamp` and functions whose cost no limit bounds.

use super::ScriptLimits;
use super::builtin::BUILTINS;
use super::host::{Host, Record, Trouble};
use super::value::{self, Operator};
use attain_domain::point::{Fault, FaultKind, Point};
use attain_domain::{Column as TableColumn, Table};
use rhai::packages::Package;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position};
use std::any::TypeId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Reserved, or of no use in a formula and a way around its limits.
const DISABLED: [&str; 37] = [
    "eval",
    "import",
    "export",
    "as",
    "private",
    "Fn",
    "call",
    "curry",
    "is_shared",
    "is_def_var",
    "is_def_fn",
    "type_of",
    "try",
    "catch",
    "throw",
    "this",
    "debug",
    "print",
    "global",
    "<<",
    ">>",
    "**",
    "^",
    "<<=",
    ">>=",
    "**=",
    "^=",
    "&=",
    "|=",
    "!in",
    "exit",
    "spawn",
    "thread",
    "go",
    "sync",
    "async",
    "await",
];

/// The rows of an input table as a script sees them: `for row in input.accounts`, `input.total[0].amount`.
#[derive(Debug, Clone)]
pub(super) struct TableView(pub Arc<Table>);

impl TableView {
    fn row(&self, row: usize) -> Dynamic {
        let mut map = Map::new();
        for (name, column) in &self.0.columns {
            let value = cell(column, row);
            match name.split_once('.') {
                None => _ = map.insert(name.as_str().into(), value),
                Some((group, name)) => {
                    let group = map.entry(group.into()).or_insert_with(|| Dynamic::from_map(Map::new()));
                    if let Some(mut group) = group.write_lock::<Map>() {
                        group.insert(name.into(), value);
                    }
                }
            }
        }
        Dynamic::from_map(map)
    }
}

impl IntoIterator for TableView {
    type Item = Dynamic;
    type IntoIter = Box<dyn Iterator<Item = Dynamic>>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new((0..self.0.row_count()).map(move |row| self.row(row)))
    }
}

pub(super) fn cell(column: &TableColumn, row: usize) -> Dynamic {
    match column {
        TableColumn::Number { scale, values } => super::column::number_at(values[row], *scale),
        TableColumn::Text(text) => text.get(row).map_or(Dynamic::UNIT, |text| Dynamic::from(ImmutableString::from(text))),
    }
}

/// What an engine shares with its run: the host behind the builtins and the operations used.
#[derive(Clone)]
pub(super) struct Shared {
    pub host: Arc<Mutex<Host>>,
    pub used: Arc<AtomicU64>,
}

impl Shared {
    pub fn lock(&self) -> std::sync::MutexGuard<'_, Host> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const OUT_OF_TIME: &str = "time";
const OUT_OF_OPERATIONS: &str = "operations";

/// An engine that parses; it knows the grammar and its limits.
pub(super) fn parser(limits: &ScriptLimits) -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine.set_fast_operators(false);
    engine.set_allow_anonymous_fn(false);
    engine.set_strict_variables(true);
    engine.set_max_expr_depths(limits.expression_depth, limits.expression_depth);
    engine.set_max_call_levels(limits.call_levels);
    engine.set_max_variables(limits.variables);
    engine.set_max_functions(limits.functions);
    engine.set_max_modules(0);
    engine.set_max_string_size(limits.text_bytes);
    engine.set_max_array_size(limits.list_items);
    engine.set_max_map_size(limits.map_items);
    for symbol in DISABLED {
        engine.disable_symbol(symbol);
    }
    engine
}

/// An engine that runs: operators, builtins, iterators, and a clock that stops it.
pub(super) fn runner(limits: &ScriptLimits, point: Point, shared: &Shared, operations_max: u64, until: Instant) -> Engine {
    let mut engine = parser(limits);
    engine.register_global_module(rhai::packages::BasicIteratorPackage::new().as_shared_module());
    engine.register_iterator::<Array>();
    engine.register_iterator::<TableView>();
    let any = TypeId::of::<Dynamic>();
    for (symbol, operator) in Operator::ALL {
        engine.register_raw_fn(symbol, [any, any], move |context, values| {
            value::binary(operator, values[0], values[1]).map_err(|message| trouble(&context, message.into()))
        });
        if operator.is_arithmetic() {
            engine.register_raw_fn(format!("{symbol}="), [any, any], move |context, values| {
                *values[0] = value::binary(operator, values[0], values[1]).map_err(|message| trouble(&context, message.into()))?;
                Ok(())
            });
        }
    }
    engine.register_raw_fn("-", [any], |context, values| value::negate(values[0]).map_err(|message| trouble(&context, message.into())));
    engine.register_raw_fn("+", [any], |_, values| Ok(values[0].clone()));
    engine.register_raw_fn("!", [any], |context, values| value::invert(values[0]).map_err(|message| trouble(&context, message.into())));
    for builtin in BUILTINS.iter().filter(|builtin| builtin.is_at(point)) {
        let shared = shared.clone();
        engine.register_raw_fn(builtin.name, vec![any; builtin.arity()], move |context, values| {
            let values: Vec<&Dynamic> = values.iter().map(|value| &**value).collect();
            builtin.call(&mut shared.lock(), &values).map_err(|error| trouble(&context, error))
        });
    }
    let pushed = Arc::new(AtomicU64::new(0));
    let items_max = limits.pushed_items;
    engine.register_raw_fn("push", [TypeId::of::<Array>(), any], move |context, values| {
        let value = values[1].clone();
        let total = pushed.fetch_add(size_of_value(&value), Ordering::Relaxed);
        if total > items_max {
            return Err(trouble(&context, too_large(format!("more than {items_max} values were added to lists"))));
        }
        if let Some(mut list) = values[0].write_lock::<Array>() {
            list.push(value);
        }
        context.engine().ensure_data_size_within_limits(values[0])?;
        Ok(())
    });
    engine.register_indexer_get(|record: &mut Record, name: ImmutableString| record.get(&name));
    engine.register_raw_fn("len", [TypeId::of::<TableView>()], |_, values| {
        Ok(values[0].read_lock::<TableView>().map_or(0, |view| view.0.row_count() as i64))
    });
    engine.register_raw_fn("index$get$", [TypeId::of::<TableView>(), TypeId::of::<i64>()], |context, values| {
        let row = values[1].as_int().unwrap_or(-1);
        let Some(view) = values[0].read_lock::<TableView>() else { return Ok(Dynamic::UNIT) };
        match usize::try_from(row).ok().filter(|row| *row < view.0.row_count()) {
            Some(row) => Ok(view.row(row)),
            None => Err(trouble(&context, format!("table `{}` has no row {row}", view.0.name).into())),
        }
    });
    let used = Arc::clone(&shared.used);
    let earlier = AtomicU64::new(0);
    engine.on_progress(move |operations| {
        // Operations start anew with every row.
        if operations == 1 {
            earlier.store(used.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let total = earlier.load(Ordering::Relaxed) + operations;
        used.store(total, Ordering::Relaxed);
        if total > operations_max {
            return Some(Dynamic::from(OUT_OF_OPERATIONS));
        }
        (total.is_multiple_of(16) && Instant::now() > until).then(|| Dynamic::from(OUT_OF_TIME))
    });
    engine
}

fn size_of_value(value: &Dynamic) -> u64 {
    if let Some(list) = value.read_lock::<Array>() {
        return 1 + list.iter().map(size_of_value).sum::<u64>();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return 1 + map.values().map(size_of_value).sum::<u64>();
    }
    1 + value.as_immutable_string_ref().map_or(0, |text| text.len() as u64 / 16)
}

fn too_large(message: String) -> Trouble {
    Trouble { kind: FaultKind::Memory, message }
}

fn trouble(context: &NativeCallContext<'_>, trouble: Trouble) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(trouble), context.call_position()).into()
}

/// A fault at its place in the script, in words for whoever wrote it.
pub(super) fn fault_of(error: &EvalAltResult, known: &[String]) -> Fault {
    let mut error = error;
    while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _) = error {
        error = inner;
    }
    let trap = |message: String| (FaultKind::Trap, message);
    let (kind, message) = match error {
        EvalAltResult::ErrorRuntime(token, _) => match token.read_lock::<Trouble>() {
            Some(trouble) => (trouble.kind, trouble.message.clone()),
            None => trap(value::show(token)),
        },
        EvalAltResult::ErrorTerminated(token, _) if value::show(token) == OUT_OF_TIME => {
            (FaultKind::Deadline, "the script takes too long; look for a loop that does not end".to_owned())
        }
        EvalAltResult::ErrorTerminated(..) | EvalAltResult::ErrorTooManyOperations(_) => {
            (FaultKind::Fuel, "the script needs too many operations; look for a loop that does not end".to_owned())
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            (FaultKind::Memory, "functions call each other too deeply; look for a function that calls itself".to_owned())
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => (FaultKind::Memory, format!("{what} is over the limit; keep less at a time")),
        EvalAltResult::ErrorTooManyVariables(_) => (FaultKind::Memory, "the script has too many variables".to_owned()),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => trap(unknown_function(signature)),
        EvalAltResult::ErrorVariableNotFound(name, _) => trap(unknown_name("variable", name, known)),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) if !wanted.is_empty() => {
            trap(format!("{wanted} is needed here, not {found}"))
        }
        other => {
            let mut bare = other.to_string();
            if let Some(cut) = bare.rfind(" (line ") {
                bare.truncate(cut);
            }
            trap(lower_first(&bare))
        }
    };
    at(Fault::new(kind, message), error.position())
}

pub(super) fn at(mut fault: Fault, position: Position) -> Fault {
    fault.line = position.line();
    fault.column = position.position().or(position.line().map(|_| 1));
    fault
}

/// A parse error in the same form.
pub(super) fn fault_of_parse(error: &rhai::ParseError, known: &[String]) -> Fault {
    use rhai::ParseErrorType;
    let message = match error.err_type() {
        ParseErrorType::VariableUndefined(name) => unknown_name("variable", name, known),
        ParseErrorType::ExprTooDeep => "the expression is nested too deeply; use variables for its parts".to_owned(),
        ParseErrorType::Reserved(word) => format!("`{word}` is not available in scripts"),
        other => lower_first(&other.to_string()),
    };
    at(Fault::new(FaultKind::NotAnExtension, message), error.position())
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// Names what a call does not fit: its name, or the number of its arguments.
pub(super) fn unknown_function(signature: &str) -> String {
    let (name, rest) = signature.split_once('(').map_or((signature, ""), |(name, rest)| (name.trim(), rest));
    let arities: Vec<String> = BUILTINS.iter().filter(|builtin| builtin.name == name).map(|builtin| builtin.arity().to_string()).collect();
    if !arities.is_empty() {
        let given = if rest.trim_end_matches(')').is_empty() { 0 } else { rest.split(',').count() };
        return format!("`{name}` is not available here with {given} values; it takes {}", arities.join(" or "));
    }
    if Operator::from_symbol(name).is_some() {
        return format!("`{name}` does not work on these values");
    }
    let names: Vec<String> = BUILTINS.iter().map(|builtin| builtin.name.to_owned()).collect();
    unknown_name("function", name, &names)
}

pub(super) fn unknown_name(what: &str, name: &str, known: &[String]) -> String {
    match nearest(name, known) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None if known.len() <= 30 && !known.is_empty() => format!("there is no {what} `{name}`; there are {}", known.join(", ")),
        None => format!("there is no {what} `{name}`"),
    }
}

/// The known name with the fewest differing letters, if it is close enough to be meant.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    if name.len() > 64 {
        return None;
    }
    let allowed = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, near)| near)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.chars().enumerate() {
        let mut present = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(letter != *other);
            present.push(replaced.min(previous[column + 1] + 1).min(present[column] + 1));
        }
        previous = present;
    }
    previous[right.len()]
}
