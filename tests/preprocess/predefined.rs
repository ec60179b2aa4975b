//! The tables of predefined macros, and of what compilers say they have, against the compilers. `CTHUNK_BLESS=1` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cthunk::preprocess::{Command, Compiler, Options, PLATFORMS, Platform, Texts, preprocess};

use crate::compilers::{is_installed, run, spellings, tokens};

fn folder() -> PathBuf {
    crate::needs::repository::path("src/preprocess/predefined")
}

fn blesses() -> bool {
    std::env::var_os("CTHUNK_BLESS").is_some()
}

fn compiler_name(compiler: Compiler) -> &'static str {
    match compiler {
        Compiler::Gcc => "gcc",
        Compiler::Clang => "clang",
    }
}

/// Compares a file of the folder, or writes it.
fn check(file: &str, expected: &str) {
    let path = folder().join(file);
    if blesses() {
        std::fs::write(&path, expected).expect("the folder is writable");
        return;
    }
    let found = std::fs::read_to_string(&path).expect("the file is there");
    let (found, expected): (BTreeSet<&str>, BTreeSet<&str>) =
        (found.lines().collect(), expected.lines().collect());
    let more: Vec<_> = expected.difference(&found).take(10).collect();
    let fewer: Vec<_> = found.difference(&expected).take(10).collect();
    assert!(
        more.is_empty() && fewer.is_empty(),
        "{file}: the compiler has {more:?}, and not {fewer:?}; CTHUNK_BLESS=1 writes the file anew"
    );
}

#[test]
fn predefined_macros_are_the_compilers() {
    for platform in PLATFORMS.iter().filter(|platform| is_installed(platform)) {
        let output = run(platform, &["-dM", "-E", "-std=gnu17"], b"");
        let text = String::from_utf8(output.stdout).expect("text");
        let lines: BTreeSet<&str> = text.lines().filter(|l| l.starts_with("#define ")).collect();
        let text: String = lines.into_iter().map(|line| format!("{line}\n")).collect();
        check(&format!("{}-{}.h", platform.name, compiler_name(platform.compiler)), &text);
    }
}

/// A question of a list: its word, the macro, and which names it is asked about.
type Question = (&'static str, &'static str, fn(&str) -> bool);

static QUESTIONS: [Question; 6] = [
    ("attribute", "__has_attribute", |_| true),
    ("c_attribute", "__has_c_attribute", |_| true),
    // Those of single processors are for the code of functions.
    ("builtin", "__has_builtin", |name| !name.contains("ia32")),
    ("feature", "__has_feature", |_| true),
    ("extension", "__has_extension", |_| true),
    ("keyword", "__is_identifier", |_| true),
];

fn list(compiler: Compiler) -> String {
    let path = folder().join(format!("has-{}.txt", compiler_name(compiler)));
    std::fs::read_to_string(path).expect("the list is there")
}

/// The names to ask about: those of both lists and of `names.txt`, and all words in the programs of a compiler if the lists are written anew.
fn names(question: &str, platform: &Platform) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in [list(Compiler::Gcc), list(Compiler::Clang)] {
        for line in text.lines() {
            let mut words = line.split(' ');
            if let (Some(kind), Some(name)) = (words.next(), words.next())
                && (kind == question
                    || question.contains("attribute") && kind.contains("attribute")
                    || question == "extension" && kind == "feature")
            {
                names.insert(name.to_owned());
            }
        }
    }
    let more = include_str!("names.txt").lines().filter(|line| !line.starts_with('#'));
    names.extend(more.map(str::to_owned));
    if blesses() && question != "c_attribute" {
        names.extend(words_of_programs(platform));
    }
    if question == "c_attribute" {
        let scoped = |name: &String| ["gnu", "clang"].map(|scope| format!("{scope}::{name}"));
        let plain = names.iter().filter(|name| !name.contains("::"));
        names.extend(plain.flat_map(scoped).collect::<Vec<_>>());
        let standard = [
            "deprecated",
            "fallthrough",
            "maybe_unused",
            "nodiscard",
            "noreturn",
            "unsequenced",
            "reproducible",
        ];
        names.extend(standard.map(str::to_owned));
    } else {
        names.retain(|name| !name.contains("::"));
    }
    // `__aligned__` has the answer of `aligned`.
    if question.contains("attribute") {
        names.retain(|name| !name.ends_with("__"));
    }
    names
}

/// All words in the programs that a compiler consists of.
fn words_of_programs(platform: &Platform) -> BTreeSet<String> {
    let programs: Vec<PathBuf> = match platform.compiler {
        Compiler::Gcc => {
            let output = run(platform, &["-print-prog-name=cc1"], b"");
            vec![String::from_utf8_lossy(&output.stdout).trim().into()]
        }
        Compiler::Clang => {
            let folder = Path::new("/usr/lib/llvm-19/lib");
            let entries = std::fs::read_dir(folder).expect("Debian's folder").flatten();
            let name = |path: &PathBuf| path.to_string_lossy().contains("libclang-cpp.so");
            entries.map(|entry| entry.path()).filter(name).collect()
        }
    };
    let mut words = BTreeSet::new();
    for program in programs {
        let bytes = std::fs::read(&program).expect("a program of the compiler");
        let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        for word in bytes.split(|&byte| !in_word(byte)) {
            // Operators of the preprocessor are no names.
            let operator = word.starts_with(b"__has_") || matches!(word, b"defined" | b"_Pragma");
            if (3..60).contains(&word.len()) && !word[0].is_ascii_digit() && !operator {
                words.insert(String::from_utf8_lossy(word).into_owned());
            }
        }
    }
    words
}

/// What a macro of a compiler answers about each name.
fn answers(platform: &Platform, macro_: &str, names: &[String]) -> Vec<String> {
    let asked = |(index, name): (usize, &String)| format!("@{index} {macro_}({name})\n");
    let text: String = names.iter().enumerate().map(asked).collect();
    // Words that cannot be asked about are errors, which are no reason to stop.
    let more: &[&str] = match platform.compiler {
        Compiler::Gcc => &[],
        Compiler::Clang => &["-ferror-limit=0"],
    };
    let output = run(platform, &[&["-E", "-P", "-w"], more].concat(), text.as_bytes());
    // Some words take all that follow with them.
    let errors = String::from_utf8_lossy(&output.stderr);
    let stopped = ["PLEASE submit a bug report", "unterminated"].iter().any(|e| errors.contains(e));
    if stopped && names.len() > 1 {
        let (first, second) = names.split_at(names.len() / 2);
        return [answers(platform, macro_, first), answers(platform, macro_, second)].concat();
    }
    let mut answers = vec!["0".to_owned(); names.len()];
    for answer in tokens(&output.stdout).split(|token| token == "@") {
        if let [index, answer] = answer {
            answers[index.parse::<usize>().expect("an index")] = answer.clone();
        }
    }
    answers
}

#[test]
fn what_compilers_have_is_in_the_lists() {
    for compiler in [Compiler::Gcc, Compiler::Clang] {
        let platform = Platform::of("x86_64-sysv", compiler).expect("a platform");
        if !is_installed(platform) {
            continue;
        }
        let mut text =
            "# What the compiler says it has: a question, a name, the answer.\n".to_owned();
        for (question, macro_, is_asked) in QUESTIONS {
            let clang_only = !matches!(question, "attribute" | "c_attribute" | "builtin");
            if clang_only && compiler == Compiler::Gcc {
                continue;
            }
            let names: Vec<String> =
                names(question, platform).into_iter().filter(|name| is_asked(name)).collect();
            for (name, answer) in names.iter().zip(answers(platform, macro_, &names)) {
                match (question, &*answer) {
                    ("keyword", "0") => text += &format!("{question} {name} 1\n"),
                    ("keyword", _) | (_, "0") => {}
                    _ => text += &format!("{question} {name} {answer}\n"),
                }
            }
        }
        check(&format!("has-{}.txt", compiler_name(compiler)), &text);
    }
}

#[test]
fn every_platform_has_the_macros_of_its_data_model() {
    let text = b"__SIZEOF_POINTER__ __SIZEOF_LONG__ __SIZEOF_WCHAR_T__";
    for platform in &PLATFORMS {
        let options = Options { platform: Some(platform), ..Options::default() };
        let found = spellings(&preprocess("t.c", text, &options, &Texts::default()).expect("C"));
        let windows = ["mingw", "gnullvm", "msvc", "windows"];
        let is_windows = windows.iter().any(|system| platform.name.ends_with(system));
        let pointer = if platform.name.starts_with("i686") { "4" } else { "8" };
        let long = if is_windows { "4" } else { pointer };
        let wide = if is_windows { "2" } else { "4" };
        assert_eq!(found, [pointer, long, wide], "{} {:?}", platform.name, platform.compiler);
    }
}

#[test]
fn the_standard_and_commands_come_before_the_text() {
    let commands = vec![
        Command::Define("A".to_owned()),
        Command::Define("F(x)=<x>".to_owned()),
        Command::Define("B=2".to_owned()),
        Command::Undefine("B".to_owned()),
        Command::Include("first.h".to_owned()),
    ];
    let options = Options {
        platform: Platform::find("x86_64-sysv"),
        standard: cthunk::preprocess::Standard::C23,
        folders: vec![cthunk::preprocess::Folder::At("".into())],
        commands,
        ..Options::default()
    };
    let texts: Texts = [("first.h", "first")].into_iter().collect();
    let text = b"A F(1) B __STDC_VERSION__\n#if true\n1'000\n#endif";
    let found = spellings(&preprocess("t.c", text, &options, &texts).expect("C"));
    assert_eq!(found.join(" "), "first 1 < 1 > B 202311L 1'000");
}
