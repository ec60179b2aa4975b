//! Names that programs expect without declaring them (`off_t`, `DWORD`), and their declarations in the target's headers.

use super::Table;
use crate::target::DataModel;

/// Types of one definition: on Linux, on Apple's systems, on Windows. Nothing where a system has none.
type Row = (&'static str, [&'static str; 3]);

/// The rows for the names of POSIX and of Linux.
static POSIX: [Row; 22] = [
    ("off_t", ["long", "long long", "long"]),
    ("off64_t loff_t quad_t", ["long long", "", "long long"]),
    ("pid_t", ["int", "int", "long long"]),
    ("uid_t gid_t id_t useconds_t", ["unsigned int", "unsigned int", "unsigned int"]),
    ("mode_t", ["unsigned int", "unsigned short", "unsigned short"]),
    ("time_t", ["long", "long", "long long"]),
    ("clock_t", ["long", "unsigned long", "long"]),
    ("suseconds_t", ["long", "int", ""]),
    ("dev_t", ["unsigned long", "int", "unsigned int"]),
    ("ino_t", ["unsigned long", "unsigned long long", "unsigned short"]),
    ("nlink_t", ["unsigned int", "unsigned short", ""]),
    ("blksize_t", ["int", "int", ""]),
    ("blkcnt_t", ["long", "long long", ""]),
    ("socklen_t", ["unsigned int", "unsigned int", "int"]),
    ("in_addr_t", ["unsigned int", "unsigned int", ""]),
    ("in_port_t", ["unsigned short", "unsigned short", ""]),
    ("sa_family_t", ["unsigned short", "unsigned char", ""]),
    ("clockid_t", ["int", "unsigned int", "int"]),
    ("key_t", ["int", "int", ""]),
    ("pthread_t", ["unsigned long", "struct _opaque_pthread_t *", ""]),
    ("wint_t", ["unsigned int", "int", "unsigned short"]),
    ("locale_t", ["struct __locale_struct *", "struct _xlocale *", ""]),
];

/// The rows for names that are one type everywhere, or two: on Windows another.
static COMMON: [Row; 33] = [
    ("FILE", ["struct _IO_FILE", "struct __sFILE", "struct _iobuf"]),
    ("DIR", ["struct __dirstream", "struct _dirdesc", ""]),
    ("lua_State", ["struct lua_State"; 3]),
    ("u_char u8 __u8 u_int8_t uchar", ["unsigned char"; 3]),
    ("u_short u16 __u16 u_int16_t ushort", ["unsigned short"; 3]),
    ("u_int u32 __u32 u_int32_t uint", ["unsigned int"; 3]),
    ("u64 __u64 u_int64_t", ["unsigned long long"; 3]),
    ("s8 __s8", ["signed char"; 3]),
    ("s16 __s16", ["short"; 3]),
    ("s32 __s32", ["int"; 3]),
    ("s64 __s64", ["long long"; 3]),
    ("u_long ulong", ["unsigned long"; 3]),
    ("errno_t gint gboolean gint32", ["int"; 3]),
    ("guint guint32", ["unsigned int"; 3]),
    ("gchar", ["char"; 3]),
    ("gpointer", ["void *"; 3]),
    ("gsize", ["size_t"; 3]),
    ("BYTE BOOLEAN UCHAR", ["unsigned char"; 3]),
    ("WORD USHORT ATOM", ["unsigned short"; 3]),
    ("DWORD ULONG", ["unsigned int", "unsigned int", "unsigned long"]),
    ("LONG HRESULT NTSTATUS", ["int", "int", "long"]),
    ("BOOL INT", ["int"; 3]),
    ("UINT", ["unsigned int"; 3]),
    ("LONGLONG", ["long long"; 3]),
    ("ULONGLONG DWORD64 DWORDLONG", ["unsigned long long"; 3]),
    ("SIZE_T ULONG_PTR UINT_PTR DWORD_PTR WPARAM SOCKET", ["size_t"; 3]),
    ("LONG_PTR INT_PTR SSIZE_T LPARAM LRESULT", ["ptrdiff_t"; 3]),
    ("HANDLE HWND HINSTANCE HMODULE HDC HKEY HICON HMENU PVOID LPVOID", ["void *"; 3]),
    ("LPCVOID", ["const void *"; 3]),
    ("LPSTR PSTR", ["char *"; 3]),
    ("LPCSTR PCSTR", ["const char *"; 3]),
    ("LPWSTR PWSTR", ["wchar_t *"; 3]),
    ("LPCWSTR PCWSTR", ["const wchar_t *"; 3]),
];

/// The declarations that differ between the processors of one system.
fn of_processor(model: &DataModel, name: &str) -> Option<&'static str> {
    let linux64 = matches!(model.name, "x86_64-sysv" | "aarch64-sysv" | "riscv64");
    Some(match (name, model.name) {
        ("off64_t" | "loff_t" | "quad_t", _) if linux64 => "long",
        ("nlink_t", "x86_64-sysv") => "unsigned long",
        ("blksize_t", "x86_64-sysv" | "i686-sysv") => "long",
        ("dev_t", "i686-sysv") => "unsigned long long",
        ("pid_t", "i686-mingw" | "i686-gnullvm" | "i686-msvc") => "int",
        ("time_t", "i686-mingw" | "i686-gnullvm") => "long",
        _ => return None,
    })
}

/// The tags that programs expect.
static TAGS: [(&str, &str); 5] = [
    ("sockaddr", "struct sockaddr { unsigned short sa_family; char sa_data[14]; };"),
    ("timeval", "struct timeval { long tv_sec, tv_usec; };"),
    ("timespec", "struct timespec { long tv_sec, tv_nsec; };"),
    ("in_addr", "struct in_addr { unsigned int s_addr; };"),
    ("pollfd", "struct pollfd { int fd; short events, revents; };"),
];

/// The declaration that makes a name a type, as the target's headers have it.
pub(super) fn typedef(table: &Table, name: &str) -> Option<String> {
    let model = table.model();
    let windows = model.bit_fields == crate::target::BitFieldRule::Ms;
    let system = if windows { 2 } else { usize::from(model.name.ends_with("apple")) };
    let row = |row: &&Row| row.0.split(' ').any(|other| other == name);
    let row = POSIX.iter().chain(&COMMON).find(row)?;
    let ty = of_processor(model, name).unwrap_or(row.1[system]);
    let space = if ty.ends_with('*') { "" } else { " " };
    (!ty.is_empty()).then(|| format!("typedef {ty}{space}{name};"))
}

/// The declaration of a struct with this tag on Linux with 64 bits.
pub(super) fn tag(table: &Table, name: &str) -> Option<&'static str> {
    let linux = matches!(table.model().name, "x86_64-sysv" | "aarch64-sysv" | "riscv64");
    TAGS.iter().find(|tag| linux && tag.0 == name).map(|tag| tag.1)
}
