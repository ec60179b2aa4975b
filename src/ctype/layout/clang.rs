//! Clang's Itanium record layout (`ItaniumRecordLayoutBuilder` in its `RecordLayoutBuilder.cpp`): for Apple's platforms, and, with
//! Microsoft's bit-fields as the default, for Clang's own Windows target (`windows-gnullvm`).

use super::{Engine, Rules, Slot, round_up, uses_ms_rule};
use crate::target::DataModel;

pub(super) struct Clang {
    model: &'static DataModel,
    union: bool,
    ms: bool,
    pack: Option<u64>,
    /// The end of the last member's last byte; in a union, the largest member.
    position: u64,
    align: u64,
    /// Bits after the last bit-field that the next one may use.
    unfilled: u64,
    /// The size of the last bit-field's storage unit, under Microsoft's rule.
    unit: u64,
    required: u64,
}

impl Clang {
    pub(super) fn new(model: &'static DataModel, rules: &Rules) -> Clang {
        Clang {
            model,
            union: rules.is_union(),
            ms: uses_ms_rule(model, rules),
            pack: rules.pack(),
            position: 0,
            align: rules.align().unwrap_or(8),
            unfilled: 0,
            unit: 0,
            required: rules.align().unwrap_or(0) / 8,
        }
    }

    fn place_plain(&mut self, slot: &Slot) -> u64 {
        (self.unfilled, self.unit) = (0, 0);
        let explicit = slot.align.unwrap_or(8);
        let mut natural = slot.facts.align * 8;
        // "Base types with sizes that aren't a power of two don't work with the layout rules for MS structs."
        if self.ms && slot.facts.arithmetic.is_power_of_two() {
            natural = natural.max(slot.facts.arithmetic * 8);
        }
        let wanted = if slot.packed { explicit } else { natural.max(explicit) };
        let align = wanted.min(self.pack.unwrap_or(u64::MAX));
        let at = if self.union { 0 } else { round_up(self.position, align) };
        self.position = self.position.max(at + slot.size);
        self.align = self.align.max(align);
        at
    }

    fn place_bits(&mut self, slot: &Slot, width: u64) -> u64 {
        let mut align = slot.facts.align * 8;
        if self.ms {
            align = slot.size;
            if self.unit != slot.size || self.unfilled < width {
                if self.unit == 0 && width == 0 {
                    align = 8;
                }
                (self.unfilled, self.unit) = (0, 0);
            }
        }
        let mut at = if self.union { 0 } else { self.position - self.unfilled };
        let mut unpacked = align;
        if !self.ms && slot.packed && width != 0 {
            align = 1;
        }
        if let Some(explicit) = slot.align {
            align = align.max(explicit);
            unpacked = unpacked.max(explicit);
        }
        if let (Some(pack), 1..) = (self.pack, width) {
            align = if slot.packed { unpacked.min(pack) } else { align.min(pack) };
        }
        if self.ms && self.union {
            align = 1;
        }
        if self.ms {
            if width == 0 || width > self.unfilled {
                at = round_up(at, align);
                self.unfilled = 0;
            }
        } else if width == 0 || (self.pack.is_none() && at % align + width > slot.size) {
            at = round_up(at, align);
        } else if let Some(explicit) = slot.align
            && self.pack.is_none_or(|pack| explicit <= pack)
        {
            at = round_up(at, explicit);
        }
        if !self.ms && !slot.named && !self.model.align_unnamed_bit_fields {
            align = 1;
        }
        self.take_bits(slot, width, at);
        self.align = self.align.max(align);
        at
    }

    fn take_bits(&mut self, slot: &Slot, width: u64, at: u64) {
        if self.union {
            let size = match (self.ms, width) {
                (true, 0) => 8,
                (true, _) => slot.size,
                (false, _) => round_up(width, 8),
            };
            self.position = self.position.max(size);
        } else if self.ms && width != 0 {
            if self.unfilled == 0 {
                self.position = at + slot.size;
                self.unfilled = slot.size;
            }
            self.unfilled -= width;
            self.unit = slot.size;
        } else {
            self.position = round_up(at + width, 8);
            self.unfilled = self.position - (at + width);
            self.unit = 0;
        }
    }
}

impl Engine for Clang {
    fn place(&mut self, slot: &Slot) -> u64 {
        match slot.width {
            Some(width) => self.place_bits(slot, width),
            None => self.place_plain(slot),
        }
    }

    fn used(&self) -> u64 {
        self.position
    }

    fn finish(self: Box<Self>) -> (u64, u64, u64) {
        (round_up(self.position, self.align), self.align, self.required)
    }
}
