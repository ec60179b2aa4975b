//! Errors: the message, the place, and how the preprocessor came there.

use cthunk::preprocess::{Folder, Limits, Options, Texts, preprocess};

fn options() -> Options {
    let limits = Limits { expansions: 100_000, bytes: 1 << 26, ..Limits::default() };
    Options { folders: vec![Folder::At("".into())], limits, ..Options::default() }
}

#[track_caller]
fn error(text: &str, files: &[(&str, &str)]) -> String {
    let texts: Texts = files.iter().copied().collect();
    match preprocess("main.c", text.as_bytes(), &options(), &texts) {
        Ok(unit) => panic!("no error: {}", unit.text()),
        Err(error) => error.to_string(),
    }
}

/// The first line of an error.
#[track_caller]
fn check(text: &str, expected: &str) {
    let error = error(text, &[]);
    assert_eq!(error.lines().next(), Some(expected), "{error}");
}

#[test]
fn an_error_says_how_it_was_reached() {
    let files = [
        ("a.h", "\n#include \"b.h\"\n"),
        ("b.h", "#define CAT(x, y) x ## y\n#define USE(x) CAT(x, -)\n\tint a = USE(+);\n"),
    ];
    assert_eq!(
        error("\n#include <a.h>\n", &files),
        "In file included from a.h:2,
                 from main.c:2:
b.h:3:14: '+' ## '-' is no token
    \tint a = USE(+);
    \t            ^
b.h:2:16: in what the macro 'CAT' becomes
    #define USE(x) CAT(x, -)
                   ^
b.h:3:10: in what the macro 'USE' becomes
    \tint a = USE(+);
    \t        ^"
    );
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    let error = error("#include <no.h>", &[]);
    assert_eq!(
        error,
        "main.c:1:2: there is no file 'no.h'\n    #include <no.h>\n     ^\n  hint: these are searched: the texts that are given"
    );
}

#[test]
fn every_rule_has_its_words() {
    check("#inclde <a>", "main.c:1:2: no directive is named '#inclde'");
    assert!(error("#inclde <a>", &[]).ends_with("hint: did you mean '#include'?"));
    check("#if 1\n#else\n#else\n#endif", "main.c:3:2: '#else' after '#else'");
    check("a\n#endif", "main.c:2:2: '#endif' without its '#if'");
    check("#if 1\n", "main.c:1:2: '#if' without its '#endif'");
    check("#if 0\n", "main.c:1:2: '#if' without its '#endif'");
    check("#if\n#endif", "main.c:1:2: '#if' without a condition");
    check(
        "#if 1 +\n#endif",
        "main.c:1:8: the condition has the end of the line where a value would be right",
    );
    check("#if 1 2\n#endif", "main.c:1:7: the condition has '2' where an operator would be right");
    check("#if 1 / 0\n#endif", "main.c:1:7: the condition divides by zero");
    check("#if 1.0\n#endif", "main.c:1:5: '1.0' is no integer, as conditions need");
    check("#if defined\n#endif", "main.c:1:12: 'defined' is written 'defined(NAME)'");
    check("#define 1", "main.c:1:9: '#define' needs the name of a macro, not '1'");
    check("#define defined", "main.c:1:9: 'defined' cannot be a macro");
    check("#define f(a, a)", "main.c:1:14: two parameters are named 'a'");
    check(
        "#define f(a b)",
        "main.c:1:13: the parameters of 'f' have 'b' where ',' or ')' would be right",
    );
    check("#define f(a) #b", "main.c:1:14: '#' without a parameter behind it");
    check("#define a ## b", "main.c:1:11: '##' needs something on both sides");
    check("#define f(...) __VA_OPT__(a ##)", "main.c:1:29: '##' needs something on both sides");
    check("#define f(...) __VA_OPT__(a", "main.c:1:16: '__VA_OPT__' without its ')'");
    check("#define f(a) a\nf(1, 2)", "main.c:2:1: the macro 'f' takes 1 arguments, not 2");
    check(
        "#define f(a, b, ...) a\nf(1)",
        "main.c:2:1: the macro 'f' takes at least 2 arguments, not 1",
    );
    check("#define f(a) a\nf(1", "main.c:2:1: the arguments of the macro 'f' have no ')'");
    check("#error it is \"so\"", "main.c:1:2: #error it is \"so\"");
    check("#pragma GCC error \"no\"", "main.c:1:2: no");
    check("#pragma GCC poison foo\nfoo", "main.c:2:1: 'foo' is poisoned");
    check("#include", "main.c:1:9: 'include' needs the name of a file, not the end of the line");
    check("#include <a", "main.c:1:12: the name of the file has no '>'");
    check("#line x", "main.c:1:7: '#line' needs a number, not 'x'");
    check("_Pragma(x)", "main.c:1:1: '_Pragma' is written '_Pragma(\"text\")'");
    check("__has_include(<a>)", "main.c:1:1: '__has_include' outside of a directive");
    check("#embed <a>", "main.c:1:2: there is no file 'a'");
}

#[test]
fn warnings_are_kept() {
    let unit = preprocess(
        "main.c",
        b"#warning careful\n#define A 1\n#define A 2\n#define A  2\nA",
        &options(),
        &Texts::default(),
    );
    let unit = unit.expect("C");
    let warnings: Vec<&str> = unit.warnings.iter().map(|warning| &*warning.message).collect();
    assert_eq!(warnings, ["#warning careful", "'A' has another definition in main.c:2"]);
    assert_eq!(unit.text(), "2\n");
}

#[test]
fn bombs_are_errors() {
    let doubling: String = (1..40).map(|n| format!("#define a{n} a{0} a{0}\n", n - 1)).collect();
    let text = error(&format!("{doubling}a39"), &[]);
    assert!(text.contains("more than 100000 macros are replaced"), "{text}");
    assert!(text.ends_with("and in 29 more macros"), "{text}");
    let wide: String =
        (1..9).map(|n| format!("#define a{n}(x) a{0}(x{1})\n", n - 1, " x".repeat(30))).collect();
    let text = error(&format!("#define a0(x) x\n{wide}a8(1 2 3)"), &[]);
    assert!(
        text.contains("the files, and what macros become, have more than 67108864 bytes"),
        "{text}"
    );
    let text = error("#include <a.h>", &[("a.h", "#include <a.h>")]);
    assert!(text.contains("files include one another more than 200 deep"), "{text}");
    let nested = format!("#define f(x) x\n{}1{}", "f(".repeat(1000), ")".repeat(1000));
    assert!(error(&nested, &[]).contains("macros in arguments of macros, more than 200 deep"));
    let brackets = format!("#if {}1{}\n#endif", "(".repeat(100_000), ")".repeat(100_000));
    assert!(error(&brackets, &[]).contains("too many brackets"));
    let signs = format!("#if {}1\n#endif", "!".repeat(100_000));
    assert!(error(&signs, &[]).contains("too many brackets"));
}

#[test]
fn long_chains_of_macros_are_no_bombs() {
    let chain: String = (1..20_000).map(|n| format!("#define a{n} a{}\n", n - 1)).collect();
    let unit =
        preprocess("main.c", format!("{chain}a19999").as_bytes(), &options(), &Texts::default());
    assert_eq!(unit.expect("C").text(), "a0\n");
}
