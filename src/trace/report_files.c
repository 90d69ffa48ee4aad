/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: docs/spec/trace.md. */
#include "trace/trace.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *
json_estimate(struct estimate e)
{
	return json_pack("{s:I, s:I, s:I}", "estimate",
	    (json_int_t)llround(e.estimate), "low", (json_int_t)floor(e.low),
	    "high", (json_int_t)ceil(e.high));
}

static json_t *
json_date(const char *s)
{
	return s && *s ? json_string(s) : json_null();
}

static json_t *
json_groups(const struct trace_result *r)
{
	json_t *a = json_array();

	for (size_t g = 0; g < r->attribution.n; g++) {
		const struct release_group *x = &r->attribution.group[g];
		const struct trace_window *w = r->group_window ?
		    &r->group_window[g] : NULL;
		json_t *ids = json_array(), *o;

		for (size_t i = 0; i < x->n; i++)
			json_array_append_new(ids, json_string(
			    r->release[x->release[i]].id));
		o = json_pack("{s:o, s:f, s:f, s:f, s:b, s:o, s:o, s:I, s:I}",
		    "releases", ids, "log_likelihood", x->log_likelihood,
		    "against_next", x->against_next, "chance_wrong",
		    x->chance_wrong, "explains", x->explains,
		    "from", json_date(w ? w->from : NULL),
		    "to", json_date(w ? w->to : NULL),
		    "subjects", (json_int_t)x->subjects,
		    "found", (json_int_t)x->found);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *
json_items(const struct trace_result *r)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < r->nitems; i++)
		json_array_append_new(a, json_pack("{s:s, s:b, s:b, s:f}",
		    "name", r->item[i].name, "in_list", r->item[i].in_list,
		    "in_ours", r->item[i].in_ours, "filled",
		    r->item[i].filled));
	return a;
}

static json_t *
json_issues(const struct table *t)
{
	json_t *a = json_array();

	for (unsigned k = 0; k < ISSUE_COUNT; k++) {
		json_t *rows;

		if (!t->issue[k])
			continue;
		rows = json_array();
		for (unsigned i = 0; i < ISSUE_ROWS && i < t->issue[k]; i++)
			json_array_append_new(rows, json_integer(
			    t->issue_row[k][i]));
		json_array_append_new(a, json_pack("{s:s, s:I, s:o}", "what",
		    row_issue_text(k, false), "count", (json_int_t)t->issue[k],
		    "first_rows", rows));
	}
	return a;
}

static json_t *
json_columns(const struct table *t)
{
	json_t *o = json_array();

	for (unsigned i = 0; i < t->cols.n; i++)
		json_array_append_new(o, json_pack("[s, s]", t->cols.name[i],
		    (int)i == t->cols.key ? "key" :
		    column_kind_name(t->cols.kind[i])));
	return o;
}

static json_t *
json_evidence(const struct trace_result *r)
{
	json_t *o = json_pack("{s:I, s:I, s:f}", "rare_spellings_kept",
	    (json_int_t)r->rare_same, "rare_spellings_replaced",
	    (json_int_t)r->rare_other, "rare_bits", r->rare_bits);

	json_object_set_new(o, "pairs_same", json_integer(
	    (json_int_t)r->pairs_same));
	json_object_set_new(o, "pairs_other", json_integer(
	    (json_int_t)r->pairs_other));
	json_object_set_new(o, "comparable", json_integer(
	    (json_int_t)r->comparable));
	if (r->has_canaries) {
		json_object_set_new(o, "canaries", json_integer(
		    (json_int_t)r->canaries));
		json_object_set_new(o, "canaries_hit", json_integer(
		    (json_int_t)r->canaries_hit));
	}
	if (r->has_history)
		json_object_set_new(o, "former_values", json_integer(
		    (json_int_t)r->stale));
	if (r->has_background)
		json_object_set_new(o, "only_ours", json_estimate(
		    r->only_ours));
	return o;
}

static json_t *
json_encodings(const struct table *t)
{
	static const char *const name[ENC_COUNT] = {"ascii", "utf-8", "cp932",
	    "euc-jp"};
	json_t *o = json_object();

	if (t->made.utf16)
		json_object_set_new(o, "utf-16", json_integer(
		    (json_int_t)t->nrows));
	for (unsigned i = 0; i < ENC_COUNT && !t->made.utf16; i++)
		if (t->encodings[i])
			json_object_set_new(o, name[i], json_integer(
			    (json_int_t)t->encodings[i]));
	return o;
}

enum err
report_json(const struct trace_result *r, const char *path)
{
	static const char *const verdict[] = {"ours", "not-ours", "unclear"};
	static const char *const doubt[] = {"", "empty", "silent", "spelling",
	    "share"};
	json_t *o = json_object(), *services = json_array();
	uint64_t unknown = r->unknown_subjects + r->unknown_canaries +
	    r->unknown_history;
	int rc;

	json_object_set_new(o, "rows", json_estimate(r->rows));
	json_object_set_new(o, "exact_duplicates", json_estimate(
	    r->exact_duplicates));
	json_object_set_new(o, "records", json_estimate(r->records));
	json_object_set_new(o, "persons", json_estimate(r->persons));
	json_object_set_new(o, "persons_ours", json_estimate(r->persons_ours));
	json_object_set_new(o, "verdict", json_string(verdict[r->verdict]));
	json_object_set_new(o, "doubt", json_string(doubt[r->doubt]));
	json_object_set_new(o, "threshold", json_real(r->threshold));
	json_object_set_new(o, "groups", json_groups(r));
	json_object_set_new(o, "items", json_items(r));
	json_object_set_new(o, "unread_columns", json_integer(
	    r->unread_columns));
	json_object_set_new(o, "evidence", json_evidence(r));
	for (unsigned i = 0; i < r->nservices; i++)
		json_array_append_new(services, json_pack("{s:s, s:I}",
		    "name", r->service[i].name, "persons",
		    (json_int_t)r->service[i].persons));
	json_object_set_new(o, "services", services);
	if (r->has_reach)
		json_object_set_new(o, "reach", json_estimate(r->reach));
	json_object_set_new(o, "overdispersion", json_real(
	    r->attribution.phi));
	json_object_set_new(o, "unknown_subjects", json_integer(
	    (json_int_t)unknown));
	json_object_set_new(o, "encodings", json_encodings(&r->list));
	json_object_set_new(o, "list_sha256", json_string(r->list_sha256));
	json_object_set_new(o, "comparisons", json_integer(
	    (json_int_t)r->link.pairs));
	json_object_set_new(o, "capped_blocks", json_integer(
	    (json_int_t)r->link.capped_blocks));
	json_object_set_new(o, "capped_mentions", json_integer(
	    (json_int_t)r->link.capped_mentions));
	json_object_set_new(o, "columns", json_columns(&r->list));
	json_object_set_new(o, "our_columns", json_columns(&r->ours));
	json_object_set_new(o, "issues", json_issues(&r->list));
	json_object_set_new(o, "our_issues", json_issues(&r->ours));
	rc = json_dump_file(o, path, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
	json_decref(o);
	return rc == 0 ? ERR_OK : ERR_IO;
}
