//! Runs every example: they assert what they print. Those of `examples/real/` also run under `luajit` and print the same.

use std::process::{Command, Output};

#[path = "../../tests/support/needs.rs"]
mod needs;

const CTHUNK: &str = env!("CARGO_BIN_EXE_cthunk");

/// Every example, the library that it loads, and that library's Debian package.
const EXAMPLES: &[(&str, Option<(&str, &str)>)] = &[
    ("quickstart", None),
    ("sqlite", Some(("sqlite3", "libsqlite3-dev"))),
    ("zlib", Some(("z", "zlib1g-dev"))),
    ("real/crypto", Some(("crypto", "libssl-dev"))),
    ("real/curl", Some(("curl", "libcurl4-openssl-dev"))),
    ("real/epoll", None),
    ("real/libc", None),
    ("real/lmdb", Some(("lmdb", "liblmdb-dev"))),
    ("real/png", Some(("png16", "libpng-dev"))),
    ("real/processes", None),
    ("real/sdl2", Some(("SDL2", "libsdl2-dev"))),
    ("real/sockets", None),
    ("real/sqlite", Some(("sqlite3", "libsqlite3-dev"))),
    ("real/zlib", Some(("z", "zlib1g-dev"))),
];

/// Runs `interpreter… example arguments…`, which must succeed.
fn run(interpreter: &[&str], example: &str, arguments: &[&str]) -> Output {
    let file = needs::repository::path(&format!("examples/{example}.lua"));
    let mut command = Command::new(interpreter[0]);
    command.args(&interpreter[1..]).arg(file).args(arguments);
    let output = command.output().expect("the interpreter starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {error}", output.status);
    output
}

/// Whether an interpreter's `ffi.load` finds the library that the example needs.
fn has_library(interpreter: &[&str], library: Option<(&str, &str)>) -> bool {
    let Some((name, package)) = library else { return true };
    needs::has(needs::loads(interpreter, name, package))
}

#[test]
fn every_example_does_what_it_says() {
    let luajit = needs::has(needs::luajit());
    for &(example, library) in EXAMPLES {
        if !has_library(&[CTHUNK, "run"], library) {
            continue;
        }
        let ours = run(&[CTHUNK, "run"], example, &[]);
        assert!(!ours.stdout.is_empty(), "{example} prints nothing");
        if luajit && example.starts_with("real/") && has_library(&["luajit"], library) {
            let theirs = run(&["luajit"], example, &[]);
            let [ours, theirs] =
                [ours, theirs].map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
            assert_eq!(ours, theirs, "{example}: cthunk and luajit");
        }
    }
}

#[test]
fn every_example_is_listed() {
    let folder = needs::repository::path("examples");
    for part in ["", "real/"] {
        for entry in std::fs::read_dir(folder.join(part)).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let Some(name) =
                name.to_string_lossy().strip_suffix(".lua").map(|n| format!("{part}{n}"))
            else {
                continue;
            };
            assert!(EXAMPLES.iter().any(|(listed, _)| *listed == name), "examples/{name}.lua");
        }
    }
}

/// The picture of `examples/real/png.lua`, as another program decodes it.
#[test]
fn another_program_reads_the_picture() {
    let decoder = needs::runs("pngtopnm", &["--version"], "netpbm");
    if !has_library(&[CTHUNK, "run"], Some(("png16", "libpng-dev"))) || !needs::has(decoder) {
        return;
    }
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/picture.png");
    run(&[CTHUNK, "run"], "real/png", &[path]);
    let decode = |channel: &[&str]| {
        let output = Command::new("pngtopnm").args(channel).arg(path).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let (width, height) = (96, 64);
    let colors = decode(&[]);
    let colors = colors.strip_prefix(b"P6\n96 64\n255\n").expect("96 by 64 colors");
    let alphas = decode(&["-alpha"]);
    let alphas = alphas.strip_prefix(b"P5\n96 64\n255\n").expect("96 by 64 grays");
    assert_eq!((colors.len(), alphas.len()), (width * height * 3, width * height));
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let expected = [x * 2, y * 4, (x + y) % 256].map(|v| v as u8);
            assert_eq!(colors[at * 3..at * 3 + 3], expected, "the pixel at {x}, {y}");
            let inside = (x as i32 - 48).pow(2) + (y as i32 - 32).pow(2) < 900;
            assert_eq!(alphas[at], if inside { 255 } else { 128 }, "the alpha at {x}, {y}");
        }
    }
}

/// The commands of README.md that begin with `$ cthunk` print what the page shows, up to its `…`.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn the_readme_shows_what_a_command_prints() {
    let page = std::fs::read_to_string(needs::repository::path("README.md")).expect("the page");
    let blocks: Vec<_> = page.split("```console\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let block = block.split("\n```").next().expect("text");
        let (command, shown) = block.split_once('\n').expect("a command and what it prints");
        let arguments = command.strip_prefix("$ cthunk ").expect("a command");
        let script = format!("\"$0\" {arguments}");
        let output = Command::new("sh").args(["-c", &script, CTHUNK]).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout);
        let printed: Vec<_> = printed.lines().map(str::trim_end).collect();
        let shown: Vec<_> = shown.lines().take_while(|line| line.trim() != "…").collect();
        assert!(printed.starts_with(&shown), "{command}\n{}", printed.join("\n"));
    }
}
