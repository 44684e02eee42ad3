#include "model/protocol/anthropic.h"
#include "model/provider.h"

bool anthropic_list_request(const struct provider *provider, const char *base_url,
			    struct http_request *out, struct error *e)
{
	(void)e;
	out->url = anthropic_url(base_url, "/models?limit=1000");
	anthropic_version(provider, out);
	http_request_add_header(out, false, "Accept: application/json");
	return true;
}

void anthropic_list_read(struct span json, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(json, "data"));

	while (json_next(&walk))
		provider_list_line(json_get(walk.value, "id"),
				   json_int(json_get(walk.value, "max_input_tokens"), 0),
				   json_get(walk.value, "display_name"), out);
}
