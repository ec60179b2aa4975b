//! C functions called from Rust without Lua, against the system's C library.
#![cfg(unix)]

use std::ffi::{CStr, c_char, c_void};

use cthunk::native::{Function, Value};

fn function(declaration: &str, address: *const c_void) -> Function {
    Function::new(declaration, address).expect(declaration)
}

#[repr(C)]
struct Quotient {
    quotient: i32,
    remainder: i32,
}

unsafe extern "C" {
    fn div(numerator: i32, denominator: i32) -> Quotient;
}

#[test]
fn scalars_pointers_and_structs_go_both_ways() {
    // SAFETY: the declarations are those of the C library.
    unsafe {
        let labs = function("long labs(long)", libc::labs as *const c_void);
        assert_eq!(labs.call(&[Value::Int(-7)]).unwrap(), Value::Int(7));
        let strtod =
            function("double strtod(const char *, char **)", libc::strtod as *const c_void);
        let mut end: *mut c_char = std::ptr::null_mut();
        let text = c"2.5 apples";
        let arguments = [text.as_ptr().into(), (&raw mut end).into()];
        assert_eq!(strtod.call(&arguments).unwrap(), Value::Float(2.5));
        assert_eq!(CStr::from_ptr(end), c" apples");
        let declaration = "struct { int quotient, remainder; } div(int, int)";
        let quotient = function(declaration, div as *const c_void);
        let expected = [3_i32.to_le_bytes(), 2_i32.to_le_bytes()].concat();
        let result = quotient.call(&[17.into(), 5.into()]).unwrap();
        assert_eq!(result, Value::Bytes(expected));
    }
}

#[test]
fn variable_arguments_are_passed() {
    let snprintf = function(
        "int snprintf(char *, size_t, const char *, ...)",
        libc::snprintf as *const c_void,
    );
    let mut buffer = [0_u8; 64];
    let arguments = [
        buffer.as_mut_ptr().into(),
        Value::Uint(64),
        c"%lld %.1f %s".as_ptr().into(),
        Value::Int(-5),
        Value::Float(0.5),
        c"text".as_ptr().into(),
    ];
    // SAFETY: the format takes these arguments, and the buffer has 64 bytes.
    let written = unsafe { snprintf.call(&arguments) }.unwrap();
    assert_eq!(written, Value::Int(11));
    assert_eq!(CStr::from_bytes_until_nul(&buffer).unwrap(), c"-5 0.5 text");
}

#[test]
fn what_does_not_fit_is_refused_before_the_call() {
    let labs = function("long labs(long)", libc::labs as *const c_void);
    // SAFETY: nothing is called.
    unsafe {
        let message = labs.call(&[]).unwrap_err().to_string();
        assert_eq!(message, "wrong number of arguments to 'labs': 1 expected, got 0");
        let message = labs.call(&[Value::Float(1.0)]).unwrap_err().to_string();
        assert_eq!(message, "bad argument #1 to 'labs': an integer of 8 bytes expected, got 1");
    }
    assert!(Function::new("long", libc::labs as *const c_void).is_err());
}
