//! The grammar of C declarations, by recursive descent in one pass.
//!
//! Each function of the parser returns [`Parse`]; the function that fails has already reported the error. An error does not end a text: the
//! parser goes on after the declaration, or member, that failed.

mod attribute;
mod attribute_table;
mod constant;
mod contract;
mod declaration;
mod declarator;
mod directive;
mod enumeration;
mod expression;
mod literal;
mod record;
mod report;
mod specifier;
mod value;
mod words;

use rustc_hash::FxHashMap;

use super::decls::{Declarations, Param};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::keyword::Keyword;
use super::lex::{Bad, Lexer, Offset, Punct, Tok, Token};
use super::preprocess::Macro;
use super::source::Source;
use super::table::MAX_DEPTH;
use super::{Constant, Name, QualType, Table};

/// The parser did not find the expected construct; the error is in [`Parser::errors`].
#[derive(Debug)]
pub(super) struct Failed;

type Parse<T> = Result<T, Failed>;

/// How deep brackets may nest.
const MAX_NESTING: u32 = 128;

/// How many errors of a text are reported.
const MAX_ERRORS: usize = 25;

pub(super) struct Parser<'a> {
    decls: &'a mut Declarations,
    source: Source<'a>,
    /// Whether words may be macros.
    expands: bool,
    lexer: Lexer<'a>,
    tok: Token,
    /// The token after `tok`, if it was asked for.
    ahead: Option<Token>,
    /// The end of the token before `tok`.
    last_end: Offset,
    params: &'a [Param<'a>],
    /// How many `$` were seen.
    params_used: u32,
    errors: Vec<Diagnostic>,
    /// Whether the end of the text was reported as an error; the brackets that it leaves open are not more.
    ended: bool,
    /// Whether a semicolon ended a declaration.
    separated: bool,
    /// Whether a type that nests too deep was reported.
    too_deep: bool,
    /// Names that were reported, and those of declarations that failed, each with the number of errors before that.
    failed: FxHashMap<Name, usize>,
    nesting: u32,
    pack: directive::Pack,
    /// Whether a tag that nothing declared may be declared by its first use.
    implicit_tags: bool,
    /// How many parameter declarations are open.
    prototypes: u32,
    piles: Piles,
    /// Constants of the record that is being parsed.
    scoped: Vec<(Name, QualType, Constant)>,
}

/// Stacks of things that the parser has read and uses later. They are empty after each text, and keep their memory for the next one.
#[derive(Debug, Default)]
pub(super) struct Piles {
    ops: Vec<declarator::Op>,
    pointers: Vec<declarator::Pointer>,
    parameters: declarator::Parameters,
    /// The names of the parameters of the function that was declared last.
    declared_names: Vec<Option<Name>>,
}

impl Piles {
    fn clear(&mut self) {
        self.ops.clear();
        self.pointers.clear();
        self.parameters.truncate(0);
        self.declared_names.clear();
    }
}

/// Between texts there is nothing to copy.
impl Clone for Piles {
    fn clone(&self) -> Piles {
        Piles::default()
    }
}

/// A place in the text to come back to.
#[derive(Clone, Copy)]
struct Checkpoint<'a> {
    lexer: Lexer<'a>,
    tok: Token,
    ahead: Option<Token>,
    last_end: Offset,
    params_used: u32,
    errors: usize,
    ended: bool,
    ops: usize,
    pointers: usize,
    parameters: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        decls: &'a mut Declarations,
        source: Source<'a>,
        params: &'a [Param<'a>],
    ) -> Parser<'a> {
        let piles = std::mem::take(&mut decls.piles);
        let mut parser = Parser {
            expands: !source.is_expanded() && decls.has_texts(),
            lexer: Lexer::new(source.text(), params.is_empty()),
            source,
            decls,
            tok: Token { kind: Tok::End, start: 0, end: 0 },
            ahead: None,
            last_end: 0,
            params,
            params_used: 0,
            errors: Vec::new(),
            ended: false,
            separated: false,
            too_deep: false,
            failed: FxHashMap::default(),
            nesting: 0,
            pack: directive::Pack::default(),
            implicit_tags: true,
            prototypes: 0,
            piles,
            scoped: Vec::new(),
        };
        parser.advance();
        parser
    }

    fn table(&mut self) -> &mut Table {
        &mut self.decls.table
    }

    /// All declarations of the text.
    pub(super) fn translation_unit(mut self) -> Result<(), Diagnostics> {
        while self.tok.kind != Tok::End && self.errors.len() < MAX_ERRORS {
            let start = self.checkpoint();
            if self.external_declaration().is_err() {
                self.recover(start, false);
            }
        }
        self.finish(Ok(()))
    }

    /// A type name that is the whole text.
    pub(super) fn whole_type_name(mut self) -> Result<QualType, Diagnostics> {
        self.implicit_tags = false;
        let ty = self.type_name().and_then(|ty| {
            if self.tok.kind == Tok::End {
                Ok(ty)
            } else {
                Err(self.expected("the end of the type"))
            }
        });
        self.finish(ty)
    }

    /// A constant expression that is the whole text.
    pub(super) fn whole_constant(mut self) -> Result<(QualType, Constant), Diagnostics> {
        let constant = self.constant_value().and_then(|constant| match self.tok.kind {
            Tok::End => Ok(constant),
            _ => Err(self.expected("the end of the expression")),
        });
        self.finish(constant)
    }

    /// One declaration or type name that is the whole text.
    pub(super) fn single(mut self) -> Result<(Option<Name>, QualType), Diagnostics> {
        let parsed = self.one_declaration();
        self.finish(parsed)
    }

    fn finish<T>(mut self, result: Parse<T>) -> Result<T, Diagnostics> {
        if self.errors.is_empty()
            && (self.params_used as usize) < self.params.len()
            && result.is_ok()
        {
            let message = format!(
                "{} values for '$' were given, but the text has {}",
                self.params.len(),
                self.params_used
            );
            self.error(self.tok.start, message);
        }
        if self.lexer.is_spliced() && !self.source.is_expanded() {
            self.decls.wants_preprocessor = true;
        }
        self.piles.clear();
        self.decls.piles = self.piles;
        match result {
            Ok(value) if self.errors.is_empty() => Ok(value),
            _ => {
                self.errors.sort_by_key(|error| error.offset);
                Err(Diagnostics(self.errors))
            }
        }
    }

    // Tokens

    /// Reads the current token from the text.
    #[inline(never)]
    fn lex(&mut self) {
        self.tok = self.lexer.next(&mut self.decls.table.names);
        if self.tok.kind == Tok::Dollar {
            self.tok.kind = self.param();
        }
        if self.expands {
            self.look_for_macro();
        }
    }

    /// Leaves the text to the preprocessor if the current token is a macro.
    #[cold]
    fn look_for_macro(&mut self) {
        let is_word = matches!(self.tok.kind, Tok::Name(_) | Tok::Keyword(_));
        let word = &self.lexer.text()[self.tok.start as usize..self.tok.end as usize];
        if is_word && self.decls.find_macro(word).is_some_and(Macro::needs_expansion) {
            self.leave_to_preprocessor();
        }
    }

    /// Ends the text here: it is read again as the preprocessor gives it.
    fn leave_to_preprocessor(&mut self) -> Failed {
        self.decls.wants_preprocessor = true;
        self.lexer.end();
        self.ahead = None;
        self.tok = Token { kind: Tok::End, ..self.tok };
        self.ended = true;
        Failed
    }

    /// The argument of the next `$`.
    #[cold]
    fn param(&mut self) -> Tok {
        let position = self.params_used;
        self.params_used += 1;
        match self.params.get(position as usize) {
            Some(&Param::Type(ty)) => Tok::Type(ty),
            Some(&Param::Int(_)) => Tok::Int(position),
            Some(&Param::Name(text)) => self.param_name(text),
            None => Tok::Bad(Bad::ParamMissing),
        }
    }

    /// The identifier that a `$` stands for; anything else is a bad token.
    fn param_name(&mut self, text: &[u8]) -> Tok {
        let mut lexer = Lexer::new(text, true);
        let [first, second] = [(); 2].map(|()| lexer.next(&mut self.decls.table.names).kind);
        match (first, second) {
            (name @ Tok::Name(_), Tok::End) => name,
            _ => Tok::Bad(Bad::ParamNotName),
        }
    }

    #[inline]
    fn advance(&mut self) {
        self.last_end = self.tok.end;
        match self.ahead.take() {
            Some(token) => self.tok = token,
            None => self.lex(),
        }
    }

    fn peek(&mut self) -> Tok {
        if let Some(ahead) = self.ahead {
            return ahead.kind;
        }
        let tok = self.tok;
        self.lex();
        let ahead = std::mem::replace(&mut self.tok, tok);
        self.ahead = Some(ahead);
        ahead.kind
    }

    fn at(&self, punct: &str) -> bool {
        self.tok.kind == Tok::Punct(Punct::new(punct))
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.tok.kind == Tok::Keyword(keyword)
    }

    fn peek_at(&mut self, punct: &str) -> bool {
        self.peek() == Tok::Punct(Punct::new(punct))
    }

    fn eat(&mut self, punct: &str) -> bool {
        let found = self.at(punct);
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    #[inline]
    fn expect(&mut self, punct: &str) -> Parse<()> {
        if self.eat(punct) { Ok(()) } else { Err(self.expected_punct(punct)) }
    }

    fn expect_name(&mut self) -> Parse<(Name, Offset)> {
        match self.tok.kind {
            Tok::Name(name) => {
                let start = self.tok.start;
                self.advance();
                Ok((name, start))
            }
            _ => Err(self.expected("a name")),
        }
    }

    fn token_text(&self, token: Token) -> String {
        String::from_utf8_lossy(&self.lexer.text()[token.start as usize..token.end as usize])
            .into_owned()
    }

    /// Takes a bracket, everything up to its partner, and the partner.
    fn skip_balanced(&mut self) -> Parse<()> {
        let start = self.tok.start;
        let mut depth = 0_u32;
        loop {
            match self.tok.kind {
                Tok::Punct(p) => match p.char() {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                },
                Tok::End => return Err(self.error(start, "bracket is never closed".into())),
                Tok::Bad(bad) => return Err(self.error_here(bad.message().to_owned())),
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Runs a part of the grammar that nests, unless it nests too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.nesting == MAX_NESTING {
            let failed = self.error_here(format!("nested deeper than {MAX_NESTING} levels"));
            // The rest of the text would be nested as deep, and give the same error again.
            self.tok = Token { kind: Tok::End, ..self.tok };
            self.ended = true;
            return Err(failed);
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    fn checkpoint(&self) -> Checkpoint<'a> {
        Checkpoint {
            lexer: self.lexer,
            tok: self.tok,
            ahead: self.ahead,
            last_end: self.last_end,
            params_used: self.params_used,
            errors: self.errors.len(),
            ended: self.ended,
            ops: self.piles.ops.len(),
            pointers: self.piles.pointers.len(),
            parameters: self.piles.parameters.types.len(),
        }
    }

    /// Goes back to a place, forgetting the errors since then.
    fn rewind(&mut self, to: Checkpoint<'a>) {
        self.errors.truncate(to.errors);
        self.ended = to.ended;
        self.failed.retain(|_, errors| *errors < to.errors);
        self.rewind_tokens(to);
    }

    fn rewind_tokens(&mut self, to: Checkpoint<'a>) {
        self.lexer = to.lexer;
        self.tok = to.tok;
        self.ahead = to.ahead;
        self.last_end = to.last_end;
        self.params_used = to.params_used;
        self.piles.ops.truncate(to.ops);
        self.piles.pointers.truncate(to.pointers);
        self.piles.parameters.truncate(to.parameters);
    }

    /// Notes that the text declares a type with a body here.
    fn note_type(&mut self, offset: Offset) {
        if self.decls.declared.types.is_none() {
            self.decls.declared.types = Some(self.source.origin(offset));
        }
    }

    /// Notes that the text declares a function or variable here.
    fn note_symbol(&mut self, offset: Offset) {
        if self.decls.declared.symbols.is_none() {
            self.decls.declared.symbols = Some(self.source.origin(offset));
        }
    }

    /// Notes that the text has an attribute here that is a contract.
    fn note_contract(&mut self, offset: Offset) {
        if self.decls.declared.contracts.is_none() {
            self.decls.declared.contracts = Some(self.source.origin(offset));
        }
    }

    /// Refuses a type that nests too deep.
    fn check_depth(&mut self, ty: QualType, offset: Offset) -> Parse<()> {
        if !self.decls.table.is_too_deep(ty.id()) {
            return Ok(());
        }
        // Types made of this type are too deep, too: one message is enough.
        if std::mem::replace(&mut self.too_deep, true) {
            return Err(Failed);
        }
        let message = format!("type nested deeper than {MAX_DEPTH} levels");
        let hint = "a member that is a pointer ends the nesting";
        Err(self.error_hint(offset, message, hint))
    }
}
