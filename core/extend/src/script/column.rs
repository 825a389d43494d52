//! Values of all rows at once. Numbers stay scaled integers as long as that is exact and fits, and become decimals otherwise, so
//! that every result is the one that `value` gives row by row.

use super::value::{self, Operator};
use attain_domain::{Column as TableColumn, NULL_CODE, NULL_NUMBER, fixed};
use rhai::{Dynamic, ImmutableString};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(super) enum Column {
    Scaled { scale: u8, values: Arc<Vec<i64>> },
    Exact(Arc<Vec<Option<Decimal>>>),
    Flags(Arc<Vec<bool>>),
    Text(Arc<Texts>),
}

#[derive(Debug, Default)]
pub(super) struct Texts {
    pub dictionary: Vec<ImmutableString>,
    pub codes: Vec<u32>,
}

/// What an expression is worth: the same for all rows, a column, or a named group of columns (`params`, `inputs`).
#[derive(Debug, Clone)]
pub(super) enum Value {
    One(Dynamic),
    Column(Column),
    Group(Arc<BTreeMap<String, Column>>),
}

/// The rows that an expression is evaluated for; the others keep what they had.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub count: usize,
    pub active: usize,
    mask: Option<Arc<Vec<bool>>>,
}

/// Columns cannot express it: let the rows be evaluated one by one.
#[derive(Debug)]
pub(super) struct NotColumnar;

impl Rows {
    pub fn all(count: usize) -> Rows {
        Rows { count, active: count, mask: None }
    }

    pub fn has(&self, row: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask[row])
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.count).filter(|row| self.has(*row))
    }

    /// Those of these rows for which `keep` holds.
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Rows {
        let mut active = 0;
        let mask = (0..self.count)
            .map(|row| {
                let kept = self.has(row) && keep(row);
                active += usize::from(kept);
                kept
            })
            .collect();
        Rows { count: self.count, active, mask: Some(Arc::new(mask)) }
    }

    pub fn are_all(&self) -> bool {
        self.active == self.count
    }
}

impl Texts {
    pub fn get(&self, row: usize) -> Option<&ImmutableString> {
        self.dictionary.get(self.codes[row] as usize)
    }
}

impl Column {
    pub fn from_table(column: &TableColumn) -> Column {
        match column {
            TableColumn::Number { scale, values } => {
                let (scale, values) = without_trailing_zeros(*scale, values);
                Column::Scaled { scale, values: Arc::new(values) }
            }
            TableColumn::Text(text) => Column::Text(Arc::new(Texts {
                dictionary: text.dictionary.iter().map(ImmutableString::from).collect(),
                codes: text.codes.clone(),
            })),
        }
    }

    pub fn get(&self, row: usize) -> Dynamic {
        match self {
            Column::Scaled { scale, values } => number_at(values[row], *scale),
            Column::Exact(values) => value::of_number(values[row]),
            Column::Flags(values) => Dynamic::from_bool(values[row]),
            Column::Text(texts) => value::of_text(texts.get(row)),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Column::Scaled { values, .. } => values.len() * 8,
            Column::Exact(values) => values.len() * 20,
            Column::Flags(values) => values.len(),
            Column::Text(texts) => texts.codes.len() * 4 + texts.dictionary.iter().map(|text| text.len() + 16).sum::<usize>(),
        }
    }
}

/// Integers stay integers; so do the days and counts of a contract.
pub(super) fn number_at(value: i64, scale: u8) -> Dynamic {
    match (value, scale) {
        (NULL_NUMBER, _) => Dynamic::UNIT,
        (value, 0) => Dynamic::from_int(value),
        (value, scale) => Dynamic::from_decimal(fixed::to_decimal(value, scale)),
    }
}

/// The same numbers at the smallest scale that holds all of them, so that products stay small.
fn without_trailing_zeros(scale: u8, values: &[i64]) -> (u8, Vec<i64>) {
    let mut kept = scale;
    let mut factor = 1;
    while kept > 1 && values.iter().all(|value| *value == NULL_NUMBER || value % (factor * 10) == 0) {
        kept -= 1;
        factor *= 10;
    }
    if factor == 1 {
        return (scale, values.to_vec());
    }
    (kept, values.iter().map(|value| if *value == NULL_NUMBER { NULL_NUMBER } else { value / factor }).collect())
}

impl Value {
    pub fn get(&self, row: usize) -> Dynamic {
        match self {
            Value::One(value) => value.clone(),
            Value::Column(column) => column.get(row),
            Value::Group(_) => Dynamic::UNIT,
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Value::Column(column) => column.bytes(),
            _ => 0,
        }
    }

    pub fn decimal(&self, row: usize) -> Result<Option<Decimal>, String> {
        match self {
            Value::One(value) => value::number(value),
            Value::Column(Column::Exact(values)) => Ok(values[row]),
            Value::Column(Column::Scaled { scale, values }) => {
                Ok((values[row] != NULL_NUMBER).then(|| Decimal::new(values[row], u32::from(*scale))))
            }
            other => value::number(&other.get(row)),
        }
    }

    fn is_numeric(&self) -> bool {
        match self {
            Value::One(value) => value.is_unit() || value::as_number(value).is_some(),
            Value::Column(column) => matches!(column, Column::Scaled { .. } | Column::Exact(_)),
            Value::Group(_) => false,
        }
    }

    /// The scaled integers of a number; the stride is 0 where all rows share one.
    pub fn scaled<'a>(&'a self, one: &'a mut [i64; 1]) -> Option<(u8, &'a [i64], usize)> {
        match self {
            Value::Column(Column::Scaled { scale, values }) => Some((*scale, values, 1)),
            Value::One(value) => {
                let number = value::as_number(value)?.normalize();
                one[0] = i64::try_from(number.mantissa()).ok().filter(|mantissa| *mantissa != NULL_NUMBER)?;
                Some((u8::try_from(number.scale()).ok()?, one, 0))
            }
            _ => None,
        }
    }
}

/// Applies `apply` to every active row and makes a column of what comes out.
pub(super) fn collect(rows: &Rows, mut apply: impl FnMut(usize) -> Result<Dynamic, String>) -> Result<Value, Stop> {
    let mut builder = Builder::new(rows.count);
    for row in rows.iter() {
        builder.push(row, &apply(row)?)?;
    }
    Ok(builder.finish())
}

/// Why columns were given up: something they cannot express, or an error that the rows will report with its place.
#[derive(Debug)]
pub(super) enum Stop {
    NotColumnar,
    Error,
}

impl From<NotColumnar> for Stop {
    fn from(_: NotColumnar) -> Stop {
        Stop::NotColumnar
    }
}

impl From<String> for Stop {
    fn from(_: String) -> Stop {
        Stop::Error
    }
}

/// Makes a column of single values of one kind.
pub(super) struct Builder {
    count: usize,
    made: Option<Made>,
    has_null: bool,
}

enum Made {
    Numbers(Vec<Option<Decimal>>),
    Flags(Vec<bool>),
    Text { texts: Texts, index: HashMap<ImmutableString, u32> },
}

impl Builder {
    pub fn new(count: usize) -> Builder {
        Builder { count, made: None, has_null: false }
    }

    pub fn push(&mut self, row: usize, value: &Dynamic) -> Result<(), NotColumnar> {
        if value.is_unit() {
            self.has_null = true;
            return if matches!(self.made, Some(Made::Flags(_))) { Err(NotColumnar) } else { Ok(()) };
        }
        let count = self.count;
        if let Some(number) = value::as_number(value) {
            match self.made.get_or_insert_with(|| Made::Numbers(vec![None; count])) {
                Made::Numbers(numbers) => numbers[row] = Some(number),
                _ => return Err(NotColumnar),
            }
        } else if let Ok(flag) = value.as_bool() {
            match self.made.get_or_insert_with(|| Made::Flags(vec![false; count])) {
                Made::Flags(flags) if !self.has_null => flags[row] = flag,
                _ => return Err(NotColumnar),
            }
        } else if let Ok(text) = value.as_immutable_string_ref() {
            let empty = || Made::Text { texts: Texts { dictionary: Vec::new(), codes: vec![NULL_CODE; count] }, index: HashMap::new() };
            match self.made.get_or_insert_with(empty) {
                Made::Text { texts, index } => {
                    let code = match index.get(&*text) {
                        Some(code) => *code,
                        None => {
                            let code = texts.dictionary.len() as u32;
                            texts.dictionary.push(text.clone());
                            index.insert(text.clone(), code);
                            code
                        }
                    };
                    texts.codes[row] = code;
                }
                _ => return Err(NotColumnar),
            }
        } else {
            return Err(NotColumnar);
        }
        Ok(())
    }

    pub fn finish(self) -> Value {
        match self.made {
            None => Value::One(Dynamic::UNIT),
            Some(Made::Numbers(numbers)) => Value::Column(Column::Exact(Arc::new(numbers))),
            Some(Made::Flags(flags)) => Value::Column(Column::Flags(Arc::new(flags))),
            Some(Made::Text { texts, .. }) => Value::Column(Column::Text(Arc::new(texts))),
        }
    }
}

fn power(exponent: u8) -> Option<i64> {
    10i64.checked_pow(u32::from(exponent))
}

/// `operator` on scaled integers; `None` where that would not be exact or not fit.
fn scaled_arithmetic(operator: Operator, left: &Value, right: &Value, rows: &Rows) -> Option<Value> {
    let (mut one, mut other) = ([0], [0]);
    let (left_scale, left, left_stride) = left.scaled(&mut one)?;
    let (right_scale, right, right_stride) = right.scaled(&mut other)?;
    let (scale, left_factor, right_factor) = match operator {
        Operator::Add | Operator::Subtract => {
            let scale = left_scale.max(right_scale);
            (scale, power(scale - left_scale)?, power(scale - right_scale)?)
        }
        Operator::Multiply => (left_scale.checked_add(right_scale).filter(|scale| *scale <= 18)?, 1, 1),
        _ => return None,
    };
    let mut values = Vec::with_capacity(rows.count);
    for row in 0..rows.count {
        let (first, second) = (left[row * left_stride], right[row * right_stride]);
        values.push(if first == NULL_NUMBER || second == NULL_NUMBER || !rows.has(row) {
            NULL_NUMBER
        } else {
            match operator {
                Operator::Multiply => first.checked_mul(second),
                Operator::Add => first.checked_mul(left_factor)?.checked_add(second.checked_mul(right_factor)?),
                _ => first.checked_mul(left_factor)?.checked_sub(second.checked_mul(right_factor)?),
            }
            .filter(|result| *result != NULL_NUMBER)?
        });
    }
    Some(Value::Column(Column::Scaled { scale, values: Arc::new(values) }))
}

/// Division by one number whose reciprocal has few digits, as 2, 100 or 0.25: it stays exact, and so stays scaled.
fn scaled_division(left: &Value, right: &Value, rows: &Rows) -> Option<Value> {
    const DIGITS_MAX: u8 = 6;
    let (mut one, mut other) = ([0], [0]);
    let (left_scale, left, left_stride) = left.scaled(&mut one)?;
    let (right_scale, divisor, 0) = right.scaled(&mut other)? else { return None };
    let divisor = divisor[0];
    let digits = (0..=DIGITS_MAX).find(|digits| divisor != 0 && power(*digits).is_some_and(|power| power % divisor == 0))?;
    let scale = (left_scale + digits).checked_sub(right_scale).filter(|scale| *scale <= 18)?;
    let factor = power(digits)? / divisor;
    let mut values = Vec::with_capacity(rows.count);
    for row in 0..rows.count {
        let value = left[row * left_stride];
        values.push(if value == NULL_NUMBER || !rows.has(row) {
            NULL_NUMBER
        } else {
            value.checked_mul(factor).filter(|result| *result != NULL_NUMBER)?
        });
    }
    Some(Value::Column(Column::Scaled { scale, values: Arc::new(values) }))
}

fn scaled_comparison(operator: Operator, left: &Value, right: &Value, rows: &Rows) -> Option<Value> {
    operator.compares(std::cmp::Ordering::Equal)?;
    let (mut one, mut other) = ([0], [0]);
    let (left_scale, left, left_stride) = left.scaled(&mut one)?;
    let (right_scale, right, right_stride) = right.scaled(&mut other)?;
    let scale = left_scale.max(right_scale);
    let (left_factor, right_factor) = (i128::from(power(scale - left_scale)?), i128::from(power(scale - right_scale)?));
    let flags = (0..rows.count).map(|row| {
        let (first, second) = (left[row * left_stride], right[row * right_stride]);
        if first == NULL_NUMBER || second == NULL_NUMBER {
            let same = first == second;
            return (operator == Operator::Equal && same) || (operator == Operator::Unequal && !same);
        }
        let ordering = (i128::from(first) * left_factor).cmp(&(i128::from(second) * right_factor));
        operator.compares(ordering).unwrap_or_default()
    });
    Some(Value::Column(Column::Flags(Arc::new(flags.collect()))))
}

/// A text column against one text: decided once per entry of the dictionary.
fn text_comparison(operator: Operator, left: &Value, right: &Value) -> Option<Value> {
    let (texts, one, turned) = match (left, right) {
        (Value::Column(Column::Text(texts)), Value::One(one)) => (texts, one, false),
        (Value::One(one), Value::Column(Column::Text(texts))) => (texts, one, true),
        _ => return None,
    };
    operator.compares(std::cmp::Ordering::Equal)?;
    let decide = |entry: Dynamic| {
        let result = if turned { value::binary(operator, one, &entry) } else { value::binary(operator, &entry, one) };
        result.ok()?.as_bool().ok()
    };
    let of_entries = texts.dictionary.iter().map(|entry| decide(Dynamic::from(entry.clone()))).collect::<Option<Vec<bool>>>()?;
    let of_null = decide(Dynamic::UNIT)?;
    let flags = texts.codes.iter().map(|code| of_entries.get(*code as usize).copied().unwrap_or(of_null));
    Some(Value::Column(Column::Flags(Arc::new(flags.collect()))))
}

pub(super) fn binary(operator: Operator, left: &Value, right: &Value, rows: &Rows) -> Result<Value, Stop> {
    if let (Value::One(left), Value::One(right)) = (left, right) {
        return Ok(Value::One(value::binary(operator, left, right)?));
    }
    if matches!(left, Value::Group(_)) || matches!(right, Value::Group(_)) {
        return Err(Stop::NotColumnar);
    }
    let division = || if operator == Operator::Divide { scaled_division(left, right, rows) } else { None };
    if let Some(fast) = scaled_arithmetic(operator, left, right, rows)
        .or_else(division)
        .or_else(|| scaled_comparison(operator, left, right, rows))
        .or_else(|| text_comparison(operator, left, right))
    {
        return Ok(fast);
    }
    if operator.is_arithmetic() && left.is_numeric() && right.is_numeric() {
        let mut values = vec![None; rows.count];
        for row in rows.iter() {
            if let (Some(first), Some(second)) = (left.decimal(row)?, right.decimal(row)?) {
                values[row] = Some(value::arithmetic(operator, first, second)?);
            }
        }
        return Ok(Value::Column(Column::Exact(Arc::new(values))));
    }
    if let (Value::Column(Column::Flags(first)), Value::Column(Column::Flags(second)), true) =
        (left, right, matches!(operator, Operator::And | Operator::Or))
    {
        let and = operator == Operator::And;
        let flags = first.iter().zip(second.iter()).map(|(first, second)| if and { *first && *second } else { *first || *second });
        return Ok(Value::Column(Column::Flags(Arc::new(flags.collect()))));
    }
    collect(rows, |row| value::binary(operator, &left.get(row), &right.get(row)))
}

/// `smaller` or larger of two numbers; no value where one of them has none. `None` where they are no columns of numbers.
pub(super) fn extreme(left: &Value, right: &Value, smaller: bool, rows: &Rows) -> Option<Value> {
    scaled_extreme(left, right, smaller, rows).or_else(|| {
        let is_column = matches!(left, Value::Column(_)) || matches!(right, Value::Column(_));
        if !is_column || !left.is_numeric() || !right.is_numeric() {
            return None;
        }
        let mut values = vec![None; rows.count];
        for row in rows.iter() {
            if let (Some(first), Some(second)) = (left.decimal(row).ok()?, right.decimal(row).ok()?) {
                values[row] = Some(if smaller { first.min(second) } else { first.max(second) });
            }
        }
        Some(Value::Column(Column::Exact(Arc::new(values))))
    })
}

fn scaled_extreme(left: &Value, right: &Value, smaller: bool, rows: &Rows) -> Option<Value> {
    let (mut one, mut other) = ([0], [0]);
    let (left_scale, left, left_stride) = left.scaled(&mut one)?;
    let (right_scale, right, right_stride) = right.scaled(&mut other)?;
    if left_stride + right_stride == 0 {
        return None;
    }
    let scale = left_scale.max(right_scale);
    let (left_factor, right_factor) = (power(scale - left_scale)?, power(scale - right_scale)?);
    let mut values = Vec::with_capacity(rows.count);
    for row in 0..rows.count {
        let (first, second) = (left[row * left_stride], right[row * right_stride]);
        values.push(if first == NULL_NUMBER || second == NULL_NUMBER || !rows.has(row) {
            NULL_NUMBER
        } else {
            let (first, second) = (first.checked_mul(left_factor)?, second.checked_mul(right_factor)?);
            if smaller { first.min(second) } else { first.max(second) }
        });
    }
    Some(Value::Column(Column::Scaled { scale, values: Arc::new(values) }))
}

/// `on_true` in the rows of `chosen`, else `on_false`. Rows outside `rows` are left to `on_false`.
pub(super) fn merge(chosen: &Rows, on_true: &Value, on_false: &Value, rows: &Rows) -> Result<Value, Stop> {
    if chosen.active == rows.active && rows.are_all() {
        return Ok(on_true.clone());
    }
    if let (Some(first), Some(second)) = (as_scaled(on_true, rows.count), as_scaled(on_false, rows.count))
        && let Some(merged) = merge_scaled(chosen, first, second)
    {
        return Ok(merged);
    }
    if let (Value::Group(_), _) | (_, Value::Group(_)) = (on_true, on_false) {
        return Err(Stop::NotColumnar);
    }
    collect(&Rows::all(rows.count), |row| Ok(if chosen.has(row) { on_true.get(row) } else { on_false.get(row) }))
}

type ScaledNumbers = (u8, Arc<Vec<i64>>);

fn as_scaled(value: &Value, count: usize) -> Option<ScaledNumbers> {
    if let Value::Column(Column::Scaled { scale, values }) = value {
        return Some((*scale, Arc::clone(values)));
    }
    if let Value::One(one) = value
        && one.is_unit()
    {
        return Some((0, Arc::new(vec![NULL_NUMBER; count])));
    }
    let mut one = [0];
    let (scale, values, _) = value.scaled(&mut one)?;
    Some((scale, Arc::new(vec![values[0]; count])))
}

fn merge_scaled(chosen: &Rows, on_true: ScaledNumbers, on_false: ScaledNumbers) -> Option<Value> {
    let scale = on_true.0.max(on_false.0);
    let (true_factor, false_factor) = (power(scale - on_true.0)?, power(scale - on_false.0)?);
    let mut values = Vec::with_capacity(chosen.count);
    for row in 0..chosen.count {
        let (value, factor) = if chosen.has(row) { (on_true.1[row], true_factor) } else { (on_false.1[row], false_factor) };
        values.push(if value == NULL_NUMBER { NULL_NUMBER } else { value.checked_mul(factor)? });
    }
    Some(Value::Column(Column::Scaled { scale, values: Arc::new(values) }))
}
