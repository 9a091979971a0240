/* Arguments of the host's calls, checked, and their results. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

bool integer_of(JSContext *ctx, JSValueConst value, int64_t least, int64_t most, int64_t *number)
{
	double given;

	if (!JS_IsNumber(value)) {
		JS_ThrowTypeError(ctx, "not a number");
		return false;
	}
	if (JS_ToFloat64(ctx, &given, value) < 0)
		return false;
	if (!(given >= (double)least && given <= (double)most) || given != trunc(given)) {
		JS_ThrowRangeError(ctx, "not a whole number from %lld to %lld", (long long)least, (long long)most);
		return false;
	}
	*number = (int64_t)given;
	return true;
}

bool descriptor_of(JSContext *ctx, JSValueConst value, int *descriptor)
{
	int64_t number;

	if (!integer_of(ctx, value, 0, INT_MAX, &number))
		return false;
	*descriptor = (int)number;
	return true;
}

bool bytes_of(JSContext *ctx, JSValueConst value, struct span *span)
{
	size_t offset, length, element, size;
	JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &length, &element);
	uint8_t *start;

	if (JS_IsException(buffer))
		return false;
	start = JS_GetArrayBuffer(ctx, &size, buffer);
	JS_FreeValue(ctx, buffer); /* the array still keeps it */
	if (!start && size != 0)
		return false;
	if (element != 1 || offset > size || length > size - offset) {
		JS_ThrowTypeError(ctx, "not an array of bytes");
		return false;
	}
	span->bytes = start + offset;
	span->length = length;
	return true;
}

ptrdiff_t narrow(uint8_t *to, size_t room, const char *utf8, size_t length)
{
	size_t count = 0;

	for (size_t from = 0; from < length; count++) {
		uint8_t byte = (uint8_t)utf8[from++];

		if (byte >= 0x80) {
			if (byte > 0xc3 || from == length)
				return -1;
			byte = (uint8_t)(byte << 6 | ((uint8_t)utf8[from++] & 0x3f));
		}
		if (count == room)
			return -1;
		to[count] = byte;
	}
	return (ptrdiff_t)count;
}

char *text_of(JSContext *ctx, JSValueConst value)
{
	size_t length;
	ptrdiff_t narrowed;
	const char *utf8;
	char *text;

	if (!JS_IsString(value)) {
		JS_ThrowTypeError(ctx, "not a string");
		return NULL;
	}
	utf8 = JS_ToCStringLen(ctx, &length, value);
	if (!utf8)
		return NULL;
	text = js_malloc(ctx, length + 1);
	if (!text) {
		JS_FreeCString(ctx, utf8);
		return NULL;
	}
	narrowed = narrow((uint8_t *)text, length, utf8, length);
	JS_FreeCString(ctx, utf8);
	if (narrowed < 0 || memchr(text, 0, (size_t)narrowed)) {
		js_free(ctx, text);
		JS_ThrowTypeError(ctx, "not a string of bytes without a zero");
		return NULL;
	}
	text[narrowed] = 0;
	return text;
}

char **words_of(JSContext *ctx, JSValueConst value, uint32_t most)
{
	JSValue length = JS_IsArray(ctx, value) == 1 ? JS_GetPropertyStr(ctx, value, "length") : JS_UNDEFINED;
	int64_t count;
	char **words;

	if (JS_IsException(length) || !integer_of(ctx, length, 1, most, &count))
		return NULL; /* a length that is no small number needs no freeing */
	words = js_mallocz(ctx, ((size_t)count + 1) * sizeof(*words));
	for (uint32_t i = 0; words && i < count; i++) {
		JSValue word = JS_GetPropertyUint32(ctx, value, i);

		words[i] = JS_IsException(word) ? NULL : text_of(ctx, word);
		JS_FreeValue(ctx, word);
		if (!words[i]) {
			free_words(ctx, words);
			return NULL;
		}
	}
	return words;
}

void free_words(JSContext *ctx, char **words)
{
	for (char **word = words; *word; word++)
		js_free(ctx, *word);
	js_free(ctx, words);
}

JSValue result_of(JSContext *ctx, int64_t returned)
{
	return JS_NewInt64(ctx, returned == -1 ? -errno : returned);
}

JSValue text_from(JSContext *ctx, const uint8_t *bytes, size_t length)
{
	size_t high = 0, to = 0;
	char *utf8;
	JSValue text;

	for (size_t i = 0; i < length; i++)
		high += bytes[i] >> 7;
	if (high == 0)
		return JS_NewStringLen(ctx, (const char *)bytes, length);
	utf8 = js_malloc(ctx, length + high);
	if (!utf8)
		return JS_EXCEPTION;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < 0x80) {
			utf8[to++] = (char)bytes[i];
		} else {
			utf8[to++] = (char)(0xc0 | bytes[i] >> 6);
			utf8[to++] = (char)(0x80 | (bytes[i] & 0x3f));
		}
	}
	text = JS_NewStringLen(ctx, utf8, to);
	js_free(ctx, utf8);
	return text;
}
