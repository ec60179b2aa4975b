//! `#embed` (C23 6.10.4): the bytes of a file as numbers.

use super::reader::{Reader, Result, SPACED};
use super::spelling::Spelling;
use super::token::{Flags, Kind, Token};
use super::word::{self, spelling};

/// The parameters of an `#embed`.
#[derive(Debug, Default)]
struct Parameters {
    limit: Option<u64>,
    prefix: Vec<Token>,
    suffix: Vec<Token>,
    if_empty: Vec<Token>,
    /// The first parameter that nobody knows.
    unknown: Option<Token>,
}

const LIMIT: Spelling = spelling("limit");
const LIMIT_2: Spelling = spelling("__limit__");
const PREFIX: Spelling = spelling("prefix");
const PREFIX_2: Spelling = spelling("__prefix__");
const SUFFIX: Spelling = spelling("suffix");
const SUFFIX_2: Spelling = spelling("__suffix__");
const IF_EMPTY: Spelling = spelling("if_empty");
const IF_EMPTY_2: Spelling = spelling("__if_empty__");

impl Reader<'_> {
    /// `#embed <name> limit(1) prefix(…) suffix(…) if_empty(…)`
    pub(super) fn embed(&mut self, directive: Token) -> Result<()> {
        let wanted = self.header_name(directive, false)?;
        let first = self.next_solid()?;
        let parameters = self.embed_parameters(first)?;
        if let Some(unknown) = parameters.unknown {
            let text = self.spellings.text(unknown.spelling);
            return Err(self.error(unknown.place, format!("'#embed' has no parameter '{text}'")));
        }
        let name = wanted.name.display().to_string();
        let Some(bytes) = self.embedded(&wanted, directive)? else {
            return Err(self.error(directive.place, format!("there is no file '{name}'")));
        };
        let length = parameters.limit.map_or(bytes.len(), |limit| {
            bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))
        });
        self.count_tokens(length * 2, directive.place)?;
        let mut list = Vec::with_capacity(length * 2);
        if length == 0 {
            list.extend(parameters.if_empty);
        } else {
            list.extend(parameters.prefix);
            let numbers: Vec<Spelling> = (0..=255_u8)
                .map(|byte| self.spellings.intern(byte.to_string().as_bytes()))
                .collect();
            for (index, &byte) in bytes[..length].iter().enumerate() {
                if index > 0 {
                    list.push(Token::new(Kind::Punct, word::COMMA, directive.place));
                }
                let number = numbers[usize::from(byte)];
                list.push(Token {
                    flags: SPACED,
                    ..Token::new(Kind::Number, number, directive.place)
                });
            }
            list.extend(parameters.suffix);
        }
        if let Some(first) = list.first_mut() {
            first.flags = first.flags.with(Flags::LINE);
        }
        self.made = list;
        Ok(())
    }

    /// The bytes of the file that an `#embed` names.
    fn embedded(
        &mut self,
        wanted: &super::include::Wanted,
        directive: Token,
    ) -> Result<Option<Vec<u8>>> {
        for (path, _) in self.candidates(wanted) {
            if let Some(bytes) = self.contents(&path, directive)? {
                self.count_bytes(bytes.len() as u64, directive.place)?;
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// `__has_embed(<name> parameters)`: 0 if there is no such file, 1 if there is, 2 if it is empty.
    pub(super) fn has_embed(&mut self, name: Token) -> Result<u8> {
        if !self.in_directive {
            return Err(self.error(name.place, "'__has_embed' outside of a directive"));
        }
        self.open_bracket(name)?;
        let wanted = self.header_name(name, false)?;
        let first = self.next_solid()?;
        let parameters = self.embed_parameters(first)?;
        Ok(match self.embedded(&wanted, name)? {
            None => 0,
            Some(_) if parameters.unknown.is_some() => 0,
            Some(bytes) if bytes.is_empty() || parameters.limit == Some(0) => 2,
            Some(_) => 1,
        })
    }

    /// The parameters up to the end of the line, or the `)` of `__has_embed`.
    fn embed_parameters(&mut self, first: Token) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        let mut token = first;
        loop {
            if matches!(token.kind, Kind::EndOfLine | Kind::End) || token.is(word::CLOSE) {
                return Ok(parameters);
            }
            if token.kind != Kind::Name {
                let found = self.describe(token);
                return Err(self.error(
                    token.place,
                    format!("'#embed' has {found} where a parameter would be right"),
                ));
            }
            let mut next = self.next_solid()?;
            let mut known = true;
            if next.spelling == spelling("::") {
                self.next_solid()?;
                next = self.next_solid()?;
                known = false;
            }
            let parameter = token.spelling;
            if !next.is(word::OPEN) {
                parameters.unknown.get_or_insert(token);
                token = next;
                continue;
            }
            match parameter {
                LIMIT | LIMIT_2 if known => {
                    let limit = self.constant_in_brackets()?;
                    if !limit.unsigned && (limit.bits as i64) < 0 {
                        return Err(self.error(token.place, "the limit of '#embed' is negative"));
                    }
                    parameters.limit = Some(limit.bits);
                }
                PREFIX | PREFIX_2 if known => parameters.prefix = self.balanced(token)?,
                SUFFIX | SUFFIX_2 if known => parameters.suffix = self.balanced(token)?,
                IF_EMPTY | IF_EMPTY_2 if known => parameters.if_empty = self.balanced(token)?,
                _ => {
                    self.balanced(token)?;
                    parameters.unknown.get_or_insert(token);
                }
            }
            token = self.next_solid()?;
        }
    }

    /// Tokens up to the `)` that closes the bracket that was read.
    fn balanced(&mut self, parameter: Token) -> Result<Vec<Token>> {
        let (mut list, mut depth) = (Vec::new(), 0_usize);
        loop {
            let token = self.next_solid()?;
            match token.kind {
                Kind::EndOfLine | Kind::End => {
                    return Err(
                        self.error(parameter.place, "a parameter of '#embed' without its ')'")
                    );
                }
                Kind::Punct if token.spelling == word::OPEN => depth += 1,
                Kind::Punct if token.spelling == word::CLOSE && depth == 0 => return Ok(list),
                Kind::Punct if token.spelling == word::CLOSE => depth -= 1,
                _ => {}
            }
            list.push(token);
        }
    }
}
