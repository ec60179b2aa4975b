//! Random macros and conditionals against both compilers. A case in which GCC and Clang agree must agree with us: the same tokens, or an
//! error. `CTHUNK_CASES=100000 CTHUNK_SEED=7` asks for more; a failing case is shrunk and printed with its seed.

#[path = "generate.rs"]
mod generate;

use std::collections::HashMap;

use cthunk::preprocess::{Compiler, Limits, Options, Platform, Standard, Texts, preprocess};

use crate::compilers::{is_installed, run, spellings, tokens_of};
use generate::Random;

/// How many cases one process of a compiler reads.
const BATCH: usize = 1000;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Tokens(Vec<String>),
    Error,
    /// The compiler crashes.
    Crash,
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The lines around a case in a batch: a place of its own, and an end for the arguments that are still open.
fn framed(index: usize, case: &str) -> String {
    let undefine: String = generate::NAMES.iter().map(|name| format!("#undef {name}\n")).collect();
    format!("# 1 \"case{index}\"\n{case}\n) ) ) ) ) ) ) )\n{undefine}\"next case\"\n")
}

/// What a compiler makes of cases. If it crashes, it gets fewer of them.
fn theirs(compiler: Compiler, cases: &[String]) -> Vec<Outcome> {
    match batch(compiler, cases) {
        Some(outcomes) => outcomes,
        None if cases.len() == 1 => vec![Outcome::Crash],
        None => {
            let (first, second) = cases.split_at(cases.len() / 2);
            [theirs(compiler, first), theirs(compiler, second)].concat()
        }
    }
}

/// What one process of a compiler makes of cases; nothing if it crashes, or a case takes others with it.
fn batch(compiler: Compiler, cases: &[String]) -> Option<Vec<Outcome>> {
    let platform = Platform::of("x86_64-sysv", compiler).expect("a platform");
    let more: &[&str] = match compiler {
        Compiler::Gcc => &["-std=gnu2x", "-fmax-errors=0"],
        Compiler::Clang => &["-std=gnu23", "-ferror-limit=0"],
    };
    let text: String = cases.iter().enumerate().map(|(index, case)| framed(index, case)).collect();
    let output = run(platform, &[&["-E", "-P", "-w", "-undef"], more].concat(), text.as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut wrong = vec![false; cases.len()];
    for line in errors.lines().filter(|line| line.contains("error:")) {
        let index = line.strip_prefix("case").and_then(|rest| rest.split(':').next()?.parse().ok());
        let index: usize = index?;
        wrong[index] = true;
    }
    let all = tokens_of(&output.stdout, Standard::C23);
    let parts: Vec<&[String]> = all.split(|token| token == "\"next case\"").collect();
    let outcome = |(part, wrong): (&&[String], &bool)| {
        if *wrong { Outcome::Error } else { Outcome::Tokens(part.to_vec()) }
    };
    let outcomes = parts.iter().zip(&wrong).map(outcome).collect();
    (parts.len() == cases.len() + 1).then_some(outcomes)
}

/// What we make of a case.
fn ours(index: usize, case: &str) -> Outcome {
    let options = Options {
        standard: Standard::C23,
        limits: Limits { expansions: 200_000, ..Limits::default() },
        ..Options::default()
    };
    let text = framed(index, case);
    let unit = preprocess("<stdin>", text.as_bytes(), &options, &Texts::default());
    let Ok(unit) = unit else { return Outcome::Error };
    let mut found = spellings(&unit);
    assert_eq!(
        found,
        tokens_of(unit.text().as_bytes(), Standard::C23),
        "the printed text has other tokens:\n{case}"
    );
    assert_eq!(found.pop().as_deref(), Some("\"next case\""));
    Outcome::Tokens(found)
}

/// How the three agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Verdict {
    Agreed,
    AgreedOnError,
    CompilersDiffer,
    Different,
}

fn verdict(ours: &Outcome, gcc: &Outcome, clang: &Outcome) -> Verdict {
    match (gcc, clang) {
        (Outcome::Error, Outcome::Error) if ours == gcc => Verdict::AgreedOnError,
        _ if gcc != clang || *gcc == Outcome::Crash => Verdict::CompilersDiffer,
        _ if ours == gcc => Verdict::Agreed,
        _ => Verdict::Different,
    }
}

fn differs(case: &str) -> bool {
    let cases = [case.to_owned()];
    let (gcc, clang) = (theirs(Compiler::Gcc, &cases), theirs(Compiler::Clang, &cases));
    verdict(&ours(0, case), &gcc[0], &clang[0]) == Verdict::Different
}

/// A smaller case that still differs: without lines, then without tokens.
fn shrunk(case: &str) -> String {
    let mut case = case.to_owned();
    for separator in ['\n', ' '] {
        let mut at = 0;
        loop {
            let mut parts: Vec<&str> = case.split(separator).collect();
            if at >= parts.len() {
                break;
            }
            parts.remove(at);
            let smaller = parts.join(&separator.to_string());
            if differs(&smaller) {
                case = smaller;
            } else {
                at += 1;
            }
        }
    }
    case
}

fn explain(case: &str) -> String {
    let cases = [case.to_owned()];
    let show = |outcome: &Outcome| match outcome {
        Outcome::Tokens(tokens) => tokens.join(" "),
        _ => "an error".to_owned(),
    };
    format!(
        "{case}\n  ours:  {}\n  gcc:   {}\n  clang: {}",
        show(&ours(0, case)),
        show(&theirs(Compiler::Gcc, &cases)[0]),
        show(&theirs(Compiler::Clang, &cases)[0])
    )
}

#[test]
fn random_macros_are_as_in_both_compilers() {
    let installed = [Compiler::Gcc, Compiler::Clang]
        .iter()
        .all(|&compiler| is_installed(Platform::of("x86_64-sysv", compiler).expect("a platform")));
    if !installed {
        return;
    }
    let (count, seed) = (number("CTHUNK_CASES", 3000) as usize, number("CTHUNK_SEED", 1));
    let mut counts: HashMap<Verdict, usize> = HashMap::new();
    let mut done = 0;
    while done < count {
        let batch = BATCH.min(count - done);
        let seed_of = |index: usize| seed.wrapping_add((done + index) as u64);
        let cases: Vec<String> =
            (0..batch).map(|index| generate::case(&mut Random::new(seed_of(index)))).collect();
        let (gcc, clang) = (theirs(Compiler::Gcc, &cases), theirs(Compiler::Clang, &cases));
        for (index, case) in cases.iter().enumerate() {
            let found = verdict(&ours(index, case), &gcc[index], &clang[index]);
            *counts.entry(found).or_default() += 1;
            if found == Verdict::Different {
                let small = if differs(case) { shrunk(case) } else { case.clone() };
                let seed = seed_of(index);
                panic!("CTHUNK_SEED={seed} CTHUNK_CASES=1\n{case}\nshrunk:\n{}", explain(&small));
            }
        }
        done += batch;
    }
    println!("seed {seed}: {counts:?}");
    let of = |verdict| counts.get(&verdict).copied().unwrap_or(0);
    assert!(of(Verdict::Agreed) * 2 > count, "too few cases have a result: {counts:?}");
}
