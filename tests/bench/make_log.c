/*
 * make_log MEGABYTES
 *
 * Prints the event log of long runs with tools, one after the other, the same ones each time:
 * mostly chunks of text of some words, reasoning, tool calls with arguments in pieces, and results
 * of some KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/error.h"

/* Iterations of a run: 50 is the most that agent-run allows by default. */
enum { ITERATIONS = 50 };

struct log {
	struct buffer out;
	long seq;
	int run;
	int64_t time; /* microseconds since 1970 */
	uint64_t random;
};

static uint64_t random_next(struct log *log)
{
	log->random ^= log->random << 13;
	log->random ^= log->random >> 7;
	log->random ^= log->random << 17;
	return log->random;
}

static void begin(struct log *log, const char *type)
{
	buffer_add_format(&log->out, "{\"event_type\":\"%s\",\"timestamp\":\"", type);
	clock_add_timestamp(&log->out, log->time);
	log->time += (int64_t)(1000 + random_next(log) % 20000);
	buffer_add_format(&log->out,
			  "\",\"run_id\":\"0193a1b2-c3d4-7e5f-8a6b-7c8d9e%06d\",\"seq\":%ld,"
			  "\"data\":{",
			  log->run, log->seq++);
}

static void end(struct log *log)
{
	buffer_add_text(&log->out, "}}\n");
}

static void add_words(struct log *log, int count)
{
	static const char *const words[] = {
	    "the ",    "stream ", "of ", "events ", "reads ", "as ",   "they ", "happen",    ". ",
	    "größer ", "“so” ",   "in ", "a ",      "pipe ",  "tool ", "\\n",   "\\\"x\\\" "};

	for (int i = 0; i < count; i++)
		buffer_add_text(&log->out,
				words[random_next(log) % (sizeof(words) / sizeof(*words))]);
}

static void add_chunks(struct log *log, const char *type, int count)
{
	for (int i = 0; i < count; i++) {
		begin(log, type);
		buffer_add_text(&log->out, "\"text\":\"");
		add_words(log, 1 + (int)(random_next(log) % 4));
		buffer_add_char(&log->out, '"');
		end(log);
	}
}

static void add_call(struct log *log, int iteration)
{
	struct buffer call = {0};

	buffer_add_format(&call, "\"tool_call_id\":\"call_%d\",\"tool_name\":\"%s\"", iteration,
			  iteration % 3 == 0 ? "read_file" : "search");
	begin(log, "tool_call_start");
	buffer_add_format(&log->out, "%s,\"index\":0", buffer_string(&call));
	end(log);
	for (int i = 0; i < 6; i++) {
		begin(log, "tool_call_chunk");
		buffer_add_format(&log->out, "%s,\"args_delta\":\"%s\"", buffer_string(&call),
				  i == 0   ? "{\\\"path\\\":\\\""
				  : i == 5 ? "\\\"}"
					   : "src/");
		end(log);
	}
	begin(log, "tool_call_end");
	buffer_add_format(&log->out, "%s,\"args\":{\"path\":\"src/src/src/src/\"}",
			  buffer_string(&call));
	end(log);
	begin(log, "tool_start");
	buffer_add_format(&log->out, "%s,\"args\":{\"path\":\"src/src/src/src/\"},\"iteration\":%d",
			  buffer_string(&call), iteration);
	end(log);
	begin(log, "tool_end");
	buffer_add_format(&log->out, "%s,\"result\":\"", buffer_string(&call));
	add_words(log, 50 + (int)(random_next(log) % 800));
	buffer_add_format(&log->out, "\",\"is_error\":%s,\"duration_seconds\":0.%03d",
			  iteration % 50 == 0 ? "true" : "false", (int)(random_next(log) % 1000));
	end(log);
	buffer_free(&call);
}

static void add_iteration(struct log *log, int iteration)
{
	begin(log, "llm_start");
	buffer_add_format(&log->out, "\"iteration\":%d,\"model\":\"test-model\",\"attempt\":1",
			  iteration);
	end(log);
	add_chunks(log, "thinking_chunk", 20);
	add_chunks(log, "llm_chunk", 60);
	add_call(log, iteration);
	begin(log, "llm_end");
	buffer_add_format(
	    &log->out,
	    "\"iteration\":%d,\"model\":\"test-model\",\"finish_reason\":\"tool_calls\","
	    "\"is_final\":false,\"usage\":{\"input_tokens\":900,\"output_tokens\":120},"
	    "\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
	    "\"text\":\"",
	    iteration);
	add_words(log, 150);
	buffer_add_text(&log->out, "\"}]},\"duration_seconds\":1.5");
	end(log);
	begin(log, "progress");
	buffer_add_format(&log->out, "\"iteration\":%d,\"total_tokens\":%d,\"total_cost_usd\":null",
			  iteration, iteration * 1020);
	end(log);
}

static size_t flush(struct log *log)
{
	size_t len = log->out.len;

	if (!write_all(STDOUT_FILENO, buffer_span(&log->out)))
		exit(STATUS_FAILED);
	buffer_clear(&log->out);
	return len;
}

static void add_run(struct log *log)
{
	log->seq = 0;
	log->run++;
	begin(log, "agent_start");
	buffer_add_text(&log->out,
			"\"agent_name\":\"bench\",\"model\":\"test-model\",\"prompt\":\"go\","
			"\"tools\":[\"read_file\",\"search\"],\"schema_version\":1");
	end(log);
	for (int i = 1; i <= ITERATIONS; i++)
		add_iteration(log, i);
	begin(log, "agent_end");
	buffer_add_format(&log->out,
			  "\"agent_name\":\"bench\",\"success\":true,\"status\":\"success\","
			  "\"exit_status\":0,\"output\":\"done\",\"finish_reason\":\"stop\","
			  "\"total_iterations\":%d,\"total_tokens\":%d,\"usage\":{},"
			  "\"total_cost_usd\":null,\"tool_calls\":%d,\"duration_seconds\":1000",
			  ITERATIONS, ITERATIONS * 1020, ITERATIONS);
	end(log);
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoull(argv[1], NULL, 10) * 1000000 : 0, written = 0;
	struct log log = {.time = 1795215741123456, .random = 88172645463325252};

	if (size == 0)
		die(STATUS_USAGE, "usage: make_log MEGABYTES");
	while (written < size) {
		add_run(&log);
		written += flush(&log);
	}
	buffer_free(&log.out);
	return STATUS_OK;
}
