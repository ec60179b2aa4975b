//! GCC's record layout, with System V's bit-fields and with GCC's version of Microsoft's (MinGW, `ms_struct`).

use super::{Engine, Rules, Slot, round_up, uses_ms_rule};
use crate::ctype::{ArrayLen, FloatKind, QualType, RecordId, RecordKind, Table, Type};
use crate::target::DataModel;

/// How deep [`is_scalar`] looks.
const DEPTH: u32 = 16;

/// Whether GCC keeps a record in an integer or `double` register, which on i386 System V makes it as little
/// aligned in other records as they are. (Only `ms_struct` records are aligned more in the first place.)
pub(super) fn is_scalar(table: &Table, id: RecordId, depth: u32) -> bool {
    let record = table.record(id);
    let Some(body) = record.body.as_ref().filter(|body| depth < DEPTH && body.flexible.is_none())
    else {
        return false;
    };
    let mut sized =
        body.members.iter().filter(|m| table.layout_of(m.ty).is_some_and(|l| l.size > 0));
    match (body.layout.size, record.kind) {
        (1 | 2 | 4 | 8, _) => sized.all(|m| m.bits.is_some() || fits_register(table, m.ty, depth)),
        (16, RecordKind::Struct) => match (sized.next(), sized.next()) {
            (Some(only), None) => is_complex_double(table, only.ty, depth),
            _ => false,
        },
        _ => false,
    }
}

fn fits_register(table: &Table, ty: QualType, depth: u32) -> bool {
    match *table.shape(ty) {
        Type::Record(id) => is_scalar(table, id, depth + 1),
        Type::Array(..) => table.layout_of(ty).is_some_and(|l| matches!(l.size, 1 | 2 | 4 | 8)),
        _ => true,
    }
}

fn is_complex_double(table: &Table, ty: QualType, depth: u32) -> bool {
    match *table.shape(ty) {
        Type::Complex(FloatKind::F64) => true,
        Type::Array(element, ArrayLen::Fixed(1)) => is_complex_double(table, element, depth),
        Type::Record(id) => is_scalar(table, id, depth + 1),
        _ => false,
    }
}

pub(super) struct Gcc {
    model: &'static DataModel,
    union: bool,
    ms: bool,
    /// `#pragma pack`, in bits.
    pack: Option<u64>,
    /// The first free bit; in a union, the largest member.
    position: u64,
    align: u64,
    /// Whether an attribute asked for an alignment somewhere inside.
    user_aligned: bool,
    run: Option<Run>,
    /// Bits left in the storage unit of the current run.
    remaining: u64,
}

/// The bit-field before, under Microsoft's rule.
#[derive(Clone, Copy)]
struct Run {
    type_size: u64,
    zero_width: bool,
}

/// DECL_ALIGN and DECL_USER_ALIGN of a field, in GCC's words.
struct Desired {
    align: u64,
    user: bool,
    /// Whether an ordinary integer access could not do.
    bit_field: bool,
}

impl Gcc {
    pub(super) fn new(model: &'static DataModel, rules: &Rules) -> Gcc {
        Gcc {
            model,
            union: rules.is_union(),
            ms: uses_ms_rule(model, rules),
            pack: rules.pack(),
            position: 0,
            align: rules.align().unwrap_or(8),
            user_aligned: rules.align().is_some(),
            run: None,
            remaining: 0,
        }
    }

    fn known_align(&self) -> Option<u64> {
        (self.position != 0 && !self.union).then(|| 1 << self.position.trailing_zeros())
    }

    fn desired(&self, slot: &Slot, packed: bool) -> Desired {
        let facts = &slot.facts;
        let explicit = slot.align.is_some();
        let zero_width = slot.width == Some(0) && !self.ms;
        let packed = packed && !zero_width;
        let mut d = Desired {
            align: slot.align.unwrap_or(1),
            user: explicit,
            bit_field: slot.width.is_some(),
        };
        let type_aligns = match slot.width {
            Some(_) => zero_width,
            None => !(packed && explicit),
        };
        if type_aligns && facts.align * 8 > d.align {
            d.align = facts.align * 8;
            d.user = facts.required.is_some();
        }
        if let Some(width @ (8 | 16 | 32 | 64 | 128)) = slot.width {
            let mode_exists = width < 128 || self.model.int128;
            let known = self.known_align().is_none_or(|known| known >= width);
            if mode_exists && known && (width == 8 || !packed) {
                d.align = d.align.max(width);
                d.bit_field = false;
            }
        }
        if packed && !explicit {
            d.align = d.align.min(8);
        }
        if !packed && !d.user {
            d.align = d.align.min(facts.cap.map_or(u64::MAX, |cap| cap * 8));
        }
        if let (Some(pack), false) = (self.pack, zero_width) {
            d.align = d.align.min(pack);
        }
        d
    }

    /// Raises the record's alignment for a member.
    fn align_record(&mut self, slot: &Slot, packed: bool, desired: &Desired) {
        let facts = &slot.facts;
        let pack = self.pack.unwrap_or(u64::MAX);
        let mut user = desired.user;
        if self.ms {
            let counts = match slot.width {
                None => true,
                Some(0) => self.run.is_some_and(|run| !run.zero_width),
                Some(_) => !packed,
            };
            if counts {
                let of_type = if slot.width.is_none() && packed { 0 } else { facts.align * 8 };
                self.align = self.align.max(of_type.max(desired.align).min(pack));
            }
        } else if slot.width.is_some() {
            if !slot.named && !self.model.align_unnamed_bit_fields {
                self.user_aligned |= user;
                return;
            }
            let mut of_type = facts.member_align() * 8;
            if slot.width != Some(0) {
                of_type = match self.pack {
                    Some(pack) => of_type.min(pack),
                    None if packed => of_type.min(8),
                    None => of_type,
                };
            }
            self.align = self.align.max(desired.align).max(of_type);
            user |= facts.required.is_some();
        } else {
            self.align = self.align.max(desired.align);
        }
        self.user_aligned |= user;
    }

    /// System V: a bit-field crosses no more units of its type's alignment than its type does.
    fn avoid_excess_span(&mut self, slot: &Slot, packed: bool) {
        let Some(width @ 1..) = slot.width else { return };
        if packed || self.pack.is_some() {
            return;
        }
        let align = slot.facts.member_align() * 8;
        let units = (self.position % align + width).div_ceil(align);
        if units > slot.size / align {
            self.position = round_up(self.position, align);
        }
        self.user_aligned |= slot.facts.required.is_some();
    }

    /// Microsoft: bit-fields whose types have one size share storage units of that size.
    fn place_ms(&mut self, slot: &Slot, packed: bool, desired: &Desired) {
        let known = self.known_align().unwrap_or(u64::MAX);
        let mut before = self.run;
        if let Some(run) = self.run {
            let mut realign = known < desired.align;
            match slot.width {
                Some(width @ 1..) if !run.zero_width && run.type_size == slot.size => {
                    if self.remaining < width {
                        self.position += self.remaining;
                        self.remaining = slot.size - width;
                    } else {
                        self.remaining -= width;
                        realign = false;
                    }
                }
                _ => {
                    if run.zero_width {
                        before = None;
                    } else {
                        self.position += self.remaining;
                    }
                    if slot.width.unwrap_or(0) == 0 {
                        self.run = None;
                    }
                }
            }
            if realign {
                self.position = round_up(self.position, desired.align);
            }
        } else if known < desired.align {
            self.position = round_up(self.position, desired.align);
        }
        let starts = match (slot.width, before) {
            (None, _) => true,
            (Some(_), Some(run)) => run.type_size != slot.size,
            (Some(width), None) => width != 0,
        };
        if starts {
            self.remaining = slot.size - slot.width.unwrap_or(slot.size);
            let align = if packed { 8 } else { slot.facts.align * 8 };
            self.position = round_up(self.position, align.min(self.pack.unwrap_or(u64::MAX)));
            self.run = None;
        }
    }
}

impl Engine for Gcc {
    fn place(&mut self, slot: &Slot) -> u64 {
        let packed = slot.packed && (slot.width.is_some() || slot.facts.align > 1);
        let desired = self.desired(slot, packed);
        self.align_record(slot, packed, &desired);
        let bits = slot.width.unwrap_or(slot.size);
        if self.union {
            self.position = self.position.max(round_up(bits, 8));
            return 0;
        }
        if self.ms {
            self.place_ms(slot, packed, &desired);
        } else {
            if self.position != 0 {
                self.position = round_up(self.position, desired.align);
            }
            if desired.bit_field {
                self.avoid_excess_span(slot, packed);
            }
        }
        let at = self.position;
        self.position += bits;
        if let Some(width) = slot.width.filter(|_| self.ms) {
            self.run.get_or_insert(Run { type_size: slot.size, zero_width: width == 0 });
            if slot.last && width != 0 {
                self.position += self.remaining;
            }
        }
        at
    }

    fn used(&self) -> u64 {
        self.position
    }

    fn finish(self: Box<Self>) -> (u64, u64, u64) {
        let size = round_up(round_up(self.position, 8), self.align);
        (size, self.align, if self.user_aligned { self.align / 8 } else { 0 })
    }
}
