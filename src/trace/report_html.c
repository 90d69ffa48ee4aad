/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trace.h"

#include <stdio.h>

enum err
report_html(const struct trace_result *r, const struct trace_options *o,
    const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return ERR_IO;
	fprintf(f, "%s %s %zu\n", o->list, o->ours, r->list.nrows);
	return fclose(f) == 0 ? ERR_OK : ERR_IO;
}
