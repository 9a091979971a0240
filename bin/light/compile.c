/*
 * compile [NAME MODULE OUT]...: compiles modules to bytecode, each under the name by which the others import it. Runs
 * at build time.
 */
#include <stdio.h>
#include <stdlib.h>

#include <quickjs/quickjs.h>

/* Reads a file, and appends a zero byte. */
static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size;

	if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
		*length = (size_t)size;
		text = calloc(1, *length + 1);
		if (text && fread(text, 1, *length, file) != *length)
			text = NULL;
	}
	if (!text)
		perror(path);
	if (file)
		fclose(file);
	return text;
}

/* Stands in for imported modules: they are not run, and each is compiled separately. */
static JSModuleDef *imported(JSContext *ctx, const char *name, void *opaque)
{
	return JS_NewCModule(ctx, name, NULL);
}

static int compile(JSContext *ctx, const char *name, const char *path, const char *out)
{
	size_t length, size;
	char *text = read_file(path, &length);
	JSValue module;
	uint8_t *bytes;
	FILE *file;

	if (!text)
		return -1;
	module = JS_Eval(ctx, text, length, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
	free(text);
	if (JS_IsException(module)) {
		fprintf(stderr, "compile: %s: %s\n", path, JS_ToCString(ctx, JS_GetException(ctx)));
		return -1;
	}
	bytes = JS_WriteObject(ctx, &size, module, JS_WRITE_OBJ_BYTECODE);
	file = fopen(out, "wb");
	if (!bytes || !file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(out);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 2 < argc; i += 3) {
		JSRuntime *runtime = JS_NewRuntime();
		JSContext *ctx = JS_NewContext(runtime);

		JS_SetStripInfo(runtime, JS_STRIP_DEBUG);
		JS_SetModuleLoaderFunc(runtime, NULL, imported, NULL);
		if (compile(ctx, argv[i], argv[i + 1], argv[i + 2]) < 0)
			return 1;
	}
	return 0;
}
