/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban serve: the gate in the foreground. */
#include <string.h>

#include "cli/verb.h"
#include "proc/parent/parent.h"

int
verb_serve(int argc, char **argv)
{
	const char *file = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			file = argv[++i];
		else
			return cli_usage(argv[0], "%s", argv[i]);
	}
	return parent_run(conf_find(file));
}
