/* This process, and programs that it runs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define MOST_WORDS 65536
#define MOST_POLLED 1024

extern char **environ;

static int word_count;
static char **words;

void set_command_line(int count, char **given)
{
	word_count = count;
	words = given;
}

/* words(): the command line, with the program's name */
static JSValue host_words(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	JSValue list = JS_NewArray(ctx);

	for (int i = 0; i < word_count && !JS_IsException(list); i++) {
		JSValue word = text_from(ctx, (const uint8_t *)words[i], strlen(words[i]));

		if (JS_IsException(word) || JS_SetPropertyUint32(ctx, list, (uint32_t)i, word) < 0) {
			JS_FreeValue(ctx, list);
			return JS_EXCEPTION;
		}
	}
	return list;
}

/* environment(name): the value of a variable; undefined if it is not set */
static JSValue environment(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char *name = text_of(ctx, argv[0]);
	const char *value;

	if (!name)
		return JS_EXCEPTION;
	value = getenv(name);
	js_free(ctx, name);
	return value ? text_from(ctx, (const uint8_t *)value, strlen(value)) : JS_UNDEFINED;
}

/* hasMoreRightsThanCaller(): whether the file gave the process more rights, by setuid, setgid or capabilities */
static JSValue has_more_rights(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	return JS_NewBool(ctx, getauxval(AT_SECURE) != 0);
}

/* exit(status) */
static JSValue host_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t status;

	if (!integer_of(ctx, argv[0], 0, 255, &status))
		return JS_EXCEPTION;
	exit((int)status);
}

/* exec(path, words): replaces this program with another one; returns -errno on failure */
static JSValue host_exec(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char *path = text_of(ctx, argv[0]);
	char **line = path ? words_of(ctx, argv[1], MOST_WORDS) : NULL;
	JSValue result = JS_EXCEPTION;

	if (line) {
		signal(SIGPIPE, SIG_DFL);
		execv(path, line);
		result = result_of(ctx, -1);
		signal(SIGPIPE, SIG_IGN);
		free_words(ctx, line);
	}
	js_free(ctx, path);
	return result;
}

/*
 * Starts a program with empty standard input. If `output` is not negative, its standard output goes there, and its
 * standard error is discarded. Returns 0 or an errno.
 */
static int spawn(pid_t *process, char **line, int output)
{
	volatile int failure = 0; /* the child runs in this memory until it is another program */

	*process = vfork();
	if (*process == 0) {
		int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (nothing >= 0 && dup2(nothing, 0) == 0 &&
		    (output < 0 || (dup2(output, 1) == 1 && dup2(nothing, 2) == 2))) {
			signal(SIGPIPE, SIG_DFL);
			execv(line[0], line);
		}
		failure = errno;
		_exit(127);
	}
	if (*process < 0)
		return errno;
	if (failure)
		waitpid(*process, NULL, 0);
	return failure;
}

static int wait_for(pid_t process)
{
	int status = 0;

	while (waitpid(process, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* run(words): runs a program to its end; returns its exit status, or -errno if it has none */
static JSValue run(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char **line = words_of(ctx, argv[0], MOST_WORDS);
	pid_t process;
	int failure;

	if (!line)
		return JS_EXCEPTION;
	failure = spawn(&process, line, -1);
	free_words(ctx, line);
	return failure ? JS_NewInt32(ctx, -failure) : result_of(ctx, wait_for(process));
}

/* start(words): starts a program; returns [process, a pipe with its output], or -errno */
static JSValue start(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char **line = words_of(ctx, argv[0], MOST_WORDS);
	pid_t process;
	int failure, pipe[2];
	JSValue both;

	if (!line)
		return JS_EXCEPTION;
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		failure = errno;
		free_words(ctx, line);
		return JS_NewInt32(ctx, -failure);
	}
	failure = spawn(&process, line, pipe[1]);
	free_words(ctx, line);
	close(pipe[1]);
	if (failure) {
		close(pipe[0]);
		return JS_NewInt32(ctx, -failure);
	}
	both = JS_NewArray(ctx);
	if (JS_IsException(both) || JS_SetPropertyUint32(ctx, both, 0, JS_NewInt32(ctx, process)) < 0 ||
	    JS_SetPropertyUint32(ctx, both, 1, JS_NewInt32(ctx, pipe[0])) < 0)
		return JS_EXCEPTION;
	return both;
}

/* wait(process): waits for its end; returns its exit status, or -errno */
static JSValue host_wait(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t process;

	if (!integer_of(ctx, argv[0], 1, INT_MAX, &process))
		return JS_EXCEPTION;
	return result_of(ctx, wait_for((pid_t)process));
}

/*
 * poll(descriptors, milliseconds): waits until one of them can be read, or the time is over; a negative time has no
 * limit. Returns the index of the first readable one, or -1.
 */
static JSValue host_poll(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct pollfd polled[MOST_POLLED];
	JSValue length = JS_IsArray(ctx, argv[0]) == 1 ? JS_GetPropertyStr(ctx, argv[0], "length") : JS_UNDEFINED;
	int64_t count, milliseconds;

	if (JS_IsException(length) || !integer_of(ctx, length, 0, MOST_POLLED, &count) ||
	    !integer_of(ctx, argv[1], -1, INT_MAX, &milliseconds))
		return JS_EXCEPTION;
	for (uint32_t i = 0; i < count; i++) {
		JSValue value = JS_GetPropertyUint32(ctx, argv[0], i);
		bool right = !JS_IsException(value) && descriptor_of(ctx, value, &polled[i].fd);

		JS_FreeValue(ctx, value);
		if (!right)
			return JS_EXCEPTION;
		polled[i].events = POLLIN;
		polled[i].revents = 0;
	}
	if (poll(polled, (nfds_t)count, (int)milliseconds) > 0)
		for (int i = 0; i < count; i++)
			if (polled[i].revents != 0)
				return JS_NewInt32(ctx, i);
	return JS_NewInt32(ctx, -1);
}

static const JSCFunctionListEntry calls[] = {
	JS_CFUNC_DEF("words", 0, host_words),
	JS_CFUNC_DEF("environment", 1, environment),
	JS_CFUNC_DEF("hasMoreRightsThanCaller", 0, has_more_rights),
	JS_CFUNC_DEF("exit", 1, host_exit),
	JS_CFUNC_DEF("exec", 2, host_exec),
	JS_CFUNC_DEF("run", 1, run),
	JS_CFUNC_DEF("start", 1, start),
	JS_CFUNC_DEF("wait", 1, host_wait),
	JS_CFUNC_DEF("poll", 2, host_poll),
};

void add_process_calls(JSContext *ctx, JSValueConst host)
{
	JS_SetPropertyFunctionList(ctx, host, calls, sizeof(calls) / sizeof(*calls));
}
