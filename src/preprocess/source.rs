//! The texts that were read, and where a place is in them.

use std::cell::OnceCell;
use std::rc::Rc;

use memchr::{memchr, memchr_iter};

use super::spelling::Spelling;
use super::token::Place;

/// A text without the backslashes before the ends of lines, and without those ends.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) bytes: Rc<Vec<u8>>,
    /// Where lines were joined.
    splices: Vec<u32>,
    /// Where each line of the file begins.
    lines: OnceCell<Vec<u32>>,
}

impl Text {
    /// The last line gets an end if it has none.
    pub(super) fn new(raw: Vec<u8>) -> Text {
        let (mut bytes, splices) = join_lines(raw);
        if bytes.last().is_some_and(|&byte| byte != b'\n') {
            bytes.push(b'\n');
        }
        Text { bytes: Rc::new(bytes), splices, lines: OnceCell::new() }
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = memchr_iter(b'\n', &self.bytes).map(|end| end as u32 + 1);
            let mut lines: Vec<u32> =
                std::iter::once(0).chain(ends).chain(self.splices.iter().copied()).collect();
            lines.sort_unstable();
            lines
        })
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: u32) -> u32 {
        self.lines().partition_point(|&start| start <= at) as u32
    }

    /// Where the line of a byte begins, and the line.
    fn line_text(&self, at: u32) -> (u32, &[u8]) {
        let next = self.lines().partition_point(|&start| start <= at);
        let start = self.lines()[next - 1];
        let limit = self.lines().get(next).map_or(self.bytes.len(), |&end| end as usize);
        (start, self.bytes[start as usize..limit].trim_ascii_end())
    }
}

/// A text without its continued lines, and where they were joined. White space between the backslash and the end of the line is
/// ignored, as by GCC and Clang.
fn join_lines(mut bytes: Vec<u8>) -> (Vec<u8>, Vec<u32>) {
    // What is before `copied` is behind `end` already.
    let mut copied = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let (mut at, mut end, mut splices) = (copied, 0, Vec::new());
    while let Some(found) = memchr(b'\\', &bytes[at..]) {
        let backslash = at + found;
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c);
        let space = bytes[backslash + 1..].iter().take_while(blank).count();
        at = backslash + 1;
        if bytes.get(at + space) == Some(&b'\n') {
            bytes.copy_within(copied..backslash, end);
            end += backslash - copied;
            splices.push(end as u32);
            at += space + 1;
            copied = at;
        }
    }
    if copied > 0 {
        bytes.copy_within(copied.., end);
        bytes.truncate(end + bytes.len() - copied);
    }
    (bytes, splices)
}

/// One reading of a text.
#[derive(Debug)]
pub(super) struct Inclusion {
    /// The place of its first byte.
    base: u32,
    text: Rc<Text>,
    name: Rc<str>,
    /// Where its `#include` is.
    from: Option<Place>,
    /// The `#line` directives: from which byte on, how much is added to the number of the line, and the name of the file.
    marks: Vec<(u32, i64, Rc<str>)>,
}

/// All texts that were read, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Sources {
    inclusions: Vec<Inclusion>,
    next: u32,
}

/// Where something is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the file, as it was found; or as `#line` has it.
    pub file: Rc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The line.
    pub text: String,
}

/// The macro that became what has an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// Its name.
    pub name: String,
    /// Where it is used.
    pub at: Location,
}

impl Sources {
    /// Begins the reading of a text; nothing if the places do not suffice.
    pub(super) fn add(
        &mut self,
        text: Rc<Text>,
        name: Rc<str>,
        from: Option<Place>,
    ) -> Option<Place> {
        let base = self.next;
        // One place more, for the end.
        let length = u32::try_from(text.bytes.len()).ok()?.checked_add(1)?;
        self.next = base.checked_add(length)?;
        self.inclusions.push(Inclusion { base, text, name, from, marks: Vec::new() });
        Some(Place(base))
    }

    fn inclusion(&self, place: Place) -> Option<(&Inclusion, u32)> {
        let after = self.inclusions.partition_point(|inclusion| inclusion.base <= place.0);
        let inclusion = &self.inclusions[after.checked_sub(1)?];
        Some((inclusion, place.0 - inclusion.base))
    }

    /// `#line`: from the line after a place on.
    pub(super) fn mark(&mut self, place: Place, line: u32, name: Option<Rc<str>>) {
        let after = self.inclusions.partition_point(|inclusion| inclusion.base <= place.0);
        let Some(inclusion) = after.checked_sub(1).map(|index| &mut self.inclusions[index]) else {
            return;
        };
        let at = place.0 - inclusion.base;
        let delta = i64::from(line) - i64::from(inclusion.text.line(at)) - 1;
        let old = inclusion.marks.last().map_or(&inclusion.name, |mark| &mark.2);
        let name = name.unwrap_or_else(|| old.clone());
        inclusion.marks.push((at, delta, name));
    }

    /// The name of a file and the number of a line.
    pub(super) fn line(&self, place: Place) -> (Rc<str>, u32) {
        let Some((inclusion, at)) = self.inclusion(place) else { return ("".into(), 0) };
        let line = inclusion.text.line(at);
        let marks = inclusion.marks.partition_point(|mark| mark.0 < at);
        match marks.checked_sub(1).map(|index| &inclusion.marks[index]) {
            None => (inclusion.name.clone(), line),
            Some((_, delta, name)) => {
                (name.clone(), u32::try_from(i64::from(line) + delta).unwrap_or(0))
            }
        }
    }

    pub(super) fn location(&self, place: Place) -> Location {
        let (file, line) = self.line(place);
        let Some((inclusion, at)) = self.inclusion(place) else {
            return Location { file, line, column: 0, text: String::new() };
        };
        let (start, text) = inclusion.text.line_text(at);
        let before = &text[..text.len().min((at - start) as usize)];
        let column = String::from_utf8_lossy(before).chars().count() as u32 + 1;
        Location { file, line, column, text: String::from_utf8_lossy(text).into_owned() }
    }

    /// The `#include`s that lead to a place, the nearest first.
    pub(super) fn chain(&self, place: Place) -> Vec<Location> {
        let mut chain = Vec::new();
        let mut place = place;
        while let Some(from) = self.inclusion(place).and_then(|(inclusion, _)| inclusion.from) {
            chain.push(self.location(from));
            place = from;
        }
        chain
    }
}

/// The name of a macro and where it is used, before anybody asks for lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub(super) name: Spelling,
    pub(super) at: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_counted() {
        let text = Text::new(b"a\\\nb\\ \r\nc\nd \\x\n\\\ne".to_vec());
        assert_eq!(&**text.bytes, b"abc\nd \\x\ne\n");
        let lines: Vec<u32> = (0..10).map(|at| text.line(at)).collect();
        assert_eq!(lines, [1, 2, 3, 3, 4, 4, 4, 4, 4, 6]);
        assert_eq!(text.line_text(1), (1, &b"b"[..]));
    }

    #[test]
    fn places_know_their_includes_and_line_marks() {
        let mut sources = Sources::default();
        let main = Rc::new(Text::new(b"x\ny\nz".to_vec()));
        let Place(first) = sources.add(main, "main.c".into(), None).expect("room");
        let inner = Rc::new(Text::new(b"  p q".to_vec()));
        let Place(second) =
            sources.add(inner, "inner.h".into(), Some(Place(first + 2))).expect("room");
        let found = sources.location(Place(second + 4));
        assert_eq!((&*found.file, found.line, found.column), ("inner.h", 1, 5));
        assert_eq!(found.text, "  p q");
        let chain = sources.chain(Place(second + 4));
        assert_eq!((chain.len(), &*chain[0].file, chain[0].line), (1, "main.c", 2));

        sources.mark(Place(first + 1), 100, Some("other.y".into()));
        assert_eq!(sources.line(Place(first)), ("main.c".into(), 1));
        assert_eq!(sources.line(Place(first + 4)), ("other.y".into(), 101));
    }
}
