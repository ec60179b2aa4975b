//! Texts, and their rewritten texts.

use super::*;

const MODERN: Dialect = Dialect {
    integers: true,
    mixed_order: true,
    hidden_arg: false,
    environment: true,
    escapes: true,
};

/// The text of the function, with short names for the helpers.
fn rewritten(text: &str, integers: bool) -> String {
    match rewrite(text.as_bytes(), Dialect { integers, ..MODERN }) {
        Chunk::Unchanged => text.to_owned(),
        Chunk::Rewritten { text, .. } => {
            let text = String::from_utf8(text).expect("text");
            let (_, body) = text.split_once("function(...) ").expect("a function");
            let body = body.strip_suffix("\nend").expect("its end");
            let short = ["eq", "ne", "lt", "le", "gt", "ge", "cat", "mod", "tail", "K"];
            let short = short.into_iter().zip(HELPERS);
            short.fold(body.to_owned(), |body, (short, name)| body.replace(name, short))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn comparisons_become_calls() {
    for (text, expected) in [
        ("return a == b", "return eq(a , b)"),
        ("x = a ~= nil and b == c or d", "x = ne(a , nil) and eq(b , c) or d"),
        ("return a == b == c", "return eq(eq(a , b) , c)"),
        ("return a ~= b + c * -d", "return ne(a , b + c * -d)"),
        ("return not (a == b)", "return not (eq(a , b))"),
        ("return not a == b", "return eq(not a , b)"),
        ("return -x ^ y == z", "return eq(-x ^ y , z)"),
        ("if f(a == b, c) == g{x == y} then end", "if eq(f(eq(a , b), c) , g{eq(x , y)}) then end"),
        ("return a < b == (c >= d)", "return eq(a < b , (c >= d))"),
        ("return type(x) == 'table' or 'a' == 'b'", "return type(x) == 'table' or 'a' == 'b'"),
        ("return x.type(y) == 'z'", "return eq(x.type(y) , 'z')"),
        ("return s:type() ~= [[z]]", "return ne(s:type() , [[z]])"),
        ("return #t == 0", "return eq(#t , 0)"),
        ("return a -- == c\n== b", "return eq(a -- == c\n, b)"),
    ] {
        assert_eq!(rewritten(text, false), expected);
    }
}

#[test]
fn order_becomes_calls_where_lua_needs_it() {
    let text = b"return a < b, c >= d == (e > f), 'a' <= 'b'";
    assert_eq!(rewrite(b"return a < b", MODERN), Chunk::Unchanged);
    let dialect = Dialect {
        integers: false,
        mixed_order: false,
        hidden_arg: true,
        environment: false,
        escapes: false,
    };
    let Chunk::Rewritten { text, .. } = rewrite(text, dialect) else { panic!("comparisons") };
    let text = String::from_utf8(text).expect("text");
    let expected = "__ffi_lt(a , b), __ffi_eq(__ffi_ge(c , d) , (__ffi_gt(e , f))), 'a' <= 'b'";
    assert!(text.contains(expected), "{text}");
    assert!(
        text.contains("local __ffi_arg=arg return function(...) local arg=__ffi_arg return"),
        "{text}"
    );
}

#[test]
fn concatenations_become_one_call() {
    for (text, expected) in [
        ("return a .. b", "return cat(a , b)"),
        ("return 'a' .. b .. 'c' .. d", "return cat('a' , b , 'c' , d)"),
        ("return 'a' .. 'b'", "return 'a' .. 'b'"),
        ("return a .. f()", "return cat(a , (f()))"),
        ("return a .. ...", "return cat(a , (...))"),
        ("return a .. f() .. x + y", "return cat(a , f() , x + y)"),
        ("return a .. b == c .. d", "return eq(cat(a , b) , cat(c , d))"),
        ("return a .. (b .. c)", "return cat(a , (cat(b , c)))"),
        ("return -a .. b ^ c", "return cat(-a , b ^ c)"),
    ] {
        assert_eq!(rewritten(text, true), expected);
    }
    assert_eq!(rewritten("return a .. b", false), "return a .. b");
}

#[test]
fn integers_become_floats_but_for_keys_and_loops() {
    for (text, expected) in [
        ("x = 1 + 0xff", "x = 1.0 + 255.0"),
        ("x = 10000000000000000000", "x = 1e19"),
        ("x = 1.5, 1e3, 0x1p4", "x = 1.5, 1e3, 0x1p4"),
        ("x = t[1] + t[i + 1]", "x = t[1] + t[i + 1.0]"),
        ("x = { [1] = 2, 3; 4 }", "x = { [1] = 2.0, 3.0; 4.0 }"),
        ("for i = 1, 10 do end", "for i = 1, 10 do end"),
        ("for i = 10, -1, -1 do end", "for i = 10, -1, -1 do end"),
        ("for i = 1, n - 1 do f(1) end", "for i = 1, n - 1.0 do f(1.0) end"),
        ("for i in f, 1 do end", "for i in f, 1.0 do end"),
        ("x = 0b11", "x = 3.0"),
    ] {
        assert_eq!(rewritten(text, true), expected);
    }
    assert_eq!(rewritten("x = 1 + 0b11", false), "x = 1 + 3.0");
}

#[test]
fn literals_of_cdata_come_from_a_table() {
    let text = b"f(1LL, 0xffULL, 2i, 1LL)\n--[[\n3LL]] x = '4LL'";
    let Chunk::Rewritten { text, literals } = rewrite(text, MODERN) else {
        panic!("it has literals")
    };
    let text = String::from_utf8(text).expect("text");
    assert!(text.ends_with("f(__ffi_literal[1], __ffi_literal[2], __ffi_literal[3], __ffi_literal[4])\n--[[\n3LL]] x = '4LL'\nend"), "{text}");
    let one = Literal::Int64(1);
    assert_eq!(literals, [one, Literal::UInt64(255), Literal::Imaginary(2.0), one]);
}

#[test]
fn the_next_statement_is_no_argument() {
    assert_eq!(rewritten("x = a == b\n(f)()", true), "x = eq(a , b\n(f)())");
    assert_eq!(rewritten("x = a == 'b'\n(f)()", true), "x = eq(a , 'b');\n(f)()");
    assert_eq!(rewritten("x = 1LL\n(f)()", true), "x = K[1];\n(f)()");
    assert_eq!(rewritten("x = a == b .. nil\n(f)()", true), "x = eq(a , cat(b , nil));\n(f)()");
}

#[test]
fn an_error_in_the_place_of_a_tail_call_is_told() {
    for (text, expected) in [
        ("return error 'x'", "return tail(error) 'x'"),
        ("return error(a, (b))", "return tail(error)(a, (b))"),
        ("return error { [(a)] = 1.5 };", "return tail(error) { [(a)] = 1.5 };"),
        ("return error\n[[x]]", "return tail(error)\n[[x]]"),
        ("return error", "return error"),
        ("return error(a), b", "return error(a), b"),
        ("return (error(a))", "return (error(a))"),
        ("return error(a):b()", "return error(a):b()"),
        ("return error 'x'.y", "return error 'x'.y"),
        ("return error(a)(b)", "return error(a)(b)"),
        ("return error.x(a)", "return error.x(a)"),
        ("return error:x(a)", "return error:x(a)"),
        ("return o.error(a)", "return o.error(a)"),
        ("return error(a) + 1.5", "return error(a) + 1.5"),
        ("error(a) return a", "error(a) return a"),
    ] {
        assert_eq!(rewritten(text, true), expected);
    }
}

#[test]
fn every_statement_is_understood() {
    let text = "
        local a <const>, b = 1LL, function(x, ...) return ... end
        local function f() goto done; do break end ::done:: end
        function a.b.c:d(...) return end
        while a do repeat local x until x if a then elseif b then else end end
        for k, v in pairs(t) do t[k], v.x = v, k end
        f 'x' { y = 1, [z] = 2, 3 } :m [[w]] (...)
        ;;; a.goto_ = goto_
        return (a), b;";
    assert!(matches!(rewrite(text.as_bytes(), MODERN), Chunk::Rewritten { .. }));
}

#[test]
fn what_is_no_lua_stays_wrong() {
    for text in
        ["x = = 1LL", "x = (1LL", "f( end", "x = 1LL end", "a.b", "return 1 x", "x = 5 y = 1U"]
    {
        let chunk = rewrite(text.as_bytes(), MODERN);
        let Chunk::Unknown { text: plain, replaced } = chunk else { panic!("{text}: {chunk:?}") };
        assert_eq!(String::from_utf8(plain).expect("text"), text.replace("1LL", "0"));
        assert_eq!(replaced, text.contains("1LL"));
    }
    let deep = "(".repeat(1000) + &")".repeat(1000);
    assert_eq!(rewrite(format!("return {deep}").as_bytes(), MODERN), Chunk::TooDeep);
}

#[test]
fn remainders_become_calls_where_lua_signs_zero() {
    for (text, expected) in [
        ("return a % b * c", "return mod(a , b) * c"),
        ("return a * b % -c ^ d", "return mod(a * b , -c ^ d)"),
        ("return a % b % c", "return mod(mod(a , b) , c)"),
        ("return a % b == c", "return eq(mod(a , b) , c)"),
    ] {
        assert_eq!(rewritten(text, true), expected);
    }
    assert_eq!(rewritten("return a % b", false), "return a % b");
}

#[test]
fn a_minus_in_front_of_an_imaginary_literal_belongs_to_it() {
    for (text, value) in
        [("x = -2.5i", -2.5), ("x = - -2.5i", 2.5), ("x = -(2.5i)", -2.5), ("x = 1 - 2.5i", 2.5)]
    {
        let Chunk::Rewritten { text: rewritten, literals } = rewrite(text.as_bytes(), MODERN)
        else {
            panic!("it has a literal")
        };
        assert_eq!(literals, [Literal::Imaginary(value)], "{text}");
        let minus = rewritten.contains(&b'-');
        assert_eq!(minus, text.contains("1 -"), "{text}");
    }
}

#[test]
fn env_is_a_name_like_any_other() {
    for (text, expected) in [
        ("_ENV = x", "_ENV._ENV = x"),
        ("x._ENV = y:_ENV { _ENV = z }", "x._ENV = y:_ENV { _ENV = z }"),
        ("local _ENV = _ENV f(_ENV)", "local __ffi_env = _ENV._ENV f(__ffi_env)"),
        ("do local _ENV end f(_ENV)", "do local __ffi_env end f(_ENV._ENV)"),
        ("function f(_ENV) _ENV() end _ENV()", "function f(__ffi_env) __ffi_env() end _ENV._ENV()"),
        ("for _ENV in _ENV do g(_ENV) end", "for __ffi_env in _ENV._ENV do g(__ffi_env) end"),
        ("for _ENV = 1, 2 do g(_ENV) end", "for __ffi_env = 1, 2 do g(__ffi_env) end"),
        (
            "repeat local _ENV until _ENV g(_ENV)",
            "repeat local __ffi_env until __ffi_env g(_ENV._ENV)",
        ),
        ("local function _ENV() _ENV() end", "local function __ffi_env() __ffi_env() end"),
        ("function _ENV.f() end", "function _ENV._ENV.f() end"),
    ] {
        assert_eq!(rewritten(text, true), expected);
    }
}
