//! Evaluates a formula once over whole columns by walking its syntax tree. A condition narrows the rows that are looked at, so a
//! branch runs only for the rows that take it, with the same effects as if every row ran by itself.
//!
//! Loops, `switch` and changes inside of lists and maps are not for columns: such scripts run row by row. Errors are left to the
//! rows too, which say at which place and for whom.

use super::builtin::{self, Builtin};
use super::column::{self, Builder, Column, Rows, Stop, Value};
use super::host::{Host, Record};
use super::value::{self, Operator};
use attain_domain::tiers::{TierBy, TierMethod, TierTable};
use attain_domain::{NULL_NUMBER, fixed};
use rhai::{AST, ASTFlags, Dynamic, Expr, FnCallExpr, Stmt, StmtBlock};
use rust_decimal::Decimal;
use std::sync::Arc;
use std::time::Instant;

/// A function of the script, by name and number of parameters.
#[derive(Debug)]
pub(super) struct Function {
    name: String,
    parameters: Vec<String>,
    body: Vec<Stmt>,
}

/// What is evaluated: the statements of a script and its functions.
#[derive(Debug)]
pub(super) struct Program {
    statements: Vec<Stmt>,
    functions: Vec<Function>,
}

impl Program {
    /// `None` where columns cannot express all of the script; it runs row by row from the start.
    pub fn new(ast: &AST) -> Option<Program> {
        if !is_columnar(ast) {
            return None;
        }
        let functions = ast.iter_functions().map(|function| {
            let (name, count) = (function.name.to_owned(), function.params.len());
            let only = ast.clone_functions_only_filtered(|_, _, _, own, parameters| own == name && parameters == count);
            Function { name, parameters: function.params.iter().map(|name| (*name).to_owned()).collect(), body: statements_of(&only) }
        });
        Some(Program { functions: functions.collect(), statements: ast.statements().to_vec() })
    }

    fn function(&self, name: &str, parameters: usize) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name && function.parameters.len() == parameters)
    }
}

/// The outermost statements of the only function in `ast`; its body is not open to us in any other way.
fn statements_of(ast: &AST) -> Vec<Stmt> {
    let mut statements = Vec::new();
    ast.walk(&mut |path: &[rhai::ASTNode]| {
        if let [rhai::ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

/// What one evaluation may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub operations: u64,
    pub until: Instant,
    pub bytes: usize,
    pub call_levels: usize,
    pub variables: usize,
}

pub(super) struct Evaluation<'a> {
    program: &'a Program,
    host: &'a mut Host,
    budget: Budget,
    operations: u64,
    bytes: usize,
    level: usize,
}

/// The variables of one function, and what has been returned from it so far.
struct Frame<'a> {
    variables: Vec<(&'a str, Value)>,
    returned: Option<(Rows, Value)>,
}

/// Whether columns can express all of the script. What is found here runs row by row from the start.
fn is_columnar(ast: &AST) -> bool {
    use rhai::ASTNode;
    let mut columnar = true;
    ast.walk(&mut |path: &[ASTNode]| {
        let supported = match path.last() {
            Some(ASTNode::Stmt(stmt)) => matches!(
                stmt,
                Stmt::Noop(..)
                    | Stmt::If(..)
                    | Stmt::Var(..)
                    | Stmt::Assignment(..)
                    | Stmt::FnCall(..)
                    | Stmt::Block(..)
                    | Stmt::Expr(..)
                    | Stmt::Return(..)
            ),
            Some(ASTNode::Expr(expr)) => !matches!(expr, Expr::ThisPtr(..) | Expr::Map(..)),
            _ => true,
        };
        columnar &= supported;
        columnar
    });
    columnar
}

impl<'a> Evaluation<'a> {
    /// The value of the last expression for all rows, and the operations used.
    pub fn run(
        program: &'a Program,
        host: &'a mut Host,
        budget: Budget,
        variables: Vec<(&'a str, Value)>,
        count: usize,
    ) -> (Result<Value, Stop>, u64) {
        let mut evaluation = Evaluation { program, host, budget, operations: 0, bytes: 0, level: 0 };
        let mut frame = Frame { variables, returned: None };
        let rows = Rows::all(count);
        let result = evaluation.body(&program.statements, &mut frame, &rows);
        (result, evaluation.operations)
    }

    fn charge(&mut self, rows: &Rows) -> Result<(), Stop> {
        self.operations += rows.active as u64;
        if self.operations > self.budget.operations || Instant::now() > self.budget.until {
            return Err(Stop::Error);
        }
        Ok(())
    }

    fn keep(&mut self, value: Value) -> Result<Value, Stop> {
        self.bytes += value.bytes();
        if self.bytes > self.budget.bytes {
            return Err(Stop::Error);
        }
        Ok(value)
    }

    /// A function's statements: the last value, with early returns put in.
    fn body(&mut self, statements: &'a [Stmt], frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        let last = self.statements(statements, frame, rows)?;
        match frame.returned.take() {
            None => Ok(last),
            Some((returned, value)) => column::merge(&returned, &value, &last, rows),
        }
    }

    fn block(&mut self, block: &'a StmtBlock, frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        let outer = frame.variables.len();
        let result = self.statements(block.statements(), frame, rows);
        frame.variables.truncate(outer);
        result
    }

    fn statements(&mut self, statements: &'a [Stmt], frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        let mut last = Value::One(Dynamic::UNIT);
        for statement in statements {
            let still = match &frame.returned {
                None => rows.clone(),
                Some((returned, _)) => rows.filter(|row| !returned.has(row)),
            };
            if still.active == 0 {
                break;
            }
            last = self.statement(statement, frame, &still)?;
        }
        Ok(last)
    }

    fn statement(&mut self, statement: &'a Stmt, frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        self.charge(rows)?;
        match statement {
            Stmt::Noop(..) => Ok(Value::One(Dynamic::UNIT)),
            Stmt::Expr(expr) => self.expression(expr, frame, rows),
            Stmt::FnCall(call, _) => self.call(call, frame, rows),
            Stmt::Block(block) => self.block(block, frame, rows),
            Stmt::If(branches, _) => {
                let condition = self.expression(&branches.expr, frame, rows)?;
                let (yes, no) = split(&condition, rows)?;
                let on_true = if yes.active > 0 { Some(self.block(&branches.body, frame, &yes)?) } else { None };
                let on_false = if no.active > 0 { Some(self.block(&branches.branch, frame, &no)?) } else { None };
                match (on_true, on_false) {
                    (Some(on_true), Some(on_false)) => column::merge(&yes, &on_true, &on_false, rows),
                    (Some(value), None) | (None, Some(value)) => Ok(value),
                    (None, None) => Ok(Value::One(Dynamic::UNIT)),
                }
            }
            Stmt::Var(variable, ..) => {
                let value = self.expression(&variable.1, frame, rows)?;
                if frame.variables.len() >= self.budget.variables {
                    return Err(Stop::Error);
                }
                frame.variables.push((variable.0.as_str(), value));
                Ok(Value::One(Dynamic::UNIT))
            }
            Stmt::Assignment(assignment) => {
                let (operator, sides) = &**assignment;
                let Expr::Variable(name, ..) = &sides.lhs else { return Err(Stop::NotColumnar) };
                let name = name.1.as_str();
                let mut value = self.expression(&sides.rhs, frame, rows)?;
                let index = frame.variables.iter().rposition(|(own, _)| *own == name).ok_or(Stop::Error)?;
                let present = frame.variables[index].1.clone();
                if let Some((_, _, _, _, _, symbol)) = operator.get_op_assignment_info() {
                    let operator = Operator::from_symbol(symbol).ok_or(Stop::NotColumnar)?;
                    value = column::binary(operator, &present, &value, rows)?;
                }
                frame.variables[index].1 = column::merge(rows, &value, &present, &Rows::all(rows.count))?;
                Ok(Value::One(Dynamic::UNIT))
            }
            Stmt::Return(expr, flags, _) if !flags.contains(ASTFlags::BREAK) => {
                let value = match expr {
                    Some(expr) => self.expression(expr, frame, rows)?,
                    None => Value::One(Dynamic::UNIT),
                };
                frame.returned = Some(match frame.returned.take() {
                    None => (rows.clone(), value),
                    Some((earlier, before)) => {
                        let all = Rows::all(rows.count);
                        let value = column::merge(rows, &value, &before, &all)?;
                        (all.filter(|row| earlier.has(row) || rows.has(row)), value)
                    }
                });
                Ok(Value::One(Dynamic::UNIT))
            }
            _ => Err(Stop::NotColumnar),
        }
    }

    fn expression(&mut self, expr: &'a Expr, frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        self.charge(rows)?;
        match expr {
            Expr::Variable(name, ..) => {
                let name = name.1.as_str();
                frame.variables.iter().rev().find(|(own, _)| *own == name).map(|(_, value)| value.clone()).ok_or(Stop::Error)
            }
            Expr::Stmt(block) => self.block(block, frame, rows),
            Expr::FnCall(call, _) => self.call(call, frame, rows),
            Expr::Dot(sides, flags, _) => {
                if flags.contains(ASTFlags::NEGATED) {
                    return Err(Stop::NotColumnar);
                }
                let base = self.expression(&sides.lhs, frame, rows)?;
                self.member(base, &sides.rhs, frame, rows)
            }
            Expr::Index(sides, ..) => {
                let base = self.expression(&sides.lhs, frame, rows)?;
                let Expr::StringConstant(name, _) = &sides.rhs else { return Err(Stop::NotColumnar) };
                property(&base, name)
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                let and = matches!(expr, Expr::And(..));
                let mut undecided = rows.clone();
                for part in parts.iter() {
                    let value = self.expression(part, frame, &undecided)?;
                    let (yes, no) = split(&value, &undecided)?;
                    undecided = if and { yes } else { no };
                    if undecided.active == 0 {
                        break;
                    }
                }
                let flags = (0..rows.count).map(|row| undecided.has(row) == and).collect();
                Ok(Value::Column(Column::Flags(Arc::new(flags))))
            }
            Expr::Coalesce(parts, _) => {
                let mut result = Value::One(Dynamic::UNIT);
                let mut missing = rows.clone();
                for part in parts.iter() {
                    let value = self.expression(part, frame, &missing)?;
                    result = column::merge(&missing, &value, &result, rows)?;
                    missing = missing.filter(|row| result.get(row).is_unit());
                    if missing.active == 0 {
                        break;
                    }
                }
                Ok(result)
            }
            Expr::InterpolatedString(parts, _) => {
                let mut whole = Value::One(Dynamic::from(rhai::ImmutableString::new()));
                for part in parts.iter() {
                    let part = self.expression(part, frame, rows)?;
                    whole = column::binary(Operator::Add, &whole, &part, rows)?;
                    whole = self.keep(whole)?;
                }
                Ok(whole)
            }
            Expr::Array(parts, _) => {
                let mut values = Vec::with_capacity(parts.len());
                for part in parts.iter() {
                    match self.expression(part, frame, rows)? {
                        Value::One(value) => values.push(value),
                        _ => return Err(Stop::NotColumnar),
                    }
                }
                Ok(Value::One(Dynamic::from_array(values)))
            }
            other => other.get_literal_value(None).map(Value::One).ok_or(Stop::NotColumnar),
        }
    }

    /// The rest of a dotted chain.
    fn member(&mut self, base: Value, rest: &'a Expr, frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        match rest {
            Expr::Property(name, _) => property(&base, &name.2),
            Expr::MethodCall(call, _) => {
                let mut arguments = vec![base];
                for argument in &call.args {
                    arguments.push(self.expression(argument, frame, rows)?);
                }
                if self.program.functions.iter().any(|function| function.name == call.name.as_str()) {
                    return Err(Stop::NotColumnar);
                }
                self.native(&call.name, arguments, rows)
            }
            Expr::Dot(sides, flags, _) if !flags.contains(ASTFlags::NEGATED) => {
                let base = self.member(base, &sides.lhs, frame, rows)?;
                self.member(base, &sides.rhs, frame, rows)
            }
            _ => Err(Stop::NotColumnar),
        }
    }

    fn call(&mut self, call: &'a FnCallExpr, frame: &mut Frame<'a>, rows: &Rows) -> Result<Value, Stop> {
        if call.is_qualified() || call.capture_parent_scope {
            return Err(Stop::NotColumnar);
        }
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            arguments.push(self.expression(argument, frame, rows)?);
        }
        if call.op_token.is_none()
            && let Some(function) = self.program.function(&call.name, arguments.len())
        {
            if self.level >= self.budget.call_levels {
                return Err(Stop::Error);
            }
            self.level += 1;
            let variables = function.parameters.iter().map(String::as_str).zip(arguments).collect();
            let result = self.body(&function.body, &mut Frame { variables, returned: None }, rows);
            self.level -= 1;
            return result;
        }
        self.native(&call.name, arguments, rows)
    }

    /// Operators and builtins: those that pay often know columns, the rest is called for each row.
    fn native(&mut self, name: &str, arguments: Vec<Value>, rows: &Rows) -> Result<Value, Stop> {
        if let ([left, right], Some(operator)) = (arguments.as_slice(), Operator::from_symbol(name)) {
            let result = column::binary(operator, left, right, rows)?;
            return self.keep(result);
        }
        let fast = match (name, arguments.as_slice()) {
            ("!", [one]) => Some(column::collect(rows, |row| value::invert(&one.get(row)))?),
            ("-", [one]) => Some(column::binary(Operator::Subtract, &Value::One(Dynamic::from_int(0)), one, rows)?),
            ("+", [one]) => Some(one.clone()),
            ("min" | "max", [left, right]) => column::extreme(left, right, name == "min", rows),
            ("clamp", [one, lower, upper]) => match column::extreme(one, upper, true, rows) {
                Some(bounded) => column::extreme(&bounded, lower, false, rows),
                None => None,
            },
            ("or", [one, other]) => self.or(one, other, rows)?,
            ("select", [condition, on_true, on_false]) => {
                let (yes, _) = split(condition, rows)?;
                Some(column::merge(&yes, on_true, on_false, rows)?)
            }
            ("is_null", [one]) => {
                let flags = (0..rows.count).map(|row| one.get(row).is_unit()).collect();
                Some(Value::Column(Column::Flags(Arc::new(flags))))
            }
            ("slice", [label, input, rate]) => self.slice(label, input, rate, rows)?,
            ("tiers", [to_date, quota, Value::One(settings)]) => {
                self.tiers(&Value::One(Dynamic::from_int(0)), to_date, quota, settings, rows)?
            }
            ("tiers_between", [prior, to_date, quota, Value::One(settings)]) => self.tiers(prior, to_date, quota, settings, rows)?,
            _ => None,
        };
        if let Some(value) = fast {
            return self.keep(value);
        }
        let builtin = Builtin::find(name, arguments.len()).ok_or(Stop::Error)?;
        if arguments.iter().any(|argument| matches!(argument, Value::Group(_))) {
            return Err(Stop::NotColumnar);
        }
        let is_pure = builtin.is_pure();
        if is_pure && arguments.iter().all(|argument| matches!(argument, Value::One(_))) {
            let values: Vec<Dynamic> = arguments.iter().map(|argument| argument.get(0)).collect();
            let values: Vec<&Dynamic> = values.iter().collect();
            return builtin.call(self.host, &values).map(Value::One).map_err(|_| Stop::Error);
        }
        let mut builder = Builder::new(rows.count);
        let mut values: Vec<Dynamic> = vec![Dynamic::UNIT; arguments.len()];
        for (done, row) in rows.iter().enumerate() {
            for (value, argument) in values.iter_mut().zip(&arguments) {
                if let Value::Column(column) = argument {
                    *value = column.get(row);
                } else if done == 0 {
                    *value = argument.get(row);
                }
            }
            self.host.row = row;
            let value = match values.as_slice() {
                [first] => builtin.call(self.host, &[first]),
                [first, second] => builtin.call(self.host, &[first, second]),
                [first, second, third] => builtin.call(self.host, &[first, second, third]),
                other => builtin.call(self.host, &other.iter().collect::<Vec<_>>()),
            };
            builder.push(row, &value.map_err(|_| Stop::Error)?)?;
            if done % 1_024 == 0 && Instant::now() > self.budget.until {
                return Err(Stop::Error);
            }
        }
        let value = builder.finish();
        self.keep(value)
    }

    fn or(&mut self, one: &Value, other: &Value, rows: &Rows) -> Result<Option<Value>, Stop> {
        Ok(match one {
            Value::One(value) if value.is_unit() => Some(other.clone()),
            Value::One(value) if !value.is_bool() => Some(one.clone()),
            Value::Column(Column::Scaled { values, .. }) => {
                if values.iter().all(|value| *value != NULL_NUMBER) {
                    return Ok(Some(one.clone()));
                }
                let present = rows.filter(|row| values[row] != NULL_NUMBER);
                Some(column::merge(&present, one, other, rows)?)
            }
            Value::Column(Column::Exact(values)) => {
                let present = rows.filter(|row| values[row].is_some());
                Some(column::merge(&present, one, other, rows)?)
            }
            Value::Column(Column::Text(texts)) => {
                let present = rows.filter(|row| texts.get(row).is_some());
                Some(column::merge(&present, one, other, rows)?)
            }
            _ => None,
        })
    }

    /// Records `input × rate` for every row without leaving scaled integers, where they fit.
    fn slice(&mut self, label: &Value, input: &Value, rate: &Value, rows: &Rows) -> Result<Option<Value>, Stop> {
        let Value::One(label) = label else { return Ok(None) };
        let label = value::text(label)?;
        let amount = column::binary(Operator::Multiply, input, rate, rows)?;
        let code = self.host.slices.labels.code(&label);
        for row in rows.iter() {
            let (Some(input), Some(rate), Some(amount)) =
                (eight_digits(input, row)?, eight_digits(rate, row)?, eight_digits(&amount, row)?)
            else {
                continue;
            };
            self.host.row = row;
            self.host.coded_slice(code, input, rate, amount).map_err(|_| Stop::Error)?;
        }
        Ok(Some(amount))
    }

    fn tiers(&mut self, prior: &Value, to_date: &Value, quota: &Value, settings: &Dynamic, rows: &Rows) -> Result<Option<Value>, Stop> {
        let Some(record) = settings.read_lock::<Record>() else { return Ok(None) };
        let table = record.tiers()?;
        if self.host.point != attain_domain::point::Point::Compensation {
            return Err(Stop::Error);
        }
        if let Some(fast) = FastTiers::new(table)
            && let Some(value) = fast.pay(self.host, prior, to_date, quota, rows).map_err(|_| Stop::Error)?
        {
            return Ok(Some(value));
        }
        let mut values = vec![None; rows.count];
        for row in rows.iter() {
            let (Some(prior), Some(to_date)) = (prior.decimal(row)?, to_date.decimal(row)?) else { continue };
            let quota = quota.decimal(row)?;
            self.host.row = row;
            values[row] = Some(builtin::pay_tiers(self.host, table, prior, to_date, quota, None).map_err(|_| Stop::Error)?);
        }
        Ok(Some(Value::Column(Column::Exact(Arc::new(values)))))
    }
}

/// The rows where `condition` holds and those where it does not.
fn split(condition: &Value, rows: &Rows) -> Result<(Rows, Rows), Stop> {
    match condition {
        Value::One(one) if value::flag(one)? => Ok((rows.clone(), rows.filter(|_| false))),
        Value::One(_) => Ok((rows.filter(|_| false), rows.clone())),
        Value::Column(Column::Flags(flags)) => Ok((rows.filter(|row| flags[row]), rows.filter(|row| !flags[row]))),
        _ => Err(Stop::Error),
    }
}

fn property(base: &Value, name: &str) -> Result<Value, Stop> {
    match base {
        Value::Group(columns) => Ok(columns.get(name).map_or(Value::One(Dynamic::UNIT), |column| Value::Column(column.clone()))),
        Value::One(one) => match one.read_lock::<Record>() {
            Some(record) => Ok(Value::One(record.get(name))),
            None => Err(Stop::NotColumnar),
        },
        Value::Column(_) => Err(Stop::Error),
    }
}

/// The number of a row at 10⁻⁸, rounded half-even as the trace keeps it.
fn eight_digits(value: &Value, row: usize) -> Result<Option<i64>, Stop> {
    if let Value::Column(Column::Scaled { scale, values }) = value {
        let number = values[row];
        if number == NULL_NUMBER {
            return Ok(None);
        }
        return at_scale(i128::from(number), u32::from(*scale)).map(Some).ok_or(Stop::Error);
    }
    match value.decimal(row)? {
        None => Ok(None),
        Some(number) => fixed::from_decimal_rounded(number, attain_domain::RATE_SCALE).map(Some).ok_or(Stop::Error),
    }
}

/// `mantissa / 10^scale` at 10⁻⁸.
fn at_scale(mantissa: i128, scale: u32) -> Option<i64> {
    const WANTED: u32 = attain_domain::RATE_SCALE as u32;
    let scaled = if scale <= WANTED {
        mantissa.checked_mul(10i128.pow(WANTED - scale))?
    } else {
        let divisor = 10i128.checked_pow(scale - WANTED)?;
        fixed::divide(mantissa, divisor, attain_domain::RoundingMode::HalfEven)
    };
    i64::try_from(scaled).ok().filter(|scaled| *scaled != NULL_NUMBER)
}

/// Marginal tiers over scaled integers. `pay` gives what `TierTable::pay` gives, which the property tests hold it to.
struct FastTiers<'a> {
    table: &'a TierTable,
    bound_scale: u32,
    rate_scale: u32,
    tiers: Vec<FastTier>,
}

struct FastTier {
    from: i128,
    until: Option<i128>,
    rate: i128,
    rate_eight: i64,
}

fn mantissa_at(value: Decimal, scale: u32) -> Option<i128> {
    value.mantissa().checked_mul(10i128.checked_pow(scale.checked_sub(value.scale())?)?)
}

impl<'a> FastTiers<'a> {
    fn new(table: &'a TierTable) -> Option<FastTiers<'a>> {
        if table.method != TierMethod::Marginal || table.negative != attain_domain::tiers::NegativeResult::Reverse {
            return None;
        }
        let bounds = || table.tiers.iter().flat_map(|tier| [Some(tier.from), tier.until]).flatten();
        let bound_scale = bounds().map(|bound| bound.scale()).max()?;
        let rate_scale = table.tiers.iter().map(|tier| tier.rate.scale()).max()?;
        if bound_scale > 8 || rate_scale > 8 {
            return None;
        }
        let mut tiers = Vec::with_capacity(table.tiers.len());
        for (index, tier) in table.tiers.iter().enumerate() {
            let until = tier.until.or_else(|| table.tiers.get(index + 1).map(|next| next.from));
            tiers.push(FastTier {
                from: mantissa_at(tier.from, bound_scale)?,
                until: until.map_or(Some(None), |until| mantissa_at(until, bound_scale).map(Some))?,
                rate: mantissa_at(tier.rate, rate_scale)?,
                rate_eight: at_scale(tier.rate.mantissa(), tier.rate.scale())?,
            });
        }
        Some(FastTiers { table, bound_scale, rate_scale, tiers })
    }

    /// `None` where a number does not fit; nothing is recorded then.
    fn pay(
        &self,
        host: &mut Host,
        prior: &Value,
        to_date: &Value,
        quota: &Value,
        rows: &Rows,
    ) -> Result<Option<Value>, super::host::Trouble> {
        let (mut prior_one, mut to_date_one, mut quota_one) = ([0], [0], [0]);
        let by_attainment = self.table.by == TierBy::Attainment;
        let null = Value::One(Dynamic::from_int(0));
        let quota = if by_attainment && !matches!(quota, Value::One(one) if one.is_unit()) { quota } else { &null };
        let (Some(prior), Some(to_date), Some(quota)) =
            (prior.scaled(&mut prior_one), to_date.scaled(&mut to_date_one), quota.scaled(&mut quota_one))
        else {
            return Ok(None);
        };
        let number_scale = u32::from(prior.0.max(to_date.0).max(quota.0));
        // Positions are at the scale of the numbers and of the bounds together: a bound is then bound × quota, or bound × 1.
        let lift = |scale: u8| 10i128.pow(number_scale - u32::from(scale) + self.bound_scale);
        let (prior_lift, to_date_lift) = (lift(prior.0), lift(to_date.0));
        let quota_lift = 10i128.pow(number_scale - u32::from(quota.0));
        let unit_of_amounts = 10i128.pow(number_scale);
        let position_scale = number_scale + self.bound_scale;
        let amount_scale = position_scale + self.rate_scale;
        if amount_scale > 18 {
            return Ok(None);
        }
        let slices_before = host.slices.rows.len();
        let labels: Vec<u32> = (1..=self.tiers.len()).map(|number| host.slices.labels.code(&format!("tier {number}"))).collect();
        let mut values = Vec::with_capacity(rows.count);
        for row in 0..rows.count {
            let at = |numbers: &(u8, &[i64], usize)| numbers.1[row * numbers.2];
            let (from, until, quota) = (at(&prior), at(&to_date), at(&quota));
            if !rows.has(row) || from == NULL_NUMBER || until == NULL_NUMBER {
                values.push(NULL_NUMBER);
                continue;
            }
            let unit = if by_attainment { i128::from(quota) * quota_lift } else { unit_of_amounts };
            let has_unit = !by_attainment || (quota != NULL_NUMBER && quota > 0);
            let (from, until) = (i128::from(from) * prior_lift, i128::from(until) * to_date_lift);
            host.row = row;
            let mut total = 0i128;
            for (index, tier) in self.tiers.iter().enumerate().take(if has_unit { self.tiers.len() } else { 0 }) {
                let Some(slice) = tier.slice(index, unit, from, until) else {
                    host.slices.truncate(slices_before);
                    return Ok(None);
                };
                if slice == 0 {
                    continue;
                }
                let amount = slice.checked_mul(tier.rate);
                let traced = amount.and_then(|amount| Some((at_scale(slice, position_scale)?, at_scale(amount, amount_scale)?)));
                let (Some(amount), Some((input, traced))) = (amount, traced) else {
                    host.slices.truncate(slices_before);
                    return Ok(None);
                };
                total += amount;
                host.coded_slice(labels[index], input, tier.rate_eight, traced)?;
            }
            let Some(total) = i64::try_from(total).ok().filter(|total| *total != NULL_NUMBER) else {
                host.slices.truncate(slices_before);
                return Ok(None);
            };
            values.push(total);
        }
        Ok(Some(Value::Column(Column::Scaled { scale: amount_scale as u8, values: Arc::new(values) })))
    }
}

impl FastTier {
    /// The part of the tier between two positions.
    fn slice(&self, index: usize, unit: i128, from: i128, until: i128) -> Option<i128> {
        let open_below = index == 0 && self.from == 0;
        let lower = self.from.checked_mul(unit)?;
        let upper = match self.until {
            Some(upper) => Some(upper.checked_mul(unit)?),
            None => None,
        };
        let clamp = |value: i128| {
            let value = upper.map_or(value, |upper| value.min(upper));
            if open_below { value } else { value.max(lower) }
        };
        clamp(until).checked_sub(clamp(from))
    }
}
