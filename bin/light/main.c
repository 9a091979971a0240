/* Runs the bytecode of the program until nothing is left to do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

/* The modules of the program; the first one is the entry point. bin/build-light makes the table. */
struct module {
	const char *name;
	const uint8_t *start, *end;
};
extern const struct module modules[];
extern const size_t module_count;

/* The exit status after an uncaught error, as on Node.js. */
#define FAILED 1

/* The garbage collector starts when this much has been allocated. A command creates few cycles. */
#define COLLECT_FROM_BYTES (16 << 20)

/* Opens missing standard streams to /dev/null, so that no socket gets their descriptors. */
static void open_streams(void)
{
	for (int descriptor = 0; descriptor <= 2; descriptor++)
		if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0)
			exit(FAILED);
}

/* Prints an uncaught error. */
static void complain(JSContext *ctx)
{
	JSValue error = JS_GetException(ctx);
	const char *text = JS_ToCString(ctx, error);

	fprintf(stderr, "ipvsadm: %s\n", text ? text : "out of memory");
	exit(FAILED);
}

static JSContext *make_context(JSRuntime *runtime)
{
	JSContext *ctx = JS_NewContextRaw(runtime);

	if (!ctx)
		return NULL;
	/* No eval: only the bytecode runs. */
	JS_AddIntrinsicBaseObjects(ctx);
	JS_AddIntrinsicRegExp(ctx);
	JS_AddIntrinsicMapSet(ctx);
	JS_AddIntrinsicTypedArrays(ctx);
	JS_AddIntrinsicPromise(ctx);
	return ctx;
}

/* load(name): replaces import() of the source, which does not work in code without names and lines */
static JSValue load(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *name = JS_ToCString(ctx, argv[0]);
	JSValue promise;

	if (!name)
		return JS_EXCEPTION;
	promise = JS_LoadModule(ctx, "", name);
	JS_FreeCString(ctx, name);
	return promise;
}

static int make_host(JSContext *ctx, JSValueConst global)
{
	JSValue host = JS_NewObject(ctx);

	add_bytes_calls(ctx, host);
	add_file_calls(ctx, host);
	add_socket_calls(ctx, host);
	add_process_calls(ctx, host);
	if (JS_SetPropertyStr(ctx, global, "load", JS_NewCFunction(ctx, load, "load", 1)) < 0)
		return -1;
	return JS_SetPropertyStr(ctx, global, "host", host);
}

static JSValue read_module(JSContext *ctx, const struct module *module)
{
	return JS_ReadObject(ctx, module->start, (size_t)(module->end - module->start), JS_READ_OBJ_BYTECODE);
}

/* For an import: the built-in module with this name. */
static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
	for (size_t i = 0; i < module_count; i++) {
		if (strcmp(modules[i].name, name) == 0) {
			JSValue module = read_module(ctx, &modules[i]);

			return JS_IsException(module) ? NULL : JS_VALUE_GET_PTR(module); /* the context keeps it */
		}
	}
	JS_ThrowReferenceError(ctx, "no module %s", name);
	return NULL;
}

static void run_jobs(JSRuntime *runtime)
{
	JSContext *ctx;
	int done;

	while ((done = JS_ExecutePendingJob(runtime, &ctx)) > 0)
		;
	if (done < 0)
		complain(ctx);
}

int main(int argc, char **argv)
{
	JSRuntime *runtime;
	JSContext *ctx;
	JSValue global, program, turn;

	open_streams();
	signal(SIGPIPE, SIG_IGN); /* write(2) tells it */
	set_command_line(argc, argv);
#ifdef PLAIN_MEMORY
	runtime = JS_NewRuntime();
#else
	runtime = JS_NewRuntime2(&host_memory, NULL);
#endif
	ctx = runtime ? make_context(runtime) : NULL;
	if (ctx)
		global = JS_GetGlobalObject(ctx);
	if (!ctx || make_host(ctx, global) < 0) {
		fputs("ipvsadm: out of memory\n", stderr);
		return FAILED;
	}
	JS_SetGCThreshold(runtime, COLLECT_FROM_BYTES);
	JS_SetCanBlock(runtime, true);
	JS_SetModuleLoaderFunc(runtime, NULL, load_module, NULL);
	program = read_module(ctx, &modules[0]);
	if (JS_IsException(program))
		complain(ctx);
	if (JS_ResolveModule(ctx, program) < 0 || JS_IsException(JS_EvalFunction(ctx, program)))
		complain(ctx);
	turn = JS_GetPropertyStr(ctx, global, "start");
	if (JS_IsException(JS_Call(ctx, turn, JS_UNDEFINED, 0, NULL)))
		complain(ctx);
	/* turn() waits for the next event, and returns false if no event can come. */
	turn = JS_GetPropertyStr(ctx, global, "turn");
	for (;;) {
		JSValue more;

		run_jobs(runtime);
		more = JS_Call(ctx, turn, JS_UNDEFINED, 0, NULL);
		if (JS_IsException(more))
			complain(ctx);
		if (!JS_ToBool(ctx, more))
			break;
		JS_FreeValue(ctx, more);
	}
	fputs("ipvsadm: the program waits for nothing\n", stderr);
	return FAILED;
}
