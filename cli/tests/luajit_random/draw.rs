//! Random programs in LuaJIT's Lua, drawn from the texts beside this file.

use std::collections::HashMap;

use cthunk::fuzz::Random;

/// Around every sub-expression of a statement stand its kind and its end, for the shrinker: `START kind TEXT … END`.
pub const START: char = '\u{1}';
pub const TEXT: char = '\u{2}';
pub const END: char = '\u{3}';

/// How deep expressions nest.
const DEPTH: usize = 3;

/// Expressions by kind, and blocks of statements.
pub struct Templates {
    expressions: HashMap<&'static str, Choices>,
    language: Vec<Vec<&'static str>>,
    ffi: Vec<Vec<&'static str>>,
}

/// The texts of a kind.
#[derive(Default)]
struct Choices {
    all: Vec<&'static str>,
    /// Those that end the recursion.
    ends: Vec<&'static str>,
}

impl Templates {
    pub fn new() -> Templates {
        Templates {
            expressions: expressions(include_str!("expressions.txt")),
            language: blocks(include_str!("statements.txt")),
            ffi: blocks(include_str!("ffi.txt")),
        }
    }

    /// The texts of a kind that need no other.
    pub fn simplest(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        let ends = self.expressions.get(kind).map_or(&[][..], |choices| &choices.ends);
        ends.iter().copied().filter(|text| !text.contains('@'))
    }
}

fn is_kind(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn expressions(text: &'static str) -> HashMap<&'static str, Choices> {
    let (mut kinds, mut kind) = (HashMap::<_, Choices>::new(), "");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let name = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name.filter(|name| is_kind(name)) {
            kind = name;
            continue;
        }
        let choices = kinds.entry(kind).or_default();
        choices.all.push(line);
        let alias = line.strip_prefix('@').is_some_and(is_kind);
        let holes = line.replace("@(", "").replace("@/", "").contains('@');
        if alias || !holes {
            choices.ends.push(line);
        }
    }
    kinds
}

/// The statements of each block, with the sign that they begin with.
fn blocks(text: &'static str) -> Vec<Vec<&'static str>> {
    let blocks = text.split("\n\n").filter(|block| !block.starts_with("# "));
    let starts = |block: &str| {
        let lines = block.match_indices('\n').map(|(at, _)| at + 1);
        let signs = |at: &usize| block[*at..].starts_with("= ") || block[*at..].starts_with("> ");
        [0].into_iter().chain(lines).filter(signs).chain([block.len()]).collect::<Vec<_>>()
    };
    let statements = |block: &'static str| {
        starts(block).windows(2).map(|ends| block[ends[0]..ends[1]].trim_end()).collect()
    };
    blocks.map(statements).collect()
}

/// A random program.
pub struct Program {
    pub number: u64,
    /// With the marks of the shrinker.
    pub statements: Vec<String>,
}

impl Program {
    /// The program as Lua text.
    pub fn text(statements: &[String]) -> String {
        let mut text = String::new();
        for statement in statements {
            let mut kind = false;
            for c in statement.chars() {
                match c {
                    START => kind = true,
                    TEXT => kind = false,
                    END => {}
                    _ if kind => {}
                    _ => text.push(c),
                }
            }
            text.push('\n');
        }
        text
    }
}

/// Draws one program.
pub struct Drawer<'a> {
    pub random: Random,
    templates: &'a Templates,
    number: u64,
    /// How many names and statements there are.
    names: usize,
    statements: Vec<String>,
    /// Variables by kind.
    variables: HashMap<&'static str, Vec<String>>,
}

/// Kinds of variables.
const VARIABLES: [&str; 10] =
    ["num", "num", "int", "str", "bool", "any", "i64", "u64", "cnum", "list"];

impl<'a> Drawer<'a> {
    pub fn program(templates: &'a Templates, number: u64) -> Program {
        let mut drawer = Drawer {
            random: Random::new(number),
            templates,
            number,
            names: 0,
            statements: Vec::new(),
            variables: HashMap::new(),
        };
        let wanted = 5 + drawer.random.below(15);
        while drawer.statements.len() < wanted {
            match drawer.random.below(8) {
                0 | 1 => drawer.variable(),
                2 | 3 => drawer.block(&templates.language),
                4 | 5 => drawer.block(&templates.ffi),
                _ => super::objects::draw(&mut drawer),
            }
        }
        Program { number, statements: drawer.statements }
    }

    /// A name that no other program of the batch has.
    pub fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}_{}_{}", self.number, self.names)
    }

    /// A statement as it is.
    pub fn raw(&mut self, text: String) {
        self.statements.push(text);
    }

    /// A statement whose outcome is compared.
    pub fn compared(&mut self, body: &str) {
        let n = self.statements.len() + 1;
        self.raw(format!("T({n}, function() {body} end)"));
    }

    /// A variable whose value is compared; nil if the expression fails.
    pub fn define(&mut self, name: &str, expression: &str) {
        let n = self.statements.len() + 1;
        self.raw(format!("local {name} = T({n}, function() return {expression} end)"));
    }

    fn variable(&mut self) {
        let kind = *self.random.pick(&VARIABLES);
        let name = self.name("v");
        let expression = self.expression(kind, DEPTH);
        self.define(&name, &expression);
        self.variables.entry(kind).or_default().push(name);
    }

    fn block(&mut self, blocks: &[Vec<&'static str>]) {
        let block = self.random.pick(blocks).clone();
        let own = self.name("");
        for statement in block {
            let (sign, body) = statement.split_at(2);
            let text = self.expand(body, DEPTH, &own);
            match sign {
                "> " => self.raw(text),
                _ => self.compared(&text),
            }
        }
    }

    /// An expression of a kind.
    pub fn expression(&mut self, kind: &str, depth: usize) -> String {
        let known = self.variables.get(kind).filter(|_| depth < DEPTH);
        let text = match known {
            Some(names) if self.random.one_in(3) => self.random.pick(names).clone(),
            _ => {
                let choices = &self.templates.expressions[kind];
                let texts = if depth == 0 { &choices.ends } else { &choices.all };
                let template = *self.random.pick(texts);
                let alias = template.strip_prefix('@').is_some_and(is_kind);
                self.expand(template, if alias { depth } else { depth.saturating_sub(1) }, "")
            }
        };
        format!("{START}{kind}{TEXT}{text}{END}")
    }

    /// A template with its holes filled; `own` is the suffix of its own names.
    fn expand(&mut self, template: &str, depth: usize, own: &str) -> String {
        let (mut text, mut rest) = (String::new(), template);
        while let Some((before, hole)) = rest.split_once('@') {
            text += before;
            rest = match hole.as_bytes().first() {
                Some(b'#') => {
                    text += own;
                    &hole[1..]
                }
                Some(b'@') => {
                    text.push('@');
                    &hole[1..]
                }
                Some(b'/') => {
                    text.push('\n');
                    &hole[1..]
                }
                Some(b'(') => {
                    let end = closing(hole);
                    let choices: Vec<_> = hole[1..end].split('|').collect();
                    let choice = *self.random.pick(&choices);
                    text += &self.expand(choice, depth, own);
                    &hole[end + 1..]
                }
                _ => {
                    let end = hole.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
                    let end = end.unwrap_or(hole.len());
                    text += &self.expression(&hole[..end], depth);
                    &hole[end..]
                }
            };
        }
        text + rest
    }
}

/// Where the parenthesis at the start of a text ends.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0
    });
    end.unwrap_or_else(|| panic!("no end of {text}")).0
}
