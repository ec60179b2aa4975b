/* Both ends of a call as the machine has it, for tests/x86_shims.rs: what a call shim calls, and what calls a callback. They keep
   to no convention: every register and stack word is in `machine`, before or after. */

struct machine {
    unsigned eax, ecx, edx;            /* 0: at the call */
    unsigned esp;                      /* 12: above the return address */
    unsigned words[64];                /* 16: from there on */
    unsigned result_eax, result_edx;   /* 272: at the return */
    unsigned popped;                   /* 280: bytes, the return address not counted */
    unsigned x87;                      /* 284: whether the result is in st0 */
    unsigned char st0[12];             /* 288 */
    unsigned back;                     /* 300 */
    unsigned kept;                     /* 304: whether ebx, esi, edi, ebp and esp are what they were */
    unsigned count;                    /* 308: words to push; calls that were made */
    unsigned target;                   /* 312 */
    unsigned expected;                 /* 316: ESP after a call shim */
    unsigned saved;                    /* 320 */
    unsigned room;                     /* 324: bytes above the call, because `callee` notes 64 words; decides the alignment */
} machine;

/* What a callback's dispatcher saw, and what it answers. */
struct dispatched {
    unsigned size, result, result_size;
    unsigned slot, aligned;
    unsigned char frame[1024], answer[256];
} dispatched;

unsigned char hidden[256];

void dispatch(void *slot, unsigned char *frame) {
    unsigned i;
    machine.count++;
    dispatched.slot = (unsigned)slot;
    /* Above the saved ebp and the return address. */
    dispatched.aligned = ((unsigned)__builtin_frame_address(0) + 8) % 16 == 0 && (unsigned)frame % 16 == 0;
    for (i = 0; i < dispatched.size; i++) dispatched.frame[i] = frame[i];
    for (i = 0; i < dispatched.result_size; i++) frame[dispatched.result + i] = dispatched.answer[i];
}

__asm__(
    ".text\n"
    ".globl callee, shim_call, callback_call\n"

    /* Notes how it was called, and returns as it is told. */
    "callee:\n"
    "mov %eax, machine; mov %ecx, machine+4; mov %edx, machine+8\n"
    "lea 4(%esp), %eax; mov %eax, machine+12; incl machine+308\n"
    "push %esi; push %edi\n"
    "lea 12(%esp), %esi; mov $machine+16, %edi; mov $64, %ecx; rep movsl\n"
    "pop %edi; pop %esi\n"
    "pop machine+300; add machine+280, %esp\n"
    "cmpl $0, machine+284; je 1f; fldt machine+288; 1:\n"
    "mov machine+272, %eax; mov machine+276, %edx; mov $0xDEADBEEF, %ecx\n"
    "jmp *machine+300\n"

    /* Nothing of an earlier call is left below the stack. */
    ".macro begin\n"
    "push %ebp; push %ebx; push %esi; push %edi; mov %esp, machine+320\n"
    "sub machine+324, %esp\n"
    "lea -4096(%esp), %edi; mov $1024, %ecx; mov $0xCCCCCCCC, %eax; rep stosl\n"
    ".endm\n"
    ".macro magic\n"
    "mov $0x11111111, %ebx; mov $0x22222222, %esi; mov $0x33333333, %edi; mov $0x44444444, %ebp\n"
    ".endm\n"
    /* ECX: what ESP should be. */
    ".macro look\n"
    "movl $0, machine+304\n"
    "cmp %ecx, %esp; jne 9f; cmp $0x11111111, %ebx; jne 9f; cmp $0x22222222, %esi; jne 9f\n"
    "cmp $0x33333333, %edi; jne 9f; cmp $0x44444444, %ebp; jne 9f\n"
    "movl $1, machine+304\n"
    "9: mov machine+320, %esp; pop %edi; pop %esi; pop %ebx; pop %ebp\n"
    ".endm\n"

    /* unsigned shim_call(void *shim, void *target, void *frame) */
    "shim_call:\n"
    "begin\n"
    "mov machine+320, %ebx; mov 20(%ebx), %eax; mov 24(%ebx), %ecx; mov 28(%ebx), %edx\n"
    "push %edx; push %ecx\n"
    "mov %esp, machine+316\n"
    "magic\n"
    "call *%eax\n"
    "mov machine+316, %ecx\n"
    "look\n"
    "ret\n"

    /* void callback_call(void): calls machine.target */
    "callback_call:\n"
    "begin\n"
    "mov machine+308, %ecx; mov $machine+16, %esi\n"
    "1: test %ecx, %ecx; jz 2f; dec %ecx; push (%esi,%ecx,4); jmp 1b\n"
    "2: movl $0, machine+308\n"
    "mov %esp, machine+12\n"
    "mov machine, %eax; mov machine+4, %ecx; mov machine+8, %edx\n"
    "magic\n"
    "call *machine+312\n"
    "mov %eax, machine+272; mov %edx, machine+276\n"
    "mov machine+12, %ecx; add machine+280, %ecx\n"
    "cmpl $0, machine+284; je 3f; fstpt machine+288; 3:\n"
    "look\n"
    "ret\n");
