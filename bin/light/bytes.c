/* Text and bytes: one character per byte. */
#include <stdlib.h>
#include <string.h>

#include "host.h"

#define MOST_BYTES (1 << 30)

/* latin1(bytes, start, end): the text of some bytes */
static JSValue latin1(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct span span;
	int64_t start, end;

	if (!bytes_of(ctx, argv[0], &span) || !integer_of(ctx, argv[1], 0, (int64_t)span.length, &start) ||
	    !integer_of(ctx, argv[2], start, (int64_t)span.length, &end))
		return JS_EXCEPTION;
	return text_from(ctx, span.bytes + start, (size_t)(end - start));
}

/* putLatin1(bytes, at, text): writes a text; returns its number of bytes */
static JSValue put_latin1(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	struct span span;
	int64_t at;
	size_t length;
	const char *utf8;
	ptrdiff_t count;

	if (!JS_IsString(argv[2]))
		return JS_ThrowTypeError(ctx, "not a string");
	utf8 = JS_ToCStringLen(ctx, &length, argv[2]);
	if (!utf8)
		return JS_EXCEPTION;
	if (!bytes_of(ctx, argv[0], &span) || !integer_of(ctx, argv[1], 0, (int64_t)span.length, &at)) {
		JS_FreeCString(ctx, utf8);
		return JS_EXCEPTION;
	}
	count = narrow(span.bytes + at, span.length - (size_t)at, utf8, length);
	JS_FreeCString(ctx, utf8);
	if (count < 0)
		return JS_ThrowRangeError(ctx, "no room for the text, or a character that is no byte");
	return JS_NewInt64(ctx, count);
}

static void free_room(JSRuntime *runtime, void *opaque, void *bytes)
{
	free(bytes);
}

/* room(size): an ArrayBuffer of zeros; it uses memory only where it is written */
static JSValue room(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t size;
	uint8_t *bytes;

	if (!integer_of(ctx, argv[0], 0, MOST_BYTES, &size))
		return JS_EXCEPTION;
	bytes = calloc(1, size > 0 ? (size_t)size : 1);
	if (!bytes)
		return JS_ThrowOutOfMemory(ctx);
	return JS_NewArrayBuffer(ctx, bytes, (size_t)size, free_room, NULL, false);
}

static const JSCFunctionListEntry calls[] = {
	JS_CFUNC_DEF("latin1", 3, latin1),
	JS_CFUNC_DEF("putLatin1", 3, put_latin1),
	JS_CFUNC_DEF("room", 1, room),
};

void add_bytes_calls(JSContext *ctx, JSValueConst host)
{
	JS_SetPropertyFunctionList(ctx, host, calls, sizeof(calls) / sizeof(*calls));
}
