/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target once over each file of a directory: fuzz_NAME DIR. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
replay(const char *path)
{
	struct stat st;
	uint8_t *data;
	FILE *f = fopen(path, "rb");

	if (f == NULL || fstat(fileno(f), &st) != 0) {
		perror(path);
		exit(1);
	}
	/* Exactly as large as the input, so that a sanitizer sees a read past it. */
	data = malloc((size_t)st.st_size);
	if ((data == NULL && st.st_size > 0) ||
	    fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
}

int
main(int argc, char **argv)
{
	char path[4096];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	if (argc != 2 || (d = opendir(argv[1])) == NULL) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		replay(path);
		n++;
	}
	closedir(d);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%u inputs\n", n);
	return n == 0;
}
