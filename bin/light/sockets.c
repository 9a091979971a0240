/* Sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "host.h"

#define MOST_DATAGRAMS 64

/* socket(family, type, protocol): opens a socket; started programs do not inherit it */
static JSValue host_socket(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t family, type, protocol;

	if (!integer_of(ctx, argv[0], 0, INT_MAX, &family) || !integer_of(ctx, argv[1], 0, INT_MAX, &type) ||
	    !integer_of(ctx, argv[2], 0, INT_MAX, &protocol))
		return JS_EXCEPTION;
	return result_of(ctx, socket((int)family, (int)type | SOCK_CLOEXEC, (int)protocol));
}

/* connect(socket, address): the address is a struct sockaddr */
static JSValue host_connect(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;
	struct span address;
	struct sockaddr_storage aligned = { 0 };

	if (!descriptor_of(ctx, argv[0], &descriptor) || !bytes_of(ctx, argv[1], &address))
		return JS_EXCEPTION;
	if (address.length > sizeof(aligned))
		return JS_ThrowRangeError(ctx, "too long for an address");
	memcpy(&aligned, address.bytes, address.length);
	return result_of(ctx, connect(descriptor, (struct sockaddr *)&aligned, (socklen_t)address.length));
}

/* setOption(socket, level, name, value): a time is in seconds */
static JSValue set_option(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor, value;
	int64_t level, name, number;

	if (!descriptor_of(ctx, argv[0], &descriptor) || !integer_of(ctx, argv[1], 0, INT_MAX, &level) ||
	    !integer_of(ctx, argv[2], 0, INT_MAX, &name) || !integer_of(ctx, argv[3], INT_MIN, INT_MAX, &number))
		return JS_EXCEPTION;
	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
		struct timeval time = { .tv_sec = number };

		return result_of(ctx, setsockopt(descriptor, SOL_SOCKET, (int)name, &time, sizeof(time)));
	}
	value = (int)number;
	return result_of(ctx, setsockopt(descriptor, (int)level, (int)name, &value, sizeof(value)));
}

/* option(socket, level, name): the value, or -errno */
static JSValue option(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor, value = 0;
	int64_t level, name;
	socklen_t length = sizeof(value);

	if (!descriptor_of(ctx, argv[0], &descriptor) || !integer_of(ctx, argv[1], 0, INT_MAX, &level) ||
	    !integer_of(ctx, argv[2], 0, INT_MAX, &name))
		return JS_EXCEPTION;
	if (getsockopt(descriptor, (int)level, (int)name, &value, &length) < 0)
		return result_of(ctx, -1);
	return JS_NewInt32(ctx, value);
}

/* send(socket, datagram) */
static JSValue host_send(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor;
	struct span datagram;

	if (!descriptor_of(ctx, argv[0], &descriptor) || !bytes_of(ctx, argv[1], &datagram))
		return JS_EXCEPTION;
	return result_of(ctx, send(descriptor, datagram.bytes, datagram.length, 0));
}

/*
 * receive(socket, bytes, lengths, flags): receives all datagrams that are queued and fit: `bytes` is divided into equal
 * parts, one for each element of the Int32Array `lengths`. Each element becomes the length of its datagram, or -1 if the
 * datagram was truncated. Returns the number of datagrams, or -errno.
 */
static JSValue receive(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int descriptor, count;
	struct span bytes;
	size_t offset, size, element, places, part;
	int64_t flags;
	JSValue buffer;
	uint8_t *start;
	struct mmsghdr headers[MOST_DATAGRAMS];
	struct iovec vectors[MOST_DATAGRAMS];

	if (!descriptor_of(ctx, argv[0], &descriptor) || !bytes_of(ctx, argv[1], &bytes) ||
	    !integer_of(ctx, argv[3], 0, INT_MAX, &flags))
		return JS_EXCEPTION;
	buffer = JS_GetTypedArrayBuffer(ctx, argv[2], &offset, &size, &element);
	if (JS_IsException(buffer))
		return JS_EXCEPTION;
	start = JS_GetArrayBuffer(ctx, &places, buffer);
	JS_FreeValue(ctx, buffer);
	if (!start && places != 0)
		return JS_EXCEPTION;
	if (element != sizeof(int32_t) || offset > places || size > places - offset)
		return JS_ThrowTypeError(ctx, "not an Int32Array");
	places = size / sizeof(int32_t);
	if (places < 1 || places > MOST_DATAGRAMS || bytes.length < places)
		return JS_ThrowRangeError(ctx, "not 1 to %d datagrams with room for each", MOST_DATAGRAMS);
	part = bytes.length / places;
	memset(headers, 0, places * sizeof(*headers));
	for (size_t i = 0; i < places; i++) {
		vectors[i].iov_base = bytes.bytes + i * part;
		vectors[i].iov_len = part;
		headers[i].msg_hdr.msg_iov = &vectors[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(descriptor, headers, (unsigned int)places, (int)flags, NULL);
	if (count < 0)
		return result_of(ctx, -1);
	for (int i = 0; i < count; i++) {
		int32_t length = headers[i].msg_hdr.msg_flags & MSG_TRUNC ? -1 : (int32_t)headers[i].msg_len;

		memcpy(start + offset + (size_t)i * sizeof(length), &length, sizeof(length));
	}
	return JS_NewInt32(ctx, count);
}

static const JSCFunctionListEntry calls[] = {
	JS_CFUNC_DEF("socket", 3, host_socket),
	JS_CFUNC_DEF("connect", 2, host_connect),
	JS_CFUNC_DEF("setOption", 4, set_option),
	JS_CFUNC_DEF("option", 3, option),
	JS_CFUNC_DEF("send", 2, host_send),
	JS_CFUNC_DEF("receive", 4, receive),
};

void add_socket_calls(JSContext *ctx, JSValueConst host)
{
	JS_SetPropertyFunctionList(ctx, host, calls, sizeof(calls) / sizeof(*calls));
}
