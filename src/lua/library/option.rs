//! `ffi.option`: the choices of a Lua state, by their names.

use std::cell::Cell;
use std::ffi::c_int;

use crate::ctype::Redeclared;
use crate::lua::callback::traceback;
use crate::lua::state::options::Options;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::value::to_c;
use crate::lua::vm::api;
use crate::suggest::did_you_mean;

/// One choice, and the names of its two values.
struct Choice {
    name: &'static str,
    values: [&'static str; 2],
    /// Whether it is the second value.
    cell: fn(&Options) -> &Cell<bool>,
}

const CHOICES: [Choice; 11] = [
    Choice { name: "null", values: ["cdata", "nil"], cell: |options| &options.null_is_nil },
    Choice { name: "int64", values: ["number", "cdata"], cell: |options| &options.boxed_int64 },
    Choice { name: "uint64", values: ["number", "cdata"], cell: |options| &options.boxed_uint64 },
    Choice { name: "enum", values: ["number", "cdata"], cell: |options| &options.boxed_enum },
    Choice { name: "traceback", values: ["off", "on"], cell: |options| &options.traceback },
    Choice {
        name: "foreign",
        values: ["queue", "default"],
        cell: |options| &options.foreign_answered,
    },
    Choice {
        name: "functions",
        values: ["types", "count"],
        cell: |options| &options.counted_functions,
    },
    Choice {
        name: "varargs",
        values: ["c", "luajit"],
        cell: |options| &options.variable_as_luajit,
    },
    Choice { name: "wide", values: ["utf8", "none"], cell: |options| &options.plain_wide },
    Choice {
        name: "longdouble",
        values: ["number", "cdata"],
        cell: |options| &options.boxed_extended,
    },
    Choice {
        name: "redeclare",
        values: ["error", "first"],
        cell: |options| &options.first_declared,
    },
];

/// `ffi.option(name [, value])`: the value of an option before the call, which sets it where a value is given.
pub(in crate::lua) fn option(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let known = CHOICES.map(|choice| choice.name);
    let choice = &CHOICES[one_of(cx, 1, &known)?];
    let cell = (choice.cell)(&cx.state.options);
    let before = usize::from(cell.get());
    if !cx.is_absent(2) {
        let value = one_of(cx, 2, &choice.values)?;
        if choice.name.ends_with("int64") && value == 0 && !api::NATIVE_INT64 {
            let message = "this Lua has no 64-bit integers: 'cdata' expected";
            return Err(LuaError::Argument(2, message.into()));
        }
        if choice.name == "traceback" && value == 1 {
            traceback::prepare(cx);
        }
        cell.set(value == 1);
        cx.state.head().boxed_uint64.set(cx.state.options.boxed_uint64.get());
        if choice.name == "redeclare" {
            let redeclared = [Redeclared::Refused, Redeclared::Ignored][value];
            cx.state.types.borrow_mut().on_redeclaration(redeclared);
        }
        let first = Options::default();
        let differs = |choice: &Choice| {
            (choice.cell)(&cx.state.options).get() != (choice.cell)(&first).get()
                && !matches!(choice.name, "foreign" | "redeclare")
        };
        cx.state.head().chosen.set(CHOICES.iter().any(differs));
    }
    cx.push_bytes(choice.values[before].as_bytes());
    Ok(Outcome::results(1))
}

/// Which of some names argument `n` is.
fn one_of(cx: &Cx<'_>, n: c_int, names: &[&str]) -> Result<usize, LuaError> {
    let given = cx.bytes(n);
    let found = names.iter().position(|name| given == Some(name.as_bytes()));
    found.ok_or_else(|| {
        let got = match given {
            Some(text) => format!("'{}'", String::from_utf8_lossy(text)),
            None => to_c::describe(cx, n),
        };
        let near = given.and_then(|text| std::str::from_utf8(text).ok());
        let near = near.and_then(|text| did_you_mean(text, names.iter().copied()));
        let near = near.map_or(String::new(), |hint| format!("; {hint}"));
        let names = names.join("', '");
        LuaError::Argument(n, format!("one of '{names}' expected, got {got}{near}"))
    })
}
