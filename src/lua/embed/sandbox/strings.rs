//! `string.find`, `string.match`, and the search that `prelude.lua` makes `string.gmatch` and `string.gsub` of.

use std::ffi::c_int;

use super::pattern::{Capture, Failure, Match, Matcher, find_text, is_text};
use crate::lua::object::argument;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::vm::api;

/// `find(s, pattern [, init [, plain]])`
pub(super) fn find(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(4);
    let (subject, pattern) = (text(cx, 1)?, text(cx, 2)?);
    let Some(from) = start(cx, subject.len())? else { return none(cx) };
    if cx.truth(4) || is_text(pattern) {
        let charge = |steps| cx.charge(steps);
        let Some(at) = find_text(subject, pattern, from, charge)? else { return none(cx) };
        cx.push_integer(at as i64 + 1);
        cx.push_integer((at + pattern.len()) as i64);
        return Ok(Outcome::results(2));
    }
    let Some(found) = search(cx, subject, pattern, from, None, true)? else { return none(cx) };
    Ok(Outcome::results(push_range(cx, &found) + push_captures(cx, subject, &found)))
}

/// `match(s, pattern [, init])`
pub(super) fn matched(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(3);
    let (subject, pattern) = (text(cx, 1)?, text(cx, 2)?);
    let Some(from) = start(cx, subject.len())? else { return none(cx) };
    let Some(found) = search(cx, subject, pattern, from, None, true)? else { return none(cx) };
    if found.captures().is_empty() {
        cx.push_bytes(&subject[found.range]);
        return Ok(Outcome::results(1));
    }
    Ok(Outcome::results(push_captures(cx, subject, &found)))
}

/// `next_match(s, pattern, from, last, anchored)`: where the next match begins and ends, and its captures; nil where there is none.
/// `last`: where a match must not end, or nil.
pub(super) fn next_match(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(5);
    let (subject, pattern) = (text(cx, 1)?, text(cx, 2)?);
    let from = usize::try_from(argument::integer(cx, 3)? - 1).unwrap_or(0);
    let last = match cx.is_absent(4) {
        true => None,
        false => usize::try_from(argument::integer(cx, 4)?).ok(),
    };
    let found = search(cx, subject, pattern, from, last, cx.truth(5))?;
    let Some(found) = found else { return none(cx) };
    Ok(Outcome::results(push_range(cx, &found) + push_captures(cx, subject, &found)))
}

fn none(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.push_nil();
    Ok(Outcome::results(1))
}

/// The bytes of a string or number.
fn text<'c>(cx: &'c Cx<'_>, index: c_int) -> Result<&'c [u8], LuaError> {
    cx.make_text(index);
    cx.bytes(index).ok_or_else(|| {
        let message = format!("string expected, got {}", cx.type_name(index));
        LuaError::Argument(index, message)
    })
}

/// Where the search begins that the third argument asks for, from 0; nothing where that is behind the subject.
fn start(cx: &Cx<'_>, length: usize) -> Result<Option<usize>, LuaError> {
    if cx.is_absent(3) {
        return Ok(Some(0));
    }
    let init = argument::integer(cx, 3)?;
    let from = match init {
        1.. => usize::try_from(init - 1).unwrap_or(usize::MAX),
        0 => 0,
        _ => length.saturating_sub(usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    Ok(match from > length {
        true => api::PATTERNS_OF_51.then_some(length),
        false => Some(from),
    })
}

fn search(
    cx: &Cx<'_>,
    subject: &[u8],
    pattern: &[u8],
    from: usize,
    last: Option<usize>,
    anchored: bool,
) -> Result<Option<Match>, LuaError> {
    let mut matcher = Matcher::new(subject, pattern, |steps| cx.charge(steps));
    matcher.find(from, last, anchored).map_err(|failure| match failure {
        Failure::Malformed(reason) => LuaError::new(reason),
        Failure::Stopped(error) => error,
    })
}

fn push_range(cx: &Cx<'_>, found: &Match) -> c_int {
    cx.push_integer(found.range.start as i64 + 1);
    cx.push_integer(found.range.end as i64);
    2
}

fn push_captures(cx: &Cx<'_>, subject: &[u8], found: &Match) -> c_int {
    cx.ensure_stack(found.captures().len() as c_int + 4);
    for capture in found.captures() {
        match *capture {
            Capture::Bytes(start, end) => cx.push_bytes(&subject[start..end]),
            Capture::Place(at) | Capture::Open(at) => cx.push_integer(at as i64 + 1),
        }
    }
    found.captures().len() as c_int
}
