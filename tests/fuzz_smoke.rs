//! The fuzz targets' logic on random input for a moment; `cargo +nightly fuzz run TARGET` goes on for longer.

#[cfg(all(target_arch = "x86_64", unix, feature = "fuzz-abi"))]
#[path = "../fuzz/logic/call.rs"]
mod call;
#[cfg(all(unix, feature = "fuzz-abi"))]
#[path = "../fuzz/logic/functions.rs"]
mod functions;
#[path = "../fuzz/logic/layout.rs"]
mod layout;
#[cfg(all(unix, feature = "fuzz-abi"))]
#[path = "../fuzz/logic/lower.rs"]
mod lower;
#[path = "../fuzz/logic/lua.rs"]
mod lua;
#[path = "../fuzz/logic/parse.rs"]
mod parse;
#[cfg(all(unix, feature = "fuzz-abi"))]
#[path = "../fuzz/logic/plan.rs"]
mod plan;
#[path = "../fuzz/logic/preprocess.rs"]
mod preprocess;
#[path = "../fuzz/logic/sandbox.rs"]
mod sandbox;

#[path = "support/needs.rs"]
mod needs;

use std::time::{Duration, Instant};

static CORPUS: &str = include_str!("ctype/corpus.h");

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

/// A few lines of the corpus with bytes changed, cut, doubled and moved.
fn mutated(random: &mut Random) -> Vec<u8> {
    let lines: Vec<&str> = CORPUS.lines().collect();
    let mut text = vec![random.below(256) as u8];
    for _ in 0..=random.below(6) {
        text.extend(lines[random.below(lines.len())].bytes());
        text.push(b'\n');
    }
    for _ in 0..random.below(5) {
        let at = random.below(text.len().max(1));
        if text.len() < 2 {
            break;
        }
        match random.below(5) {
            0 => text[at] = b"(){}[]*,;:=\"'#$<&"[random.below(17)],
            1 => text[at] = random.below(256) as u8,
            2 => drop(text.drain(at..(at + 1 + random.below(8)).min(text.len()))),
            3 => {
                let end = (at + 1 + random.below(30)).min(text.len());
                let piece = text[at..end].to_vec();
                let to = random.below(text.len());
                text.splice(to..to, piece);
            }
            _ => text.truncate(at.max(1)),
        }
    }
    text
}

/// For a second, or `CTHUNK_SECONDS`, from the seed `CTHUNK_SEED`.
fn for_a_second(mut run: impl FnMut(&mut Random)) {
    let read = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (seed, seconds) = (read("CTHUNK_SEED").unwrap_or(1), read("CTHUNK_SECONDS").unwrap_or(1));
    let mut random = Random(0x1234_5678_9abc_def1 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (start, mut runs) = (Instant::now(), 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        run(&mut random);
        runs += 1;
    }
    println!("CTHUNK_SEED={seed} CTHUNK_SECONDS={seconds}: {runs} runs");
}

#[test]
fn parse_survives_mutations() {
    for_a_second(|random| parse::parse(&mutated(random)));
}

/// Pieces of directives and macros, in any order.
fn directives(random: &mut Random) -> Vec<u8> {
    static PIECES: [&str; 44] = [
        "#define ",
        "#undef ",
        "#if ",
        "#ifdef ",
        "#elif ",
        "#else",
        "#endif",
        "#include ",
        "#include_next ",
        "#embed ",
        "#pragma ",
        "#line ",
        "\n",
        "\n",
        "\n",
        "\\\n",
        "A",
        "B",
        "f",
        "g",
        "(",
        ")",
        "(x)",
        "(x, ...)",
        "x",
        "__VA_ARGS__",
        "__VA_OPT__(",
        "#",
        "##",
        ",",
        "<self.h>",
        "\"self.h\"",
        "<limits.h>",
        "1",
        "0x2",
        "+",
        "?",
        ":",
        "defined ",
        "'a'",
        "\"s\"",
        "_Pragma(\"once\")",
        "/*",
        "*/",
    ];
    let mut text = vec![random.below(256) as u8];
    for _ in 0..random.below(60) {
        text.extend(PIECES[random.below(PIECES.len())].bytes());
        if random.below(3) == 0 {
            text.push(b' ');
        }
    }
    text
}

#[test]
fn the_preprocessor_survives_directives_and_mutations() {
    for_a_second(|random| {
        preprocess::preprocess_any(&directives(random));
        preprocess::preprocess_any(&mutated(random));
    });
}

#[test]
fn layout_survives_recipes() {
    for_a_second(|random| {
        let bytes: Vec<u8> = (0..4 + random.below(40)).map(|_| random.below(256) as u8).collect();
        layout::layout(&bytes);
    });
}

/// So many random bytes, as a fuzzing engine would give them.
fn bytes(random: &mut Random, most: usize) -> Vec<u8> {
    (0..random.below(most)).map(|_| random.below(256) as u8).collect()
}

#[cfg(all(unix, feature = "fuzz-abi"))]
#[test]
fn plans_hold_what_the_checker_asks_for() {
    for_a_second(|random| plan::plan(&bytes(random, 400)));
}

#[cfg(all(unix, feature = "fuzz-abi"))]
#[test]
fn thunks_pass_the_verifier() {
    for_a_second(|random| lower::lower(&bytes(random, 300)));
}

#[cfg(all(target_arch = "x86_64", unix, feature = "fuzz-abi"))]
#[test]
fn calls_arrive_whole() {
    let library = match call::LIBFFI.with(Option::is_none) {
        true => {
            Err("calls are compared with ourselves only, not with libffi (apt-get install libffi8)")
        }
        false => Ok(()),
    };
    needs::has(library.map_err(String::from));
    for_a_second(|random| call::call(&bytes(random, 300)));
}

#[test]
fn scripts_do_not_crash() {
    for_a_second(|random| lua::lua(&bytes(random, 4000)));
}

#[test]
fn confined_scripts_do_not_crash() {
    for_a_second(|random| sandbox::sandbox(&bytes(random, 400)));
}

/// Text that nests, repeats or refers to itself as much as it can. What would take exponential time never ends.
#[test]
fn hostile_texts_are_refused_or_read() {
    let deep = |open: &str, close: &str, n: usize| open.repeat(n) + close.repeat(n).as_str();
    let chain = |first: &str, next: fn(usize) -> String, n: usize| {
        first.to_owned() + &(1..n).map(next).collect::<String>()
    };
    let texts = [
        deep("(", ")", 100_000),
        "int x = ".to_owned() + &deep("(", ")", 100_000) + ";",
        "int ".to_owned() + &deep("(", ")", 100_000) + ";",
        "int ".to_owned() + &"*".repeat(100_000) + "p;",
        "int a".to_owned() + &"[1]".repeat(100_000) + ";",
        "int f".to_owned() + &deep("(int (*", "))", 50_000) + ";",
        "struct {".repeat(100_000),
        "enum { A = ".to_owned() + &"-".repeat(100_000) + "1 };",
        "enum { A = ".to_owned() + &"1?".repeat(100_000) + "};",
        "enum { A = ".to_owned() + &"1+".repeat(100_000) + "1 };",
        "enum { A = ".to_owned() + &"sizeof ".repeat(100_000) + "1 };",
        "enum { A = ".to_owned() + &"(int)".repeat(100_000) + "1 };",
        "int x __attribute__((".to_owned() + &deep("(", ")", 100_000) + "));",
        "extern \"C\" {".repeat(50_000),
        "typeof(".repeat(50_000),
        "_Atomic(".repeat(50_000),
        "int ".repeat(100_000),
        "unknown ".repeat(100_000),
        ",".repeat(100_000),
        "#".repeat(100_000),
        "#pragma pack(push, 1)\n".repeat(50_000),
        "#define A\n".repeat(50_000),
        chain("typedef int t0;", |i| format!("typedef t{} *t{i};", i - 1), 5_000),
        chain("typedef int t0;", |i| format!("typedef t{} t{i}[2];", i - 1), 5_000),
        chain("typedef int t0;", |i| format!("typedef void (*t{i})(t{0}, t{0});", i - 1), 150),
        chain(
            "typedef struct { int a; } t0;",
            |i| format!("typedef struct {{ t{} a; }} t{i};", i - 1),
            5_000,
        ),
        chain(
            "struct t0 { int a0; };",
            |i| format!("struct t{i} {{ struct t{}; int a{i}; }};", i - 1),
            5_000,
        ),
        "char huge[0x7fffffffffffffff][0x7fffffffffffffff];".to_owned(),
        "struct { char a[1ull << 55]; char b[1ull << 55]; char c[1ull << 55]; };".to_owned(),
    ];
    for text in texts {
        for target in [0_u8, 4] {
            let mut data = vec![target];
            data.extend(text.bytes());
            parse::parse(&data);
        }
    }
}
