//! Microsoft's record layout; GNU attributes count as in Clang.

use super::{Engine, Rules, Slot, round_up};
use crate::target::DataModel;

pub(super) struct Msvc {
    union: bool,
    /// `#pragma pack` or `packed`: no member is aligned more, but by an attribute.
    pack: Option<u64>,
    /// The end of the last storage unit; in a union, the largest member.
    position: u64,
    align: u64,
    /// Alignment that attributes ask for and packing does not lower; 0 at first on 32-bit targets, where
    /// it decides whether the size is rounded once more.
    required: u64,
    own_align: Option<u64>,
    /// The size and the free bits of the last bit-field's storage unit.
    unit: Option<(u64, u64)>,
}

impl Msvc {
    pub(super) fn new(model: &'static DataModel, rules: &Rules) -> Msvc {
        let pointer = u64::from(model.pointer);
        let pragma = rules.pack().filter(|&bits| bits <= pointer * 8);
        Msvc {
            union: rules.is_union(),
            pack: if rules.attributes.packed { Some(8) } else { pragma },
            position: 0,
            align: 8,
            required: if pointer == 8 { 8 } else { 0 },
            own_align: rules.align(),
            unit: None,
        }
    }

    fn member_align(&mut self, slot: &Slot) -> u64 {
        let mut align = slot.facts.natural * 8;
        let mut required = slot.align.unwrap_or(0).max(slot.facts.required.unwrap_or(0) * 8);
        if slot.width.is_some() {
            // An attribute on a bit-field can be lowered by packing.
            align = align.max(required);
        } else {
            self.required = self.required.max(required);
        }
        align = align.min(self.pack.unwrap_or(u64::MAX));
        if slot.packed {
            align = 8;
        }
        if required == 0 {
            required = 8;
        }
        align.max(required)
    }

    fn place_bits(&mut self, slot: &Slot, width: u64) -> u64 {
        if width == 0 {
            return self.end_unit(slot);
        }
        let align = self.member_align(slot);
        match &mut self.unit {
            Some((size, free)) if *size == slot.size && width <= *free && !self.union => {
                let at = self.position - *free;
                *free -= width;
                return at;
            }
            _ => {}
        }
        self.unit = Some((slot.size, slot.size - width));
        if self.union {
            self.position = self.position.max(slot.size);
            return 0;
        }
        let at = round_up(self.position, align);
        self.position = at + slot.size;
        self.align = self.align.max(align);
        at
    }

    /// A zero-width bit-field ends the unit before it; elsewhere it is ignored.
    fn end_unit(&mut self, slot: &Slot) -> u64 {
        if self.unit.take().is_none() {
            return if self.union { 0 } else { self.position };
        }
        let align = self.member_align(slot);
        if self.union {
            self.position = self.position.max(slot.size);
            return 0;
        }
        self.position = round_up(self.position, align);
        self.align = self.align.max(align);
        self.position
    }
}

impl Engine for Msvc {
    fn place(&mut self, slot: &Slot) -> u64 {
        if let Some(width) = slot.width {
            return self.place_bits(slot, width);
        }
        self.unit = None;
        let align = self.member_align(slot);
        self.align = self.align.max(align);
        let at = if self.union { 0 } else { round_up(self.position, align) };
        self.position = self.position.max(at + slot.size);
        at
    }

    fn used(&self) -> u64 {
        self.position
    }

    fn finish(self: Box<Self>) -> (u64, u64, u64) {
        let mut size = round_up(self.position, self.align);
        let mut align = self.align;
        let required = self.required.max(self.own_align.unwrap_or(0));
        if required != 0 {
            align = align.max(required);
            let rounding = align.min(self.pack.unwrap_or(u64::MAX)).max(required);
            size = round_up(size, rounding);
        }
        if size == 0 {
            // An empty record is 4 bytes, or as large as its alignment.
            size = if required >= 32 { align } else { 32 };
        }
        // An attribute of the record itself, however small, makes all of its alignment a required one.
        let required = if self.own_align.is_some() { align } else { required };
        (size, align, if required > 8 { required / 8 } else { 0 })
    }
}
