/* Open files, and the clock. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

/* open(path): opens a file for reading */
static JSValue host_open(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char *path = text_of(ctx, argv[0]);
	JSValue result;

	if (!path)
		return JS_EXCEPTION;
	result = result_of(ctx, open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
	js_free(ctx, path);
	return result;
}

/* close(descriptor) */
static JSValue host_close(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;

	if (!descriptor_of(ctx, argv[0], &descriptor))
		return JS_EXCEPTION;
	return result_of(ctx, close(descriptor));
}

/* read(descriptor, bytes) */
static JSValue host_read(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;
	struct span span;

	if (!descriptor_of(ctx, argv[0], &descriptor) || !bytes_of(ctx, argv[1], &span))
		return JS_EXCEPTION;
	return result_of(ctx, read(descriptor, span.bytes, span.length));
}

/* write(descriptor, bytes) */
static JSValue host_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;
	struct span span;

	if (!descriptor_of(ctx, argv[0], &descriptor) || !bytes_of(ctx, argv[1], &span))
		return JS_EXCEPTION;
	return result_of(ctx, write(descriptor, span.bytes, span.length));
}

/* fileSize(descriptor): the length of a regular file; -ESPIPE for others */
static JSValue file_size(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;
	struct stat status;

	if (!descriptor_of(ctx, argv[0], &descriptor))
		return JS_EXCEPTION;
	if (fstat(descriptor, &status) < 0)
		return result_of(ctx, -1);
	return JS_NewInt64(ctx, S_ISREG(status.st_mode) ? status.st_size : -ESPIPE);
}

/* isTerminal(descriptor) */
static JSValue is_terminal(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;

	if (!descriptor_of(ctx, argv[0], &descriptor))
		return JS_EXCEPTION;
	return JS_NewBool(ctx, isatty(descriptor));
}

/* readLink(path): where a symbolic link leads, or -errno */
static JSValue read_link(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	char *path = text_of(ctx, argv[0]);
	uint8_t target[4096];
	ssize_t length;
	JSValue failure;

	if (!path)
		return JS_EXCEPTION;
	length = readlink(path, (char *)target, sizeof(target));
	failure = result_of(ctx, length);
	js_free(ctx, path);
	return length < 0 ? failure : text_from(ctx, target, (size_t)length);
}

/* now(): milliseconds on a monotonic clock */
static JSValue now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return JS_NewFloat64(ctx, (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6);
}

static const JSCFunctionListEntry calls[] = {
	JS_CFUNC_DEF("open", 1, host_open),
	JS_CFUNC_DEF("close", 1, host_close),
	JS_CFUNC_DEF("read", 2, host_read),
	JS_CFUNC_DEF("write", 2, host_write),
	JS_CFUNC_DEF("fileSize", 1, file_size),
	JS_CFUNC_DEF("isTerminal", 1, is_terminal),
	JS_CFUNC_DEF("readLink", 1, read_link),
	JS_CFUNC_DEF("now", 0, now),
};

void add_file_calls(JSContext *ctx, JSValueConst host)
{
	JS_SetPropertyFunctionList(ctx, host, calls, sizeof(calls) / sizeof(*calls));
}
