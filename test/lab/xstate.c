/*
 * A library for LD_PRELOAD that makes User-Mode Linux work on CPUs with a large register state.
 *
 * User-Mode Linux saves and restores the extended registers of its processes with PTRACE_GETREGSET
 * and PTRACE_SETREGSET of NT_X86_XSTATE. Its buffer has a size fixed at build time. The host's
 * kernel accepts a state only in the full size of this CPU (about 11 KiB with AMX), and returns
 * EFAULT otherwise. The guest then stops: "ptrace set fp regs failed". This library keeps the full
 * state and gives the guest only the beginning that fits its buffer.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The word of the XSAVE header that lists the components that are not in their initial state. */
enum { PRESENT_COMPONENTS = 512 };
/* Tile configuration and tile data, which no guest process uses. */
static const uint64_t AMX = 3ULL << 17;

static unsigned char full[65536] __attribute__((aligned(64)));

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static long read_state(pid_t pid, void *type, struct iovec *guest)
{
	struct iovec whole = { full, sizeof full };
	long result = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, type, &whole);

	if (result == 0) {
		guest->iov_len = smaller(whole.iov_len, guest->iov_len);
		memcpy(guest->iov_base, full, guest->iov_len);
	}
	return result;
}

static long write_state(pid_t pid, void *type, const struct iovec *guest)
{
	struct iovec whole = { full, sizeof full };
	uint64_t present;
	size_t known;
	long result = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, type, &whole);

	if (result != 0)
		return result;
	known = smaller(whole.iov_len, guest->iov_len);
	memcpy(full, guest->iov_base, known);
	memset(full + known, 0, whole.iov_len - known);
	memcpy(&present, full + PRESENT_COMPONENTS, sizeof present);
	present &= ~AMX;
	memcpy(full + PRESENT_COMPONENTS, &present, sizeof present);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, type, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	pid_t pid;
	void *address, *data;

	va_start(arguments, request);
	pid = va_arg(arguments, pid_t);
	address = va_arg(arguments, void *);
	data = va_arg(arguments, void *);
	va_end(arguments);

	if ((uintptr_t)address == NT_X86_XSTATE && request == PTRACE_GETREGSET)
		return read_state(pid, address, data);
	if ((uintptr_t)address == NT_X86_XSTATE && request == PTRACE_SETREGSET)
		return write_state(pid, address, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA ||
	    request == PTRACE_PEEKUSER) {
		/* Where the C library's function returns the word, the system call stores it. */
		long word = 0;
		long result = syscall(SYS_ptrace, request, pid, address, &word);

		if (result == 0)
			errno = 0;
		return result == 0 ? word : result;
	}
	return syscall(SYS_ptrace, request, pid, address, data);
}
