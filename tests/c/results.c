/* A Lua C module for LuaJIT: once it is loaded, every C function that Lua calls is called through a 64-bit result, with poison in
 * the registers that a callee may leave in it. A result with a bit above those of an int ends the process.
 *
 * cc -shared -fPIC -O1 -o results.so tests/c/results.c */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct lua_State lua_State;
typedef int (*lua_CFunction)(lua_State *L);

extern void lua_pushlightuserdata(lua_State *L, void *p);
extern void lua_pushnumber(lua_State *L, double n);
extern void lua_pushcclosure(lua_State *L, lua_CFunction f, int n);
extern int luaJIT_setmode(lua_State *L, int index, int mode);

enum { MODE_WRAPCFUNC = 0x10, MODE_ON = 0x100 };

static uint64_t calls;

#ifdef __x86_64__
uint64_t call_poisoned(lua_State *L, lua_CFunction f);
__asm__(".text\n"
        "call_poisoned:\n"
        "  .cfi_startproc\n"
        "  pushq %rbx\n"
        "  .cfi_adjust_cfa_offset 8\n"
        "  .cfi_rel_offset %rbx, 0\n"
        "  movq %rsi, %r11\n"
        "  movq $-1, %rax\n"
        "  movq $-1, %rbx\n"
        "  movq $-1, %rcx\n"
        "  movq $-1, %rdx\n"
        "  movq $-1, %rsi\n"
        "  movq $-1, %r8\n"
        "  movq $-1, %r9\n"
        "  movq $-1, %r10\n"
        "  call *%r11\n"
        "  popq %rbx\n"
        "  .cfi_adjust_cfa_offset -8\n"
        "  ret\n"
        "  .cfi_endproc\n");
#else
static uint64_t call_poisoned(lua_State *L, lua_CFunction f) {
  return ((uint64_t (*)(lua_State *))f)(L);
}
#endif

static int checked(lua_State *L, lua_CFunction f) {
  uint64_t results = call_poisoned(L, f);
  calls++;
  if (results >> 32) {
    Dl_info where = {0};
    dladdr((void *)f, &where);
    fprintf(stderr, "the C function at %p (%s, %s) returned 0x%llx\n", (void *)f, where.dli_fname, where.dli_sname,
            (unsigned long long)results);
    abort();
  }
  return (int)results;
}

static int count(lua_State *L) {
  lua_pushnumber(L, (double)calls);
  return 1;
}

int luaopen_results(lua_State *L) {
  /* When the state closes, LuaJIT unloads C modules before it runs the last finalisers, which are C functions, too. */
  Dl_info self = {0};
  if (!dladdr((void *)checked, &self) || !dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE)) {
    fprintf(stderr, "the module cannot stay loaded\n");
    abort();
  }
  lua_pushlightuserdata(L, (void *)checked);
  if (!luaJIT_setmode(L, -1, MODE_WRAPCFUNC | MODE_ON)) {
    fprintf(stderr, "LuaJIT wraps no C functions here\n");
    abort();
  }
  lua_pushcclosure(L, count, 0);
  return 1;
}
