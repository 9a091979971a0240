/*
 * Runs in the full executable before its runtime starts, without the C library. Bun reads settings from more than a
 * hundred environment variables; some of them run other code or write files. This code removes every variable that
 * ipvsadm does not use. It also reports conditions under which the runtime would crash.
 *
 * add-entry.ts puts it into the executable as the segment where the program starts. Before that, the dynamic loader has
 * handled its own variables (LD_*).
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The address where the runtime starts, which add-entry.ts gives to the linker. Tests read it at the start of the segment. */
extern void runtime_start(void);
__attribute__((section(".runtime"), used)) static void (*const runtime)(void) = runtime_start;

/* On both processors, the entry point gets the stack pointer, and in a register a function that the C library calls at exit. */
#if defined(__x86_64__)
__asm__(".section .entry,\"ax\"\n"
	".globl entry\n"
	"entry:\n"
	"	push %rdx\n"
	"	lea 8(%rsp), %rdi\n"
	"	sub $8, %rsp\n" /* a call needs a stack that is aligned to 16 bytes */
	"	call prepare\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	jmp runtime_start\n"
	".text\n");

static long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
__asm__(".section .entry,\"ax\"\n"
	".globl entry\n"
	"entry:\n"
	"	stp x0, x30, [sp, #-16]!\n"
	"	add x0, sp, #16\n"
	"	bl prepare\n"
	"	ldp x0, x30, [sp], #16\n"
	"	adrp x16, runtime_start\n"
	"	add x16, x16, :lo12:runtime_start\n"
	"	br x16\n"
	".text\n");

static long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "the full executable is for x86_64 and aarch64"
#endif

/*
 * The variables that are kept. A name that ends in an underscore means all names that begin with it. The last three are
 * for the resolver of the C library, which the original program also uses.
 */
#define KEPT(name) {name, sizeof(name) - 1}
static const struct {
	char name[16];
	size_t length;
} kept[] = {
	KEPT("COLORFGBG"), KEPT("COLORTERM"), KEPT("COLUMNS"), KEPT("IPVSADM_"), KEPT("LANG"), KEPT("LC_"),
	KEPT("NOTIFY_SOCKET"), KEPT("NO_COLOR"), KEPT("PATH"), KEPT("SUDO_USER"), KEPT("TERM"), KEPT("TZ"), KEPT("USER"),
	KEPT("WATCHDOG_USEC"),
	KEPT("HOSTALIASES"), KEPT("LOCALDOMAIN"), KEPT("RES_OPTIONS"),
};

/* The search path of a process that has more rights than its caller. */
static const char safe_path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int begins_with(const char *text, const char *start, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != start[i])
			return 0;
	return 1;
}

static int is_kept(const char *variable)
{
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		size_t length = kept[i].length;
		if (begins_with(variable, kept[i].name, length) &&
		    (kept[i].name[length - 1] == '_' || variable[length] == '='))
			return 1;
	}
	return 0;
}

/* Also overwrites what it removes, so /proc/self/environ no longer shows it. */
static void clear_environment(char **environment, int has_more_rights)
{
	char **next = environment;
	for (char **at = environment; *at != NULL; at++) {
		if (!is_kept(*at)) {
			for (volatile char *c = *at; *c != '\0'; c++)
				*c = '\0';
			continue;
		}
		*next++ = has_more_rights && begins_with(*at, safe_path, sizeof "PATH=" - 1) ? (char *)safe_path : *at;
	}
	while (*next != NULL)
		*next++ = NULL;
}

#define STDERR 2
#define CANNOT_RUN 3

static void __attribute__((noreturn)) fail(const char *message, size_t length)
{
	system_call(SYS_write, STDERR, (long)message, (long)length, 0, 0, 0);
	for (;;)
		system_call(SYS_exit_group, CANNOT_RUN, 0, 0, 0, 0, 0);
}
#define FAIL(message) fail("ipvsadm: " message "\n", sizeof("ipvsadm: " message "\n") - 1)

/* The runtime compiles code into memory that it makes executable, and reserves address space for its heap. */
static void check_memory(void)
{
	struct rlimit limit;
	if (system_call(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit, 0, 0) == 0 && limit.rlim_cur < (rlim_t)3 << 30)
		FAIL("the full program needs 3 GB of address space: raise the limit (ulimit -v, LimitAS=), "
		     "or run it on Node.js, which needs 1.5 GB");
	const long size = 4096;
	long memory = system_call(SYS_mmap, 0, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory < 0 && memory > -4096)
		FAIL("the full program needs executable memory: allow it (MemoryDenyWriteExecute=no), "
		     "or run it on Node.js with NODE_OPTIONS=--jitless");
	system_call(SYS_munmap, memory, size, 0, 0, 0, 0);
}

/* Called with the stack as the kernel made it: argc, the arguments, NULL, the environment, NULL, the auxiliary vector. */
__attribute__((used)) void prepare(uintptr_t *stack)
{
	char **environment = (char **)(stack + 1 + stack[0] + 1);
	char **end = environment;
	while (*end != NULL)
		end++;
	int has_more_rights = 1;
	for (const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++)
		if (entry->a_type == AT_SECURE)
			has_more_rights = entry->a_un.a_val != 0;
	clear_environment(environment, has_more_rights);
	check_memory();
}
