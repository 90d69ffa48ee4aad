/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: whatever the text, a configuration or an error with a note. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct conf_notes notes;
	struct conf *c;
	enum err e;

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	e = conf_parse(&c, "fuzz", text, &notes);
	must((e == ERR_OK) == (c != NULL));
	must(e == ERR_OK || notes.n > 0);
	conf_notes_fini(&notes);
	if (c != NULL) {
		must(c->ndatabases > 0 && c->nroles > 0);
		/* The scanner saw every section that libconfuse saw. */
		for (size_t i = 0; i < c->ndatabases; i++) {
			must(c->databases[i].line > 0);
			for (size_t j = 0; j < c->databases[i].ntables; j++)
				must(c->databases[i].tables[j].line > 0);
		}
		for (size_t i = 0; i < c->nroles; i++)
			must(c->roles[i].line > 0);
		conf_explain(c, &notes);
		conf_notes_fini(&notes);
		conf_free(c);
	}
	free(text);
	return 0;
}
