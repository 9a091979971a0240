/*
 * A library for LD_PRELOAD that makes a program fail at one of its steps. Steps are the system calls with an effect: sends,
 * and calls that change files.
 *
 *   FAULT_STEP     number of the step, from 0
 *   FAULT_SIGNAL   number of the signal that the program gets before this step
 *   FAULT_AFTER    if set, the signal comes after the step
 *   FAULT_ERRNO    instead of a signal: this step fails with the errno
 *   FAULT_LOSE     instead of all that: datagrams are taken and never sent
 *   FAULT_TIMEOUT  seconds that replace the time to wait for a datagram
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static long step;

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

/* Returns whether this step has to fail with errno. */
static int before(int *is_it)
{
	*is_it = __atomic_fetch_add(&step, 1, __ATOMIC_SEQ_CST) == number("FAULT_STEP", -1);
	if (!*is_it)
		return 0;
	if (getenv("FAULT_ERRNO")) {
		errno = (int)number("FAULT_ERRNO", EIO);
		return 1;
	}
	if (!getenv("FAULT_AFTER"))
		kill(getpid(), (int)number("FAULT_SIGNAL", SIGKILL));
	return 0;
}

static void after(int is_it)
{
	int kept = errno;

	if (is_it && getenv("FAULT_AFTER"))
		kill(getpid(), (int)number("FAULT_SIGNAL", SIGKILL));
	errno = kept;
}

static int is_file(int descriptor)
{
	struct stat found;

	return descriptor > 2 && fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

static int is_netlink(int descriptor)
{
	int domain = 0;
	socklen_t length = sizeof(domain);

	return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_NETLINK;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define STEP(type, call)                       \
	do {                                   \
		int is_it;                     \
		type result;                   \
		if (before(&is_it))            \
			return -1;             \
		result = call;                 \
		after(is_it);                  \
		return result;                 \
	} while (0)

ssize_t send(int descriptor, const void *bytes, size_t length, int flags)
{
	if (is_netlink(descriptor)) {
		if (getenv("FAULT_LOSE"))
			return (ssize_t)length;
		STEP(ssize_t, REAL(send)(descriptor, bytes, length, flags));
	}
	return REAL(send)(descriptor, bytes, length, flags);
}

ssize_t sendto(int descriptor, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size)
{
	if (is_netlink(descriptor)) {
		if (getenv("FAULT_LOSE"))
			return (ssize_t)length;
		STEP(ssize_t, REAL(sendto)(descriptor, bytes, length, flags, to, size));
	}
	return REAL(sendto)(descriptor, bytes, length, flags, to, size);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
	if (is_netlink(descriptor)) {
		if (getenv("FAULT_LOSE")) {
			ssize_t length = 0;

			for (size_t i = 0; i < message->msg_iovlen; i++)
				length += (ssize_t)message->msg_iov[i].iov_len;
			return length;
		}
		STEP(ssize_t, REAL(sendmsg)(descriptor, message, flags));
	}
	return REAL(sendmsg)(descriptor, message, flags);
}

int setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
	struct timeval time = { .tv_sec = number("FAULT_TIMEOUT", 0) };

	if (level == SOL_SOCKET && name == SO_RCVTIMEO && time.tv_sec > 0)
		return REAL(setsockopt)(descriptor, level, name, &time, sizeof(time));
	return REAL(setsockopt)(descriptor, level, name, value, length);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
	if (is_file(descriptor))
		STEP(ssize_t, REAL(write)(descriptor, bytes, length));
	return REAL(write)(descriptor, bytes, length);
}

int fsync(int descriptor)
{
	STEP(int, REAL(fsync)(descriptor));
}

int rename(const char *from, const char *to)
{
	STEP(int, REAL(rename)(from, to));
}

int link(const char *from, const char *to)
{
	STEP(int, REAL(link)(from, to));
}

int unlink(const char *path)
{
	STEP(int, REAL(unlink)(path));
}

int mkdir(const char *path, mode_t mode)
{
	STEP(int, REAL(mkdir)(path, mode));
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode;

	va_start(rest, flags);
	mode = va_arg(rest, mode_t);
	va_end(rest);
	if (flags & O_CREAT)
		STEP(int, REAL(open)(path, flags, mode));
	return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode;

	va_start(rest, flags);
	mode = va_arg(rest, mode_t);
	va_end(rest);
	if (flags & O_CREAT)
		STEP(int, REAL(open64)(path, flags, mode));
	return REAL(open64)(path, flags, mode);
}
