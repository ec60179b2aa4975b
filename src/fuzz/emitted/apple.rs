//! Apple's arm64 assembly in the spelling of the GNU assembler for ELF.

/// The same code for Linux: other directives, symbols without their underscore.
pub(super) fn to_elf(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.split_once(';').map_or(line, |(code, _)| code);
        let line = match line.split_whitespace().next().unwrap_or("") {
            ".section" if line.contains("__TEXT,__text") => ".text".into(),
            ".section" if line.contains("__DATA") => ".data".into(),
            ".section" => ".section .rodata".into(),
            ".build_version" | ".subsections_via_symbols" | ".loh" => continue,
            ".zerofill" => zerofill(line).unwrap_or_else(|| line.into()),
            _ => symbols(line),
        };
        out += &line;
        out.push('\n');
    }
    out
}

/// `.zerofill SEGMENT,SECTION,SYMBOL,SIZE,LOG2_ALIGN`
fn zerofill(line: &str) -> Option<String> {
    let fields: Vec<_> = line.split(',').map(str::trim).collect();
    let [_, _, symbol, size, align] = fields[..] else { return None };
    let align = 1_u64.checked_shl(align.parse().ok()?)?;
    Some(format!(".comm {}, {size}, {align}", symbol.strip_prefix('_').unwrap_or(symbol)))
}

/// `_x` as `x`, `_x@PAGEOFF` as `:lo12:x`, and so on.
fn symbols(line: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@';
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |n| start + n);
        out += &rest[..start];
        let (name, part) = rest[start..end].split_once('@').unwrap_or((&rest[start..end], ""));
        out += match part {
            "PAGEOFF" => ":lo12:",
            "GOTPAGE" => ":got:",
            "GOTPAGEOFF" => ":got_lo12:",
            _ => "",
        };
        out += name.strip_prefix('_').unwrap_or(name);
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_sections() {
        let text = "\t.section\t__TEXT,__text,regular,pure_instructions
_f: ; @f
\tadrp\tx8, _report@PAGE
\tldr\tw9, [x8, _report@PAGEOFF]
\tldr\tx9, [x9, _g@GOTPAGEOFF]
\t.zerofill __DATA,__bss,_report,264,2
";
        let elf = ".text
f: 
\tadrp\tx8, report
\tldr\tw9, [x8, :lo12:report]
\tldr\tx9, [x9, :got_lo12:g]
.comm report, 264, 4
";
        assert_eq!(to_elf(text), elf);
    }
}
