/*
 * parameters: the parameters of a request, in all protocols: the user's options, the effort, and
 * the quirks of models in the registry.
 */
#ifndef MODEL_PARAMETERS_H
#define MODEL_PARAMETERS_H

#include "model/protocol/transcript.h"

/* The object of the body in which options belong ("generationConfig"); NULL: the body itself. */
struct parameter_place {
	const char *object;
	const char *const *options; /* NULL ends the list; NULL instead of it: all others */
};

/* What a protocol does with the options of the user. */
struct parameter_rules {
	/* The levels of effort where the registry has none (quirk "effort"): a JSON object from
	 * level to what is merged into the body. NULL: no model has levels. */
	const char *effort;
	/* The last one is for all others. NULL: all options belong in the body itself. */
	const struct parameter_place *places;
	/* Options that the protocol uses itself, and those that it uses if they are lists: they are
	 * not merged into the body. NULL ends each list; NULL instead of it: none. */
	const char *const *used, *const *used_lists;
};

/* The value of the user's option `key`, the last one of that name; absent when not set. */
struct span parameters_option(const struct model_request *request, const char *key);

/* The tools that the provider runs: the user's option "tools", a list in the form of the API;
 * absent when not set. */
struct span parameters_provider_tools(const struct model_request *request);

/* How many tools the model may call, with those. */
size_t parameters_tool_count(const struct model_request *request);

/* The value of the quirk `quirk` for the model of the request. A quirk is an object from patterns
 * (globs) of model names to values: the first that matches applies, "*" if no other does. Absent if
 * none matches. */
struct span parameters_quirk(const struct transcript *t, const char *quirk);

/* Whether that value, a list, has `word`. */
bool parameters_quirk_has(const struct transcript *t, const char *quirk, const char *word);

/* Make of t->out, the JSON object of the body, what is sent: into it are merged (RFC 7396, so null
 * removes) the quirk "body", the members of the requested effort, and the user's options, the later
 * over the earlier. Returns false with the usage error t->e for a level of effort the model does
 * not have, and for an option that it is known to refuse (quirk "refuses": a list of names for each
 * pattern). */
bool parameters_apply(const struct transcript *t, const struct parameter_rules *rules);

/* Whether the request asks for reasoning: an effort other than "none". */
bool parameters_reasons(const struct model_request *request);

/* Which calls the user wants: "auto" or NULL, "none", "required", or a tool's name. */
enum tool_choice { CHOICE_AUTO, CHOICE_NONE, CHOICE_ANY, CHOICE_NAMED };
enum tool_choice parameters_choice(const char *choice);

/* Whether the user wants a tool to be called: --tool-choice required, or a tool's name. */
bool parameters_force_tool(const struct model_request *request);

/* Whether the user wants one call at a time: -o parallel_tool_calls=false. */
bool parameters_one_call(const struct model_request *request);

/* "openai:gpt-5 cannot be made to call a tool (--tool-choice required)": usage error; false. */
bool parameters_refuse_force(const struct transcript *t);

/* The same for -o parallel_tool_calls=false. */
bool parameters_refuse_one_call(const struct transcript *t);

#endif
