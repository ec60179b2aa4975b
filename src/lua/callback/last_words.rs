//! The report of an error that a callback caught, for the case that C ends the process before it returns to raise the error.

use super::Callbacks;
use super::dispatch;
use super::record::Callback;
use super::traceback;
use crate::code::ending;
use crate::lua::state::Cx;
use crate::lua::state::rooms::Part;

/// Keeps what is to be said of the error on top of the stack, which a callback caught.
pub(in crate::lua) fn keep(cx: &Cx<'_>, callback: &Callback) {
    let message = match cx.bytes(-1) {
        Some(text) => String::from_utf8_lossy(text).into_owned(),
        None => format!("(error object is a {} value)", cx.type_name(-1)),
    };
    callback.push(cx);
    let place = cx.defined_at(-1).map_or_else(String::new, |place| format!(" ({place})"));
    cx.pop(1);
    let mut trace = String::new();
    if traceback::push(cx, -1) {
        trace = cx
            .bytes(-1)
            .map_or_else(String::new, |text| format!("\n{}", String::from_utf8_lossy(text)));
        cx.pop(1);
    }
    let name = callback.name();
    let words = format!(
        "cthunk: the process ends before C returned to raise an error in the callback '{name}'{place}: {message}{trace}\n"
    );
    match ending::hold(words) {
        Ok(held) => Callbacks::of(cx.state).last_words.set(Some(held)),
        Err(_) => dispatch::report(format_args!(
            "error in the callback '{name}'{place}, raised when C returns: {message}"
        )),
    }
}
