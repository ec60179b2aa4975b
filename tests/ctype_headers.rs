//! Real headers: what `gcc -E -P` makes of them is declared without an error, and the size and alignment of
//! every complete struct and union and the offset of every member equal the compiler's.
//!
//! The headers and their Debian packages are in `tests/ctype/headers.txt`. `CTHUNK_HEADER=sqlite` picks one.
//! The libc ones are also read for i686 and, where the cross compilers are installed, for the other targets.

#[path = "ctype/compilers.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod compilers;

use std::process::Command;

use cthunk::ctype::{Decl, Declarations, Name, QualType, Table, Type, TypeId};
use cthunk::target::Target;

use compilers::{COMPILERS, Compiler, needs, numbers, read_numbers};

struct Header {
    name: &'static str,
    package: &'static str,
    flags: Vec<String>,
    /// pkg-config's names of what it belongs to.
    modules: Vec<&'static str>,
    includes: String,
}

impl Header {
    /// Whether the compiler of the host finds it, and pkg-config its modules.
    fn is_here(&self, compiler: &Compiler) -> needs::Need {
        if !self.modules.is_empty() {
            let options = [&["--exists"], &self.modules[..]].concat();
            needs::runs("pkg-config", &options, &format!("pkg-config {}", self.package))?;
        }
        self.compiles(compiler, self.package)
    }

    /// Whether a compiler finds it.
    fn compiles(&self, compiler: &Compiler, packages: &str) -> needs::Need {
        let options: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        compiler.compiles(&options, &format!("{}int x;\n", self.includes), packages)
    }
}

/// The lines of the list; flags that are no options are pkg-config modules.
fn headers() -> Vec<Header> {
    let only = std::env::var("CTHUNK_HEADER").unwrap_or_default();
    let lines = include_str!("ctype/headers.txt").lines().filter(|line| !line.starts_with('#'));
    let header = |line: &'static str| {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, package, flags, files] = parts[..] else { panic!("bad line: {line}") };
        let (options, modules): (Vec<_>, Vec<_>) =
            flags.split_whitespace().partition(|f| f.starts_with('-'));
        let mut flags: Vec<String> = options.into_iter().map(str::to_owned).collect();
        if !modules.is_empty() {
            let output = Command::new("pkg-config").arg("--cflags").args(&modules).output();
            let text = output.map(|output| output.stdout).unwrap_or_default();
            flags.extend(String::from_utf8_lossy(&text).split_whitespace().map(str::to_owned));
        }
        let includes =
            files.split_whitespace().map(|file| format!("#include <{file}>\n")).collect();
        Header { name, package, flags, modules, includes }
    };
    lines.map(header).filter(|header| header.name.contains(&only)).collect()
}

fn run(
    compiler: &Compiler,
    arguments: &[&str],
    flags: &[String],
    source: &str,
    name: &str,
) -> Option<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let input = folder.join(format!("{name}-{}.c", compiler.triple));
    let output = input.with_extension("out");
    std::fs::create_dir_all(folder).expect("the target folder is writable");
    std::fs::write(&input, source).expect("the target folder is writable");
    let result = Command::new(compiler.command)
        .args(compiler.arguments)
        .args(["-w", "-std=gnu11"])
        .args(flags)
        .args(arguments)
        .arg("-o")
        .args([&output, &input])
        .output()
        .expect("the compiler is installed");
    if !result.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&result.stderr));
        return None;
    }
    let bytes = std::fs::read(&output).expect("the compiler wrote its output");
    let _ = std::fs::remove_file(&output);
    Some(bytes)
}

/// Every complete struct and union that C code can name, with its C name.
fn records(decls: &Declarations) -> Vec<(String, TypeId)> {
    let table = decls.table();
    let complete = |ty: QualType| matches!(table.shape(ty), Type::Record(id) if table.record(*id).body.is_some());
    let tagged =
        table.ids().filter(|&id| complete(id.into())).filter_map(|id| match *table.get(id) {
            Type::Record(record) => {
                let tag = table.name(table.record(record).tag?);
                // The predeclared structure of va_list has no name that C code could use.
                (!tag.starts_with("__va_list")).then(|| (table.repr(id.into()), id))
            }
            _ => None,
        });
    let typedefs = decls.declarations().filter_map(|(name, decl)| match decl {
        Decl::Typedef(ty) if complete(*ty) => Some((name.to_owned(), ty.id())),
        _ => None,
    });
    tagged.chain(typedefs).collect()
}

/// Names and offsets of the plain members, those of anonymous members included.
fn offsets(table: &Table, ty: QualType, base: u64, into: &mut Vec<(Name, u64)>) {
    let Type::Record(id) = *table.shape(ty) else { return };
    let Some(body) = &table.record(id).body else { return };
    for member in &body.members {
        match member.name {
            Some(name) if member.bits.is_none() => into.push((name, base + member.offset)),
            Some(_) => {}
            None => offsets(table, member.ty, base + member.offset, into),
        }
    }
}

/// Declares one header and compares it; what is wrong with it, or what was compared.
fn check(compiler: &Compiler, header: &Header) -> Result<String, String> {
    let Header { name, package, flags, includes, .. } = header;
    let Some(text) = run(compiler, &["-E", "-P"], flags, includes, name) else {
        return Err(format!("{name}: the compiler does not read it; is {package} installed?"));
    };
    let target: Target = compiler.triple.parse().expect("the triple is known");
    let mut decls = Declarations::new(&target);
    decls
        .cdef(&text, &[])
        .map_err(|errors| format!("{name}: {} errors\n{errors}", errors.iter().count()))?;

    let table = decls.table();
    let mut questions = Vec::new();
    let mut answers = Vec::new();
    for (ty, id) in records(&decls) {
        let layout = table.layout(id).ok_or(format!("{name}: {ty} has no layout"))?;
        let mut ask = |question: String, answer| {
            questions.push(question);
            answers.push(answer);
        };
        ask(format!("sizeof({ty})"), layout.size);
        ask(format!("_Alignof({ty})"), layout.align);
        let mut members = Vec::new();
        offsets(table, id.into(), 0, &mut members);
        for (member, offset) in members {
            ask(format!("__builtin_offsetof({ty}, {})", table.name(member)), offset);
        }
    }
    let source = String::from_utf8_lossy(&text).into_owned() + &numbers("n", &questions);
    let Some(object) = run(compiler, &["-c"], flags, &source, name) else {
        return Err(format!("{name}: the compiler refuses a question about its types"));
    };
    let theirs = read_numbers(&object, "n", answers.len());
    let wrong: Vec<String> = questions
        .iter()
        .zip(answers.iter().zip(&theirs))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(question, (ours, theirs))| format!("{name}: {question} is {theirs}, not {ours}"))
        .collect();
    if wrong.is_empty() {
        let names = decls.declarations().count();
        Ok(format!(
            "{name}: {} bytes, {names} names, {} sizes and offsets equal",
            text.len(),
            answers.len()
        ))
    } else {
        Err(wrong.join("\n"))
    }
}

fn check_all<'a>(compiler: &Compiler, headers: impl Iterator<Item = &'a Header>) {
    let mut wrong = Vec::new();
    for header in headers {
        match check(compiler, header) {
            Ok(what) => println!("{}: {what}", compiler.triple),
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", compiler.triple, wrong.join("\n"));
}

#[test]
fn headers_of_the_host() {
    let compiler = &COMPILERS[0];
    if !compiler.is_installed() {
        return;
    }
    let headers = headers();
    let installed = |header: &&Header| needs::has(header.is_here(compiler));
    check_all(compiler, headers.iter().filter(installed));
}

#[test]
fn libc_headers_of_other_targets() {
    let libc = |header: &Header| ["posix", "gnu", "linux"].contains(&header.name);
    let headers: Vec<_> = headers().into_iter().filter(libc).collect();
    for (compiler, architecture) in COMPILERS[1..4].iter().zip(["i386", "arm64", "riscv64"]) {
        let packages = format!(
            "{} libc6-dev-{architecture}-cross linux-libc-dev-{architecture}-cross",
            compiler.package
        );
        let is_here = |header: &&Header| needs::has(header.compiles(compiler, &packages));
        check_all(compiler, headers.iter().filter(is_here));
    }
}
