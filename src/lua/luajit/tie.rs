//! Numbers half-way between two decimals, as LuaJIT's `%e`, `%f` and `%g` print them: rounded away from zero; C rounds to the even decimal.
//! [`print::break_tie`](crate::lua::object::print::break_tie) changes the number so that C prints it so. If the next double is further away than the next
//! decimal, the text is made here.

use super::text::{Style, padded};

/// The decimals beyond those asked for. All doubles that are half-way cases have no digit but a 5 there.
pub(super) const BEYOND: usize = 25;

/// The text of a half-way case.
pub(super) fn text(n: f64, style: Style<'_>) -> String {
    let keep = style.flags.contains(&b'#');
    let body = match style.letter.to_ascii_lowercase() {
        b'f' => away(&format!("{:.*}", style.precision + BEYOND, n.abs())),
        b'e' => {
            let (digits, exponent) = scientific(n.abs(), style.precision);
            with_exponent(&digits, exponent)
        }
        _ => general(n.abs(), style.precision.max(1), keep),
    };
    let body = if style.letter.is_ascii_uppercase() { body.to_uppercase() } else { body };
    let sign = match () {
        () if n < 0.0 => "-",
        () if style.flags.contains(&b'+') => "+",
        () if style.flags.contains(&b' ') => " ",
        () => "",
    };
    padded(sign, &body, style.flags, true)
}

/// `%g` without its sign. `keep`: zeros at the end, too.
fn general(n: f64, precision: usize, keep: bool) -> String {
    let (mantissa, exponent) = scientific(n, precision - 1);
    let trim = |text: String| match text.contains('.') && !keep {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    if exponent < -4 || exponent >= precision as i32 {
        return with_exponent(&trim(mantissa), exponent);
    }
    let digits = mantissa.replace('.', "");
    trim(match usize::try_from(exponent) {
        Ok(exponent) => {
            let (whole, fraction) = digits.split_at(exponent + 1);
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        Err(_) => format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
    })
}

/// The digits with one before the point, and the exponent.
fn scientific(n: f64, decimals: usize) -> (String, i32) {
    let text = format!("{n:.*e}", decimals + BEYOND);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (mut mantissa, mut exponent) = (away(mantissa), exponent.parse().unwrap_or(0));
    if mantissa.starts_with("10") {
        mantissa =
            if decimals == 0 { "1".to_owned() } else { format!("1.{}", "0".repeat(decimals)) };
        exponent += 1;
    }
    (mantissa, exponent)
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The number without the decimals beyond those asked for, one more in its last place.
fn away(exact: &str) -> String {
    let kept = exact[..exact.len() - BEYOND].trim_end_matches('.');
    let mut digits = kept.as_bytes().to_vec();
    let carried = digits.iter_mut().rev().filter(|c| **c != b'.').all(|c| {
        let nine = *c == b'9';
        *c = if nine { b'0' } else { *c + 1 };
        nine
    });
    if carried {
        digits.insert(0, b'1');
    }
    String::from_utf8(digits).unwrap_or_default()
}
