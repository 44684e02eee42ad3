#include "model/prices.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "json/keys.h"
#include "model/provider_files.h"

/* The price of one model; absent if the files have none. It is stored because searching the files
 * takes longer than everything else that is done for a short response. */
struct price {
	uint64_t hash;
	char *provider, *model;
	struct span json;
};

/* How many providers may refer to the next one. */
enum { MAX_REFERENCES = 4 };

/* The keys of a price, of which "above" is for one in "tiers". */
static const struct key_type price_keys[] = {
    {"input", JSON_NUMBER},       {"output", JSON_NUMBER},    {"cache_read", JSON_NUMBER},
    {"cache_write", JSON_NUMBER}, {"reasoning", JSON_NUMBER}, {"above", JSON_NUMBER},
    {"tiers", JSON_ARRAY},        {"context", JSON_NUMBER},   {"max_output", JSON_NUMBER},
    {NULL, JSON_ABSENT},
};

static const char *const needed[] = {"input", "output", "above" /* of a tier */};

/* A key that is misspelt or missing would make a model look cheaper than it is. */
static bool check_price(const char *path, struct span text, struct span price, bool is_tier,
			struct error *e)
{
	struct json_walk tier = json_walk(json_get(price, "tiers")), walk = json_walk(price);
	size_t offset = (size_t)(price.at - text.at);
	bool good =
	    json_type(price) == JSON_OBJECT
		? keys_have_types(path, text, price, price_keys, e)
		: error_at(e, path, text, offset,
			   "a price must be an object, such as {\"input\": 1, \"output\": 2}");

	for (size_t i = 0; good && i < ARRAY_LEN(needed) - !is_tier; i++)
		if (json_type(json_get(price, needed[i])) != JSON_NUMBER)
			good = error_at(e, path, text, offset,
					"a price has no \"%s\"; write 0 if there is nothing to pay",
					needed[i]);
	while (good && json_next(&walk))
		if (json_double(walk.value, 0) < 0)
			good = error_at(e, path, text, (size_t)(walk.value.at - text.at),
					"%.*s must be at least 0", SPAN_ARG(walk.key));
	while (good && json_next(&tier))
		good = check_price(path, text, tier.value, true, e);
	return good;
}

static bool check_file(const char *path, struct span text, struct error *e)
{
	bool good = json_type(json_trim(text)) == JSON_OBJECT
			? keys_are_unique(path, text, e)
			: error_at(e, path, text, 0,
				   "must be a JSON object, from provider names to models");

	for (struct json_walk walk = json_walk(json_trim(text)); good && json_next(&walk);) {
		enum json_type type = json_type(walk.value);
		struct json_walk model = json_walk(walk.value);

		if (type != JSON_OBJECT && type != JSON_STRING && type != JSON_NULL)
			good = error_at(
			    e, path, text, (size_t)(walk.value.at - text.at),
			    "the prices of %.*s must be an object, from models to prices, or "
			    "the name of another provider",
			    SPAN_ARG(walk.key));
		while (good && type == JSON_OBJECT && json_next(&model))
			good = json_type(model.value) == JSON_NULL ||
			       check_price(path, text, model.value, false, e);
	}
	return good;
}

static void read_prices(char *path, struct buffer *out, bool own, struct error *e)
{
	if (path != NULL && access(path, F_OK) == 0 && data_file_read(path, out, e) && own &&
	    !check_file(path, buffer_span(out), e))
		buffer_clear(out);
	free(path);
}

bool prices_check(struct error *e)
{
	struct buffer text = {0};
	struct error fault = {0};

	read_prices(config_path("prices.json"), &text, true, &fault);
	buffer_free(&text);
	if (fault.message == NULL)
		return true;
	*e = fault;
	return false;
}

/* Whether `text` is a date behind a model's name: a dash, then at least four digits, then digits
 * and dashes. Fewer digits are a version: claude-opus-5 is not claude-opus-5-5. */
static bool is_date(struct span text)
{
	size_t digits = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (isdigit((unsigned char)text.at[i]))
			digits += i == digits + 1;
		else if (text.at[i] != '-')
			return false;
	}
	return text.len > 0 && text.at[0] == '-' && digits >= 4;
}

/* The price of `model` among `models`: by its name, by the longest name that it dates, or "*". */
static struct span find_model(struct span models, struct span model)
{
	struct span best = {0}, rest = {0};
	size_t best_len = 0;

	for (struct json_walk walk = json_walk(models); json_next(&walk);) {
		struct span name = json_plain(walk.key);

		if (name.at == NULL)
			continue;
		if (span_equal(name, model))
			return walk.value;
		if (span_is(name, "*"))
			rest = walk.value;
		if (name.len > best_len && name.len < model.len &&
		    memcmp(model.at, name.at, name.len) == 0 &&
		    is_date(span_from(model, name.len))) {
			best = walk.value;
			best_len = name.len;
		}
	}
	return best.at != NULL ? best : rest;
}

/* The provider's entry in the user's file or the shipped one: its models, searched in both, or the
 * string that refers to another provider. */
static struct span find_entry(const struct prices *prices, const char *provider, struct span model,
			      struct span *price)
{
	const struct buffer *files[] = {&prices->own, &prices->shipped};
	struct span reference = {0};

	for (size_t i = 0; i < 2; i++) {
		struct span entry = json_get(json_trim(buffer_span(files[i])), provider);

		if (json_type(entry) == JSON_NULL)
			break;
		if (json_type(entry) == JSON_STRING && reference.at == NULL)
			reference = entry;
		else if (price->at == NULL)
			*price = find_model(entry, model);
	}
	return reference;
}

static struct span find(const struct prices *prices, const char *provider, struct span model)
{
	char *name = mem_copy(span_of(provider));
	struct span price = {0};

	for (int i = 0; i < MAX_REFERENCES && name != NULL; i++) {
		struct span reference = find_entry(prices, name, model, &price);
		const char *slash = model.len > 0 ? memchr(model.at, '/', model.len) : NULL;

		free(name);
		name = NULL;
		if (price.at != NULL || reference.at == NULL)
			break;
		if (!json_is(reference, "*")) {
			name = json_text(reference);
		} else if (slash != NULL) {
			size_t maker = (size_t)(slash - model.at);

			name = mem_copy((struct span){model.at, maker});
			model = span_from(model, maker + 1);
		}
	}
	free(name);
	return price;
}

/* ---- names with a prefix or suffix ---- */

/* NAME of "models/NAME" or of the ARN of a model or an inference profile. */
static struct span without_path(struct span model)
{
	if (span_starts(model, "models/"))
		return span_from(model, strlen("models/"));
	for (size_t i = model.len; span_starts(model, "arn:") && i-- > 0;)
		if (model.at[i] == '/')
			return span_from(model, i + 1);
	return model;
}

/* The name of a model on Bedrock without its version: "-v1:0", or ":0" alone. */
static struct span without_version(struct span model)
{
	const char *colon = model.len > 0 ? memchr(model.at, ':', model.len) : NULL;
	size_t len = model.len;

	if (colon != NULL && isdigit((unsigned char)colon[1]) &&
	    memchr(model.at, '.', model.len) != NULL)
		model.len = len = (size_t)(colon - model.at);
	while (len > 0 && isdigit((unsigned char)model.at[len - 1]))
		len--;
	if (len > 2 && len < model.len && model.at[len - 1] == 'v' && model.at[len - 2] == '-')
		model.len = len - 2;
	return model;
}

/* The name without its region: "us.MAKER.NAME". */
static struct span without_region(struct span model)
{
	static const char *const regions[] = {"us.", "us-gov.", "eu.", "apac.", "ap.",     "au.",
					      "jp.", "ca.",     "sa.", "me.",   "global.", NULL};

	for (size_t i = 0; regions[i] != NULL; i++)
		if (span_starts(model, regions[i]))
			return span_from(model, strlen(regions[i]));
	return model;
}

/* The price under the name itself, or under what is left of it. */
static struct span find_named(const struct prices *prices, const char *provider, struct span model)
{
	struct span bare = without_version(without_path(model)), local = without_region(bare);
	struct span price = find(prices, provider, model);

	if (price.at == NULL && bare.len < model.len)
		price = find(prices, provider, bare);
	if (price.at == NULL && local.len < bare.len)
		price = find(prices, provider, local);
	return price;
}

static struct span price_of(struct prices *prices, const char *provider, const char *model)
{
	uint64_t hash = hash_add(hash_add(HASH_START, span_of(provider)), span_of(model));
	struct price *price;

	for (size_t i = 0; i < prices->count; i++) {
		price = &prices->known[i];
		if (price->hash == hash && strcmp(price->provider, provider) == 0 &&
		    strcmp(price->model, model) == 0)
			return price->json;
	}
	prices->known = array_grow(prices->known, prices->count, sizeof(*prices->known));
	price = &prices->known[prices->count++];
	*price = (struct price){.hash = hash,
				.provider = mem_copy(span_of(provider)),
				.model = mem_copy(span_of(model)),
				.json = find_named(prices, provider, span_of(model))};
	return price->json;
}

/* ---- the cost ---- */

/* The prices for a request of this size: those of the highest tier whose limit it exceeds. */
static struct span pick_tier(struct span price, int64_t input)
{
	int64_t highest = -1;

	for (struct json_walk walk = json_walk(json_get(price, "tiers")); json_next(&walk);) {
		int64_t above = INT64_MAX;

		number_count(json_amount(json_get(walk.value, "above")), &above);
		if (input > above && above > highest) {
			highest = above;
			price = walk.value;
		}
	}
	return price;
}

static double cost(struct span price, const struct model_usage *usage)
{
	double cached = usage->cached_input > 0 ? (double)usage->cached_input : 0;
	double written = usage->cache_write > 0 ? (double)usage->cache_write : 0;
	double input = json_double(json_get(price, "input"), 0);
	double fresh = (double)usage->input - cached - written;
	double output = json_double(json_get(price, "output"), 0);
	double reasoning = usage->reasoning > 0 ? (double)usage->reasoning : 0;
	double said = (double)usage->output - reasoning;

	return ((fresh > 0 ? fresh : 0) * input +
		cached * json_double(json_get(price, "cache_read"), input) +
		written * json_double(json_get(price, "cache_write"), input) +
		(said > 0 ? said : 0) * output +
		reasoning * json_double(json_get(price, "reasoning"), output)) /
	       1e6;
}

static void read_files(struct prices *prices)
{
	if (!prices->read) {
		read_prices(share_path("prices.json"), &prices->shipped, false, &prices->fault);
		read_prices(config_path("prices.json"), &prices->own, true, &prices->fault);
		prices->read = true;
	}
}

bool prices_known(struct prices *prices, const char *provider, const char *model)
{
	read_files(prices);
	return json_type(price_of(prices, provider, model)) == JSON_OBJECT;
}

bool prices_cost(struct prices *prices, const char *provider, const char *model,
		 const struct model_usage *usage, double *usd, struct error *e)
{
	struct span price;

	if (usage->input < 0 || usage->output < 0)
		return false;
	read_files(prices);
	if (e != NULL && prices->fault.message != NULL) {
		error_clear(e);
		*e = prices->fault;
		prices->fault = (struct error){0};
	}
	price = price_of(prices, provider, model);
	if (json_type(price) != JSON_OBJECT)
		return false;
	*usd = cost(pick_tier(price, usage->input), usage);
	return true;
}

void prices_free(struct prices *prices)
{
	for (size_t i = 0; i < prices->count; i++) {
		free(prices->known[i].provider);
		free(prices->known[i].model);
	}
	free(prices->known);
	error_clear(&prices->fault);
	buffer_free(&prices->own);
	buffer_free(&prices->shipped);
	*prices = (struct prices){0};
}
