/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql.h"

#include <stdlib.h>

static const struct {
	const char *name;
	bool tree, context;
} kinds[SQL_KIND_COUNT] = {
#define X(name, tree, context) [SQL_##name] = {#name, tree, context},
	SQL_KINDS(X)
#undef X
};

const char *
sql_kind_name(enum sql_kind k)
{
	must(k < SQL_KIND_COUNT);
	return kinds[k].name;
}

bool
sql_kind_needs_tree(enum sql_kind k)
{
	must(k < SQL_KIND_COUNT);
	return kinds[k].tree;
}

bool
sql_kind_changes_context(enum sql_kind k)
{
	must(k < SQL_KIND_COUNT);
	return kinds[k].context;
}

void
sql_list_fini(struct sql_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sql_stmt *s = &l->v[i];

		for (size_t k = 0; k < s->nobjects; k++) {
			free(s->objects[k].schema);
			free(s->objects[k].name);
		}
		free(s->objects);
		free(s->name);
		free(s->value);
		free(s->param_types);
		free(s->copy_columns);
	}
	free(l->v);
	*l = (struct sql_list){0};
}
