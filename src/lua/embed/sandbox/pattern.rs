//! Lua's patterns (Lua 5.4 manual, section 6.4.1), matched in steps that are counted: Lua's own matcher takes exponential time for some patterns,
//! and no hook stops it.

use std::ops::Range;

/// Captures that a pattern has at most.
const CAPTURES: usize = 32;
/// How deep matches nest at most (`MAXCCALLS` of Lua's `lstrlib.c`).
const DEPTH: u32 = 200;
/// Steps between two charges.
const STEPS: usize = 4096;

/// A part of the subject that a pattern captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// Some bytes: where they begin and end.
    Bytes(usize, usize),
    /// `()`: a place.
    Place(usize),
    /// The match goes on in the capture.
    Open(usize),
}

/// A match: where it begins and ends, and how many captures it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) range: Range<usize>,
    captures: [Capture; CAPTURES],
    count: usize,
}

impl Match {
    pub(super) fn captures(&self) -> &[Capture] {
        &self.captures[..self.count]
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure<E> {
    /// The pattern is no pattern.
    Malformed(&'static str),
    /// The steps were refused.
    Stopped(E),
}

/// Looks for a pattern in a subject.
pub(super) struct Matcher<'t, C> {
    subject: &'t [u8],
    pattern: &'t [u8],
    captures: [Capture; CAPTURES],
    count: usize,
    depth: u32,
    steps: usize,
    charge: C,
}

type Found<E> = Result<Option<usize>, Failure<E>>;

impl<'t, E, C: FnMut(usize) -> Result<(), E>> Matcher<'t, C> {
    /// `charge` is told how many steps have been made, from time to time.
    pub(super) fn new(subject: &'t [u8], pattern: &'t [u8], charge: C) -> Matcher<'t, C> {
        let captures = [Capture::Place(0); CAPTURES];
        Matcher { subject, pattern, captures, count: 0, depth: 0, steps: 0, charge }
    }

    /// The first match at `from` or behind it that does not end at `last`. `anchored`: a `^` at the start of the pattern stands for the place
    /// `from`.
    ///
    /// # Errors
    /// A malformed pattern; the error of `charge`.
    pub(super) fn find(
        &mut self,
        from: usize,
        last: Option<usize>,
        anchored: bool,
    ) -> Result<Option<Match>, Failure<E>> {
        let here = anchored && self.pattern.first() == Some(&b'^');
        let begin = usize::from(here);
        for start in from..=self.subject.len() {
            self.count = 0;
            if let Some(end) = self.run(start, begin)?
                && Some(end) != last
            {
                let found = &self.captures[..self.count];
                if found.iter().any(|capture| matches!(capture, Capture::Open(_))) {
                    return Err(Failure::Malformed("unfinished capture"));
                }
                let (captures, count) = (self.captures, self.count);
                return Ok(Some(Match { range: start..end, captures, count }));
            }
            if here {
                break;
            }
        }
        Ok(None)
    }

    fn step(&mut self, steps: usize) -> Result<(), Failure<E>> {
        self.steps += steps;
        if self.steps < STEPS {
            return Ok(());
        }
        (self.charge)(std::mem::take(&mut self.steps)).map_err(Failure::Stopped)
    }

    /// Where the pattern from `p` on ends in the subject from `s` on.
    fn run(&mut self, s: usize, p: usize) -> Found<E> {
        if self.depth == DEPTH {
            return Err(Failure::Malformed("pattern too complex"));
        }
        self.depth += 1;
        let end = self.run_items(s, p);
        self.depth -= 1;
        end
    }

    fn run_items(&mut self, mut s: usize, mut p: usize) -> Found<E> {
        loop {
            self.step(1)?;
            let Some(&item) = self.pattern.get(p) else { return Ok(Some(s)) };
            match (item, self.pattern.get(p + 1)) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Capture::Place(s)),
                (b'(', _) => return self.open(s, p + 1, Capture::Open(s)),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(s, p + 2)? {
                    Some(end) => p = end,
                    None => return Ok(None),
                },
                (b'%', Some(digit @ b'0'..=b'9')) => match self.repeated(s, *digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.item_end(p)?;
                    let one = self.single(s, p, end)?;
                    match self.pattern.get(end) {
                        Some(b'?') => {
                            if one && let Some(found) = self.run(s + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'+') if one => return self.longest(s + 1, p, end),
                        Some(b'*') => return self.longest(s, p, end),
                        Some(b'-') => return self.shortest(s, p, end),
                        _ if one => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// Where the item of one character at `p` ends.
    fn item_end(&mut self, p: usize) -> Result<usize, Failure<E>> {
        match self.pattern[p] {
            b'%' if p + 1 == self.pattern.len() => {
                Err(Failure::Malformed("malformed pattern (ends with '%')"))
            }
            b'%' => Ok(p + 2),
            b'[' => {
                let mut end = p + 1 + usize::from(self.pattern.get(p + 1) == Some(&b'^'));
                // The first character of a set stands for itself, even a `]`.
                loop {
                    self.step(1)?;
                    let escaped = match self.pattern.get(end) {
                        None => return Err(Failure::Malformed("malformed pattern (missing ']')")),
                        Some(byte) => *byte == b'%',
                    };
                    end += 1 + usize::from(escaped);
                    if self.pattern.get(end) == Some(&b']') {
                        return Ok(end + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the character at `s` is one of the item from `p` to `end`.
    fn single(&mut self, s: usize, p: usize, end: usize) -> Result<bool, Failure<E>> {
        let Some(&byte) = self.subject.get(s) else { return Ok(false) };
        Ok(match self.pattern[p] {
            b'.' => true,
            b'%' => is_of_class(byte, self.pattern[p + 1]),
            b'[' => {
                self.step(end - p)?;
                self.is_in_set(byte, p, end - 1)
            }
            own => own == byte,
        })
    }

    /// Whether a character is in the set that begins at `p` and has its `]` at `end`.
    fn is_in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let negated = self.pattern[p + 1] == b'^';
        let mut at = p + 1 + usize::from(negated);
        while at < end {
            let item = self.pattern[at];
            let last = self.pattern.get(at + 2).copied();
            let is_range = self.pattern[at + 1] == b'-' && at + 2 < end;
            let (found, width) = match (item, last) {
                (b'%', _) => (is_of_class(byte, self.pattern[at + 1]), 2),
                (first, Some(last)) if is_range => ((first..=last).contains(&byte), 3),
                (own, _) => (own == byte, 1),
            };
            if found {
                return !negated;
            }
            at += width;
        }
        negated
    }

    fn longest(&mut self, s: usize, p: usize, end: usize) -> Found<E> {
        let mut last = s;
        while self.single(last, p, end)? {
            self.step(1)?;
            last += 1;
        }
        for from in (s..=last).rev() {
            if let Some(found) = self.run(from, end + 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn shortest(&mut self, mut s: usize, p: usize, end: usize) -> Found<E> {
        loop {
            if let Some(found) = self.run(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end)? {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, capture: Capture) -> Found<E> {
        if self.count == CAPTURES {
            return Err(Failure::Malformed("too many captures"));
        }
        self.captures[self.count] = capture;
        self.count += 1;
        let found = self.run(s, p)?;
        if found.is_none() {
            self.count -= 1;
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Found<E> {
        let opened = self.captures[..self.count].iter().enumerate().rev();
        let last = opened.into_iter().find_map(|(place, capture)| match *capture {
            Capture::Open(start) => Some((place, start)),
            _ => None,
        });
        let Some((place, start)) = last else {
            return Err(Failure::Malformed("invalid pattern capture"));
        };
        self.captures[place] = Capture::Bytes(start, s);
        let found = self.run(s, p)?;
        if found.is_none() {
            self.captures[place] = Capture::Open(start);
        }
        Ok(found)
    }

    /// `%bxy`
    fn balance(&mut self, s: usize, p: usize) -> Found<E> {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return Err(Failure::Malformed("malformed pattern (missing arguments to '%b')"));
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut nested = 1_usize;
        for at in s + 1..self.subject.len() {
            self.step(1)?;
            let byte = self.subject[at];
            if byte == close {
                nested -= 1;
                if nested == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                nested += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: where the set ends, if there is a frontier at `s`.
    fn frontier(&mut self, s: usize, p: usize) -> Found<E> {
        if self.pattern.get(p) != Some(&b'[') {
            return Err(Failure::Malformed("missing '[' after '%f' in pattern"));
        }
        let end = self.item_end(p)?;
        let before = if s == 0 { 0 } else { self.subject[s - 1] };
        let at = self.subject.get(s).copied().unwrap_or(0);
        self.step(end - p)?;
        Ok((!self.is_in_set(before, p, end - 1) && self.is_in_set(at, p, end - 1)).then_some(end))
    }

    /// `%1`: what was captured, again.
    fn repeated(&mut self, s: usize, digit: u8) -> Found<E> {
        let captured = &self.captures[..self.count];
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let bytes = match index.and_then(|index| captured.get(index)) {
            Some(Capture::Bytes(start, end)) => &self.subject[*start..*end],
            Some(Capture::Place(_)) => return Ok(None),
            _ => return Err(Failure::Malformed("invalid capture index in pattern")),
        };
        let length = bytes.len();
        let found = self.subject[s..].starts_with(bytes).then_some(s + length);
        self.step(length)?;
        Ok(found)
    }
}

/// Whether a character is of the class `%x`; another `x` stands for itself.
fn is_of_class(byte: u8, class: u8) -> bool {
    let member = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == class,
    };
    member != class.is_ascii_uppercase()
}

/// Where a text is in the subject, from `from` on.
///
/// # Errors
/// That of `charge`.
pub(super) fn find_text<E>(
    subject: &[u8],
    text: &[u8],
    from: usize,
    mut charge: impl FnMut(usize) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let Some((&first, rest)) = text.split_first() else {
        return Ok((from <= subject.len()).then_some(from));
    };
    let (mut at, mut steps) = (from, 0);
    while let Some(distance) = subject.get(at..).and_then(|s| s.iter().position(|b| *b == first)) {
        at += distance + 1;
        let behind = &subject[at..];
        let same = behind.iter().zip(rest).take_while(|(a, b)| a == b).count();
        if same == rest.len() {
            return Ok(Some(at - 1));
        }
        steps += 1 + distance / 16 + same;
        if steps >= STEPS {
            charge(std::mem::take(&mut steps))?;
        }
    }
    Ok(None)
}

/// Whether a pattern has no special characters.
pub(super) fn is_text(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<Option<(Range<usize>, Vec<Capture>)>, &'static str>;

    fn found(subject: &str, pattern: &str) -> Outcome {
        let free = |_| Ok::<(), ()>(());
        let mut matcher = Matcher::new(subject.as_bytes(), pattern.as_bytes(), free);
        match matcher.find(0, None, true) {
            Ok(found) => Ok(found.map(|found| (found.range.clone(), found.captures().to_vec()))),
            Err(Failure::Malformed(reason)) => Err(reason),
            Err(Failure::Stopped(())) => Err("stopped"),
        }
    }

    #[test]
    fn a_pattern_that_takes_exponential_time_is_stopped() {
        let subject = vec![b'a'; 100_000];
        let pattern = b".-.-.-.-.-.-.-b";
        let mut left = 1_000_000_usize;
        let charge = |steps| left.checked_sub(steps).map(|rest| left = rest).ok_or(());
        let stopped = Matcher::new(&subject, pattern, charge).find(0, None, true);
        assert_eq!(stopped, Err(Failure::Stopped(())));
    }

    #[test]
    fn sets_end_where_lua_says() {
        assert_eq!(found("a]b", "[]]"), Ok(Some((1..2, vec![]))));
        assert_eq!(found("a-b", "[a%-]+"), Ok(Some((0..2, vec![]))));
        assert_eq!(found("a", "[a"), Err("malformed pattern (missing ']')"));
        assert_eq!(found("a", "[%"), Err("malformed pattern (missing ']')"));
        assert_eq!(found("x^", "[^x]"), Ok(Some((1..2, vec![]))));
        assert_eq!(found("-", "[a-]"), Ok(Some((0..1, vec![]))));
    }

    #[test]
    fn captures_nest() {
        let captures = vec![Capture::Bytes(0, 2), Capture::Bytes(1, 2), Capture::Place(2)];
        assert_eq!(found("ab", "(a(b))()"), Ok(Some((0..2, captures))));
        assert_eq!(found("ab", "(a"), Err("unfinished capture"));
        assert_eq!(found("ab", "a)"), Err("invalid pattern capture"));
        assert_eq!(found("abab", "(ab)%1"), Ok(Some((0..4, vec![Capture::Bytes(0, 2)]))));
    }

    #[test]
    fn texts_are_found() {
        let free = |_| Ok::<(), ()>(());
        assert_eq!(find_text(b"abcabd", b"abd", 0, free), Ok(Some(3)));
        assert_eq!(find_text(b"abc", b"", 3, free), Ok(Some(3)));
        assert_eq!(find_text(b"abc", b"", 4, free), Ok(None));
        assert_eq!(find_text(b"abc", b"c", 3, free), Ok(None));
    }
}
