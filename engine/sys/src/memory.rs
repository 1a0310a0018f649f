//! The process's own memory.

/// Gives the memory that was freed, but is kept for the next allocation, back
/// to the system. For the end of work that needed much of it: the allocator
/// keeps a heap per thread, and a freed piece below one still in use stays.
pub fn release_free() {
    // Other C libraries keep little, and have no such call.
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes no pointers; it locks each heap while it looks for
    // whole free pages, which nobody may use before they are allocated again.
    unsafe {
        libc::malloc_trim(0);
    }
}
