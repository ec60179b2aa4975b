//! A plan as a picture: the register or stack slot of each byte at the call.

use crate::abi::{Bank, CallPlan, Pass, Piece, Place, Reg, Width};

/// Registers and stack at the call instruction, and registers at the return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The declaration.
    pub title: String,
    /// The convention and its document.
    pub convention: String,
    /// Integer registers, vector registers, the stack, the result; those that there are.
    pub groups: Vec<Group>,
}

/// Places of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The heading: the bank, or the stack.
    pub title: &'static str,
    /// From the first register or the lowest address on.
    pub rows: Vec<Row>,
}

/// A register or a part of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `rdi`, `sp+8`
    pub place: String,
    /// The value in this place: 0 for the result or the pointer to it, 1 for the first argument; `None`: no value of the call.
    pub value: Option<usize>,
    /// The same in words.
    pub words: String,
    /// Bytes.
    pub bytes: u32,
}

impl Drawing {
    /// The picture of a plan; `types` are the C types of the result and of the arguments, in this order.
    pub fn of(title: String, plan: &CallPlan, types: &[String]) -> Drawing {
        let drawer = Drawer { plan, types };
        let convention = plan.convention;
        let groups = [
            Group { title: "integer registers", rows: drawer.registers(Bank::Int) },
            Group { title: "vector registers", rows: drawer.registers(Bank::Float) },
            Group { title: "stack", rows: drawer.stack() },
            Group { title: "result", rows: drawer.result() },
        ];
        Drawing {
            title,
            convention: format!("{}: {}", convention.name, convention.source),
            groups: groups.into_iter().filter(|group| !group.rows.is_empty()).collect(),
        }
    }
}

struct Drawer<'p> {
    plan: &'p CallPlan,
    types: &'p [String],
}

/// A piece in its place.
struct Placed<'p> {
    /// 0 the result, from 1 on an argument.
    value: usize,
    piece: &'p Piece,
    words: String,
}

impl<'p> Drawer<'p> {
    fn ty(&self, value: usize) -> &str {
        self.types.get(value).map_or("", String::as_str)
    }

    /// Everything that a call places in registers and slots of their own.
    fn placed(&self) -> impl Iterator<Item = Placed<'p>> {
        let hidden = matches!(self.plan.result, Pass::Pointer { .. }).then_some(&self.plan.result);
        let first = usize::from(hidden.is_none());
        let passes = hidden.into_iter().chain(&self.plan.arguments).enumerate();
        passes.flat_map(move |(i, pass)| {
            let value = i + first;
            pass.placed().iter().map(move |piece| Placed {
                value,
                piece,
                words: match (value, pass) {
                    (0, _) => "pointer to the result".into(),
                    (_, Pass::Pointer { .. }) => format!("{value}: pointer to {}", self.ty(value)),
                    _ => format!("{value}: {}", self.words(value, pass, piece)),
                },
            })
        })
    }

    /// A type, and which of its bytes where it is split.
    fn words(&self, value: usize, pass: &Pass, piece: &Piece) -> String {
        let ty = self.ty(value);
        match pass.pieces().iter().filter(|piece| piece.width != Width::Upper128).count() {
            0 | 1 => ty.into(),
            _ => format!("{ty}, bytes {}..{}", piece.offset, piece.offset + piece.bytes),
        }
    }

    fn registers(&self, bank: Bank) -> Vec<Row> {
        let (convention, next) = (self.plan.convention, self.plan.next);
        let placed: Vec<Placed<'_>> = self.placed().collect();
        let used = if bank == Bank::Int { next.int } else { next.float };
        let mut rows = Vec::new();
        let mut row = |register: &Reg, used: bool| {
            let here = |placed: &&Placed<'_>| placed.piece.place == Place::Register(*register);
            let (value, words) = match placed.iter().find(here) {
                Some(placed) => (Some(placed.value), placed.words.clone()),
                None if used => (None, "left out".into()),
                None => (None, String::new()),
            };
            rows.push(Row { place: register.name.into(), value, words, bytes: 8 });
        };
        for register in convention.arguments.of(bank) {
            row(register, register.index < used);
        }
        if let (Some(register), Pass::Pointer { .. }) =
            (convention.indirect_result.filter(|r| r.bank == bank), &self.plan.result)
        {
            row(&register, false);
        }
        if let (Some(count), Bank::Int) = (self.plan.vector_count, bank) {
            let words = format!("{count}, vector registers at most");
            rows.push(Row { place: "al".into(), value: None, words, bytes: 8 });
        }
        rows
    }

    fn stack(&self) -> Vec<Row> {
        let slot = self.plan.convention.slot;
        let shadow = self.plan.convention.shadow;
        let mut found = Vec::new();
        for Placed { value, piece, words } in self.placed() {
            if let Place::Stack(offset) = piece.place {
                found.push((offset, piece.bytes.next_multiple_of(slot), value, words));
            }
        }
        for (i, pass) in self.plan.arguments.iter().enumerate() {
            if let &Pass::Stack { offset, size } = pass {
                let words = format!("{}: {}", i + 1, self.ty(i + 1));
                found.push((offset, size.next_multiple_of(slot), i + 1, words));
            }
        }
        found.sort();
        let mut rows = Vec::new();
        let mut push = |value, at: u32, bytes: u32, words: &str| {
            if bytes > 0 {
                rows.push(Row { place: format!("sp+{at}"), value, words: words.into(), bytes });
            }
        };
        push(None, 0, shadow, "shadow space");
        let mut end = 0;
        for (offset, bytes, value, words) in found {
            push(None, shadow + end, offset.saturating_sub(end), "padding");
            push(Some(value), shadow + offset, bytes, &words);
            end = offset + bytes;
        }
        push(None, shadow + end, self.plan.stack_bytes.saturating_sub(end), "padding");
        rows
    }

    fn result(&self) -> Vec<Row> {
        let result = &self.plan.result;
        let piece = |piece: &Piece| {
            let place = match piece.place {
                Place::Register(register) => register.name.into(),
                Place::Stack(offset) => format!("sp+{offset}"),
            };
            Row { place, value: Some(0), words: self.words(0, result, piece), bytes: 8 }
        };
        match result {
            Pass::Pieces(pieces) => {
                pieces.iter().filter(|piece| piece.width != Width::Upper128).map(piece).collect()
            }
            Pass::Pointer { size, .. } => {
                let words = format!("{}, {size} bytes", self.ty(0));
                vec![Row { place: "memory".into(), value: Some(0), words, bytes: 8 }]
            }
            Pass::Ignore | Pass::Stack { .. } => Vec::new(),
        }
    }
}
