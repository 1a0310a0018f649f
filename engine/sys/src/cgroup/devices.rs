//! Device rules of version 2, which has no files for them: a small BPF program
//! on the cgroup is asked at every opening and making of a device node.
//!
//! [`program`] turns rules into instructions; the last rule that fits decides,
//! and nothing is allowed that no rule allows.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::Cgroup;

/// A rule about devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    pub allow: bool,
    pub kind: DeviceKind,
    /// All when absent.
    pub major: Option<u32>,
    pub minor: Option<u32>,
    pub read: bool,
    pub write: bool,
    pub mknod: bool,
}

/// The sort of devices a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    All,
    Character,
    Block,
}

impl DeviceRule {
    /// Whether it decides about everything that is asked.
    fn fits_all(&self) -> bool {
        self.kind == DeviceKind::All
            && self.major.is_none()
            && self.minor.is_none()
            && self.read
            && self.write
            && self.mknod
    }
}

/// One instruction, as the kernel takes it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u8,
    /// Source register in the high half, destination in the low one.
    registers: u8,
    offset: i16,
    immediate: i32,
}

// From linux/bpf.h and linux/bpf_common.h.
const LOAD_WORD: u8 = 0x61;
const MOVE: u8 = 0xb7;
const MOVE_REGISTER: u8 = 0xbf;
const AND_32: u8 = 0x54;
const SHIFT_RIGHT_32: u8 = 0x74;
const JUMP_NOT_EQUAL: u8 = 0x55;
const JUMP_NOT_EQUAL_REGISTER: u8 = 0x5d;
const EXIT: u8 = 0x95;
const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;

// What the program keeps in which register.
const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

pub(super) fn attach(cgroup: &Cgroup, rules: &[DeviceRule]) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, open};
    let dir = cgroup.v2_dir().ok_or(io::ErrorKind::Unsupported)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = open(&dir, flags, Mode::empty())?;
    let program = load(&program(rules))?;

    /// The part of `union bpf_attr` that BPF_PROG_ATTACH reads.
    #[repr(C)]
    struct Attach {
        target: u32,
        program: u32,
        kind: u32,
        flags: u32,
    }
    const BPF_PROG_ATTACH: libc::c_int = 8;
    const BPF_CGROUP_DEVICE: u32 = 6;
    const BPF_F_ALLOW_MULTI: u32 = 2;
    let attach = Attach {
        target: dir.as_raw_fd().cast_unsigned(),
        program: program.as_raw_fd().cast_unsigned(),
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: `attach` is the layout this command reads, and lives through it.
    unsafe { bpf(BPF_PROG_ATTACH, &attach) }.map(drop)
}

fn load(instructions: &[Instruction]) -> io::Result<OwnedFd> {
    /// The part of `union bpf_attr` that BPF_PROG_LOAD reads.
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
    }
    const BPF_PROG_LOAD: libc::c_int = 5;
    const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
    let license = c"Apache-2.0";
    let load = Load {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        count: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        instructions: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
    };
    // SAFETY: `load` is the layout this command reads; the instructions, as
    // many as it says, and the license outlive the call.
    let fd = unsafe { bpf(BPF_PROG_LOAD, &load) }?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// # Safety
///
/// `attributes` must be what `command` reads, pointers in it valid.
unsafe fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<libc::c_int> {
    // SAFETY: the caller's promise; the size is the structure's.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes as *const T,
            size_of::<T>(),
        )
    };
    match libc::c_int::try_from(result) {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The program that carries rules out.
fn program(rules: &[DeviceRule]) -> Vec<Instruction> {
    let mut all = vec![
        // The context: access and kind in one word, then major and minor.
        instruction(LOAD_WORD, KIND, CONTEXT, 0, 0),
        instruction(AND_32, KIND, 0, 0, 0xffff),
        instruction(LOAD_WORD, ACCESS, CONTEXT, 0, 0),
        instruction(SHIFT_RIGHT_32, ACCESS, 0, 0, 16),
        instruction(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD_WORD, MINOR, CONTEXT, 8, 0),
    ];
    // Backwards, so that the last rule that fits is met first.
    for rule in rules.iter().rev() {
        all.extend(one_rule(rule));
        if rule.fits_all() {
            // The kernel takes no program with a part that is never reached.
            return all;
        }
    }
    all.push(instruction(MOVE, RESULT, 0, 0, 0));
    all.push(instruction(EXIT, 0, 0, 0, 0));
    all
}

/// Decides if the rule fits, else goes on behind it.
fn one_rule(rule: &DeviceRule) -> Vec<Instruction> {
    let mut checks = Vec::new();
    let mut must_be = |register: u8, value: i32| {
        checks.push(instruction(JUMP_NOT_EQUAL, register, 0, 0, value));
    };
    match rule.kind {
        DeviceKind::All => {}
        DeviceKind::Character => must_be(KIND, CHARACTER),
        DeviceKind::Block => must_be(KIND, BLOCK),
    }
    if let Some(major) = rule.major {
        must_be(MAJOR, major.cast_signed());
    }
    if let Some(minor) = rule.minor {
        must_be(MINOR, minor.cast_signed());
    }
    let mut access = 0;
    for (set, bit) in [(rule.read, READ), (rule.write, WRITE), (rule.mknod, MKNOD)] {
        access |= if set { bit } else { 0 };
    }
    if access != READ | WRITE | MKNOD {
        // Allowing fits if all that is asked for is named; forbidding if
        // anything is.
        checks.push(instruction(MOVE_REGISTER, CONTEXT, ACCESS, 0, 0));
        checks.push(instruction(AND_32, CONTEXT, 0, 0, access));
        if rule.allow {
            let same = instruction(JUMP_NOT_EQUAL_REGISTER, CONTEXT, ACCESS, 0, 0);
            checks.push(same);
        } else {
            const JUMP_EQUAL: u8 = 0x15;
            checks.push(instruction(JUMP_EQUAL, CONTEXT, 0, 0, 0));
        }
    }
    checks.push(instruction(MOVE, RESULT, 0, 0, rule.allow.into()));
    checks.push(instruction(EXIT, 0, 0, 0, 0));
    let length = checks.len();
    for (at, check) in checks.iter_mut().enumerate() {
        // All jumps lead behind the rule.
        if matches!(check.code & 0x07, 0x05) && check.code != EXIT {
            check.offset = (length - at - 1) as i16;
        }
    }
    checks
}

fn instruction(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers: from << 4 | to,
        offset,
        immediate,
    }
}
