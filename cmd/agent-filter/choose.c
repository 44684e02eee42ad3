#include "choose.h"

#include <stdlib.h>

static bool is_kept(const struct choice *c, const char *type)
{
	bool is_item = !span_ends(span_of(type), "_chunk") && strcmp(type, "raw") != 0;

	return (c->types.count == 0 || patterns_match(&c->types, type)) &&
	       !patterns_match(&c->not_types, type) && (is_item || !c->items_only);
}

static void note_type(struct choice *c, const char *name)
{
	patterns_note(&c->types, name);
	patterns_note(&c->not_types, name);
}

void choice_begin(struct choice *c)
{
	for (int type = 0; type < EVENT_OTHER; type++) {
		const char *name = event_type_name((enum event_type)type);

		note_type(c, name);
		if (is_kept(c, name))
			c->kept |= EVENT_BIT(type);
	}
}

bool choice_other(struct choice *c, struct span name)
{
	if (c->other.at == NULL || !span_equal(buffer_span(&c->other), name)) {
		buffer_clear(&c->other);
		buffer_add_span(&c->other, name);
		note_type(c, buffer_string(&c->other));
		c->keeps_other = is_kept(c, buffer_string(&c->other));
	}
	return c->keeps_other;
}

bool choice_tool(struct choice *c, const struct event *event)
{
	bool chosen;
	char *name;

	if (c->names.count == 0)
		return true;
	name = json_text(json_get(event->data, "tool_name"));
	if (name != NULL)
		patterns_note(&c->names, name);
	chosen = name != NULL && patterns_match(&c->names, name);
	free(name);
	return chosen;
}

void choice_warn(struct choice *c)
{
	patterns_warn(&c->types, "type", "type");
	patterns_warn(&c->not_types, "not-type", "type");
	patterns_warn(&c->names, "name", "tool");
}

void choice_free(struct choice *c)
{
	patterns_free(&c->types);
	patterns_free(&c->not_types);
	patterns_free(&c->names);
	buffer_free(&c->other);
}
