//! The identity of a thread: the address of a thread-local variable.

/// The identity of a thread: no two living threads have the same, and none has 0.
pub(crate) fn this_thread() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place) as usize)
}
