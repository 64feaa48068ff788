//! Arithmetic: on 64-bit integers that wrap around, and the few functions for floats.

use super::arguments::{any, fixed, int, variadic};
use super::conversion::{to_float64, to_int64};
use crate::{Budget, Elem, Function, Type, Value};

const ANY: Type = Type::Any;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("add", &[], ANY, |_, arguments| fold(arguments, i64::wrapping_add)),
    fixed("add1", &[ANY], |_, arguments| {
        fold(&[any(arguments, 0)?.clone(), Value::Int(1)], i64::wrapping_add)
    }),
    fixed("sub", &[ANY, ANY], |_, arguments| fold(arguments, i64::wrapping_sub)),
    variadic("mul", &[ANY], ANY, |_, arguments| fold(arguments, i64::wrapping_mul)),
    fixed("div", &[ANY, ANY], |_, arguments| divide(arguments, i64::wrapping_div)),
    fixed("mod", &[ANY, ANY], |_, arguments| divide(arguments, i64::wrapping_rem)),
    variadic("max", &[ANY], ANY, |_, arguments| fold(arguments, i64::max)),
    variadic("biggest", &[ANY], ANY, |_, arguments| fold(arguments, i64::max)),
    variadic("min", &[ANY], ANY, |_, arguments| fold(arguments, i64::min)),
    fixed("ceil", &[ANY], |_, arguments| Ok(Value::Float(to_float64(any(arguments, 0)?).ceil()))),
    fixed("floor", &[ANY], |_, arguments| Ok(Value::Float(to_float64(any(arguments, 0)?).floor()))),
    variadic("round", &[ANY, Type::Int], Type::Float, round),
    fixed("until", &[Type::Int], until),
    fixed("untilStep", &[Type::Int, Type::Int, Type::Int], until_step),
];

pub(super) const REFUSED: &[(&str, &str)] = &[];

fn fold(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, String> {
    Ok(Value::Int64(arguments.iter().map(to_int64).reduce(operation).unwrap_or(0)))
}

fn divide(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, String> {
    match to_int64(any(arguments, 1)?) {
        0 => Err("runtime error: integer divide by zero".into()),
        divisor => Ok(Value::Int64(operation(to_int64(any(arguments, 0)?), divisor))),
    }
}

/// Rounds to a number of decimal places, upwards from .5 or from what the third argument says.
///
/// Negative numbers always go down, as sprig has it.
fn round(_: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let from = match arguments.get(2) {
        Some(from) => to_float64(from),
        None => 0.5,
    };
    let power = power_of_ten(int(arguments, 1)?);
    let shifted = power * to_float64(any(arguments, 0)?);
    let rounded = if shifted.fract() >= from { shifted.ceil() } else { shifted.floor() };
    Ok(Value::Float(rounded / power))
}

/// Ten to the power of `exponent` as Go's `math.Pow` computes it, which is not always the nearest float.
fn power_of_ten(exponent: i64) -> f64 {
    // Beyond this, the result is infinite or 0 whatever the last bits are.
    let exponent = exponent.clamp(-400, 400);
    let (mut fraction, mut scale) = (1.0, 0);
    let (mut square, mut square_scale) = (0.625, 4);
    let mut rest = exponent.unsigned_abs();
    while rest != 0 {
        if rest & 1 == 1 {
            fraction *= square;
            scale += square_scale;
        }
        square *= square;
        square_scale *= 2;
        if square < 0.5 {
            square += square;
            square_scale -= 1;
        }
        rest >>= 1;
    }
    if exponent < 0 {
        fraction = 1.0 / fraction;
        scale = -scale;
    }
    fraction * 2_f64.powi(scale / 2) * 2_f64.powi(scale - scale / 2)
}

fn until(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    let stop = int(arguments, 0)?;
    range(budget, 0, stop, if stop < 0 { -1 } else { 1 })
}

fn until_step(budget: &mut Budget, arguments: &[Value]) -> Result<Value, String> {
    range(budget, int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?)
}

fn range(budget: &mut Budget, start: i64, stop: i64, step: i64) -> Result<Value, String> {
    let down = stop < start;
    let mut numbers = Vec::new();
    if if down { step < 0 } else { step > 0 } {
        let mut next = start;
        while if down { next > stop } else { next < stop } {
            budget.take(size_of::<Value>())?;
            numbers.push(Value::Int(next));
            // Go wraps around too, and then may never end: the budget ends it here.
            next = next.wrapping_add(step);
        }
    }
    Ok(Value::List(Elem::Int, numbers.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_have_the_last_bits_of_go() {
        for (exponent, want) in [
            (0, 1.0),
            (2, 100.0),
            (-1, 0.1),
            (-23, f64::from_bits(0x3b28_2db3_4012_b252)),
            (308, f64::from_bits(0x7fe1_ccf3_85eb_c8a3)),
            (309, f64::INFINITY),
            (-20, f64::from_bits(0x3bc7_9ca1_0c92_4223)),
            (-324, 0.0),
            (i64::MIN, 0.0),
            (i64::MAX, f64::INFINITY),
        ] {
            assert_eq!(power_of_ten(exponent), want, "{exponent}");
        }
    }

    #[test]
    fn ranges_that_do_not_end_use_up_the_budget() {
        for (start, stop, step) in [(0, i64::MAX, 1), (0, i64::MAX, i64::MAX - 1), (0, i64::MIN, -1)] {
            let mut budget = Budget { steps: 1000, bytes: 1 << 20 };
            assert!(range(&mut budget, start, stop, step).is_err(), "{start} {stop} {step}");
        }
    }
}
